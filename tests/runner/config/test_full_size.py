"""Larger strokes reduce frames up to the blend, and what mixes images does it at full size."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.changes import Change, TypedOverride, TypedStage, TypedStrokes
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.config.shipped import pipeline_file

AUTO = TypedStrokes("auto", "--stroke-size auto")
SMALL = ["decode", "reduce", "shots", "flow", "stylize", "blend", "restore", "encode"]


@pytest.mark.parametrize("name", ["temporal", "large-strokes"])
def test_flow_stylization_and_blend_see_reduced_frames(name: str) -> None:
    loaded = load(name, AUTO)
    assert [stage.name for stage in loaded.stages] == SMALL
    assert options_of(loaded, "stylize")["stroke_size"] == "auto"
    assert options_of(loaded, "reduce")["most"] == 32


def test_frames_are_reduced_by_no_more_than_strokes_grow() -> None:
    for name in ("temporal", "large-strokes"):
        loaded = load(name, TypedStrokes("1.5", "--stroke-size 1.5"))
        assert options_of(loaded, "reduce")["most"] == 1.5
        assert options_of(loaded, "stylize")["stroke_size"] == 1.5


@pytest.mark.parametrize("size", ["1", "0.5"])
def test_strokes_that_do_not_grow_leave_frames_as_they_are(size: str) -> None:
    change = TypedStrokes(size, f"--stroke-size {size}")
    assert "reduce" not in [stage.name for stage in load("temporal", change).stages]
    loaded = load("large-strokes", change)
    assert options_of(loaded, "reduce")["most"] == 1
    assert options_of(loaded, "stylize")["stroke_size"] == float(size)


def test_other_stages_stay_at_full_size() -> None:
    size = TypedStage("geometry/scale", {"size": "1080p"}, "--size 1080p", first=True)
    colors = TypedStage("filter/keep-colors", {}, "--keep-colors", first=False)
    loaded = load("temporal", AUTO, size, colors)
    names = [stage.name for stage in loaded.stages]
    assert names == ["decode", "scale", *SMALL[1:-1], "keep-colors", "encode"]


def test_without_a_blend_only_the_stylizer_works_at_a_smaller_size() -> None:
    loaded = load("per-frame", AUTO)
    assert [stage.name for stage in loaded.stages] == ["decode", "stylize", "encode"]
    assert options_of(loaded, "stylize")["stroke_size"] == "auto"


def test_a_stage_between_keeps_frames_at_full_size(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: 1\nextends: temporal\nadd:\n- after: stylize\n  stages:\n  - use: filter/repair\n"
    )
    names = [stage.name for stage in load(path, AUTO).stages]
    assert names == ["decode", "shots", "flow", "stylize", "repair", "blend", "encode"]


@pytest.mark.parametrize("name", ["temporal", "large-strokes"])
def test_what_mixes_images_does_it_behind_the_blend(name: str, tmp_path: Path) -> None:
    mask = tmp_path / "face.png"
    changes: list[Change] = [
        "stylize.strength={at: {0s: 0, 2s: 1}}",
        f"stylize.mask={mask}",
        TypedOverride("stylize.invert_mask=true", "--odd"),
    ]
    loaded = load(name, *changes, AUTO)
    stylize, restore = options_of(loaded, "stylize"), options_of(loaded, "restore")
    assert (stylize["strength"], stylize["mask"], stylize["invert_mask"]) == (1, None, False)
    assert restore["invert_mask"]
    [entry] = [stage for stage in loaded.stages if stage.name == "restore"]
    assert set(entry.keyframes) == {"strength"}
    assert [side.path for side in entry.inputs] == [mask]
    assert not [side for stage in loaded.stages if stage.name == "stylize" for side in stage.inputs]


def test_an_option_that_is_set_at_both_is_refused() -> None:
    with pytest.raises(PipelineError, match="strength is set at the stages stylize and restore"):
        load("large-strokes", "restore.strength=0.5", "stylize.strength=0.5")
    assert options_of(load("large-strokes", "restore.strength=0.5"), "restore")["strength"] == 0.5


def test_a_size_that_is_none_is_reported_once() -> None:
    with pytest.raises(PipelineError) as found:
        load("temporal", TypedStrokes("large", "--stroke-size large"))
    assert len(str(found.value).splitlines()) == 1
    assert str(found.value).startswith("--stroke-size large: stage stylize: option stroke_size")


def load(name: str | Path, *changes: Change) -> Pipeline:
    path = pipeline_file(Path(name))
    return load_pipeline(path, registry=Registry(), overrides=changes)


def options_of(loaded: Pipeline, name: str) -> dict[str, object]:
    [stage] = [stage for stage in loaded.stages if stage.name == name]
    return stage.options.model_dump()
