"""Which files become layers, and what is refused before any of them is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from vidstyle.core import BaseStage, Needs, StageOptions, layer_or_file
from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.config.recipe import from_recipe, to_recipe
from vidstyle.runner.config.side_inputs import SideInput

Write: TypeAlias = Callable[..., Path]
STAGES = "stages: [use: decode/fake, use: encode/fake]"
MASKED = """
    from vidstyle.core import BaseStage, NOW, Needs, StageOptions, layer_or_file

    class Options(StageOptions):
        mask: str | None = layer_or_file(description="Where.")

    class Masked(BaseStage[Options]):
        Options = Options
        needs = Needs(writes=("image",))
        def step(self, window, state):
            return {}, state

    STAGE = Masked
"""


@pytest.fixture
def with_masked(write: Write, stage_folder: Path, tmp_path: Path) -> Registry:
    write(MASKED, "plug/filter/masked.py", whole=True)
    return Registry([stage_folder, tmp_path / "plug"])


def loaded(path: Path, registry: Registry, *overrides: str) -> Pipeline:
    return load_pipeline(path, registry=registry, overrides=overrides)


def inputs(pipeline: Pipeline) -> dict[str, Path]:
    return {side.name: side.path for side in pipeline.inputs}


def test_paths_count_from_the_file_or_from_the_current_folder(
    write: Write, fake_stages: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        f"version: 1\ninputs: {{a: a.png, b: /x/b.mp4}}\n{STAGES}", "sub/p.yaml", whole=True
    )
    assert inputs(loaded(path, fake_stages)) == {
        "a": tmp_path / "sub" / "a.png",
        "b": Path("/x/b.mp4"),
    }
    monkeypatch.chdir(tmp_path)
    changed = loaded(path, fake_stages, "inputs.a=c.png", "inputs.new=d.png")
    assert inputs(changed) == {
        "a": tmp_path / "c.png",
        "b": Path("/x/b.mp4"),
        "new": tmp_path / "d.png",
    }


def test_the_long_form_says_colors_and_edges(
    write: Write, fake_stages: Registry, tmp_path: Path
) -> None:
    text = "inputs: {a: {file: a.png, color: true, pad: true}, b: {file: b.png}, image: c.png}"
    pipeline = loaded(write(f"version: 1\n{text}\n{STAGES}", whole=True), fake_stages)
    assert pipeline.inputs == (
        SideInput("a", tmp_path / "a.png", color=True, pad=True),
        SideInput("b", tmp_path / "b.png"),
        SideInput("image", tmp_path / "c.png", color=True),
    )
    assert from_recipe(to_recipe(pipeline)).inputs == pipeline.inputs


def test_a_child_adds_to_what_it_inherits_and_set_changes_it(
    write: Write, fake_stages: Registry, tmp_path: Path
) -> None:
    write(f"version: 1\ninputs: {{a: a.png, b: b.png}}\n{STAGES}", "sub/base.yaml", whole=True)
    child = write(
        "version: 1\nextends: sub/base.yaml\ninputs: {b: c.png, d: d.png}\nset: {inputs.a: e.png}",
        "child.yaml",
        whole=True,
    )
    assert inputs(loaded(child, fake_stages)) == {
        "a": tmp_path / "e.png",
        "b": tmp_path / "c.png",
        "d": tmp_path / "d.png",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{source: a.png}", r"p\.yaml:2:10: the layer source is vidstyle's own"),
        ("{image: {file: a.png, color: false}}", "color must be true, got"),
        ("{mask: {file: a.png, colour: true}}", "has no key colour; it has: file, color"),
        ("{mask: {file: a.png, pad: 1}}", "pad must be true or false, got the number 1"),
        ("{mask: {file: a.png, color: yes}}", "color must be true or false, got"),
        ("{mask: {color: true}}", "wants {file: other.mp4, color: true}"),
        ("{cut: a.png}", "the layer cut is vidstyle's own"),
        ("{visible: a.png}", "the layer visible is vidstyle's own"),
        ("{Mask: a.png}", "Mask is no name of a layer"),
        ("{stylize.mask: a.png}", "no name of a layer"),
        ("{mask: 3}", r"p\.yaml:2:16: side input mask wants a path, got the number 3"),
        ("{mask: ''}", "wants a path"),
        ("{mask: null}", "wants a path, got nothing"),
        ("{mask: [a.png]}", "wants a path, got a list of 1"),
        ("[a.png]", r"inputs wants a mapping such as \{mask: mask\.mp4\}, got a list of 1"),
        ("a.png", "inputs wants a mapping"),
    ],
)
def test_bad_inputs_are_refused_where_they_stand(
    text: str, says: str, write: Write, fake_stages: Registry
) -> None:
    path = write(f"version: 1\ninputs: {text}\n{STAGES}", whole=True)
    with pytest.raises(PipelineError, match=says):
        loaded(path, fake_stages)


@pytest.mark.parametrize("text", ["inputs.source=a.png", "inputs.mask=3", "inputs=a.png"])
def test_a_bad_override_repeats_itself(text: str, write: Write, fake_stages: Registry) -> None:
    with pytest.raises(PipelineError, match=f"^--set {text}: "):
        loaded(write(f"version: 1\n{STAGES}", whole=True), fake_stages, text)


def test_no_stage_can_be_called_inputs(write: Write, fake_stages: Registry) -> None:
    path = write("- use: blend/every\n  as: inputs")
    with pytest.raises(PipelineError, match="reserved for side inputs"):
        loaded(path, fake_stages)


def test_a_file_in_an_option_becomes_a_layer(
    write: Write, with_masked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = [("a", "face.png"), ("b", "./m")]
    path = write("\n".join(f"- {{use: filter/masked, as: {a}, mask: {b}}}" for a, b in stages))
    pipeline = loaded(path, with_masked)
    names = [entry.options.model_dump()["mask"] for entry in pipeline.stages[1:-1]]
    assert names == ["a.mask", "b.mask"]
    assert inputs(pipeline) == {"a.mask": tmp_path / "face.png", "b.mask": tmp_path / "m"}
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    changed = loaded(path, with_masked, "a.mask=f.png", "b.mask=visible")
    assert inputs(changed) == {"a.mask": tmp_path / "here" / "f.png"}
    assert changed.stages[2].options.model_dump()["mask"] == "visible"


@pytest.mark.parametrize("value", ["visible", "my_mask-2", "null"])
def test_the_name_of_a_layer_in_an_option_is_no_file(
    value: str, write: Write, with_masked: Registry
) -> None:
    pipeline = loaded(write(f"- use: filter/masked\n  mask: {value}"), with_masked)
    assert pipeline.inputs == ()
    wanted = None if value == "null" else value
    assert pipeline.stages[1].options.model_dump()["mask"] == wanted


def test_an_empty_option_is_neither(write: Write, with_masked: Registry) -> None:
    with pytest.raises(PipelineError, match="option mask wants the name of a layer or a path"):
        loaded(write("- use: filter/masked\n  mask: ''"), with_masked)


def test_in_code_the_option_names_a_layer() -> None:
    class Options(StageOptions):
        mask: str | None = layer_or_file(description="Where.")

    class Masked(BaseStage[Options]):
        needs = Needs(writes=("image",))

    assert Options().mask is None
    assert Masked(Options(mask="mask")).options.mask == "mask"
