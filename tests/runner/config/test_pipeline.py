from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from vidstyle.core.errors import PipelineError, WeightsError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import Keyframes, options_at
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline

Write: TypeAlias = Callable[..., Path]


def blend_options(registry: Registry, path: Path, *overrides: str) -> dict[str, Any]:
    """The options of the pipeline's one stage of kind blend."""
    pipeline = load_pipeline(path, registry=registry, overrides=overrides)
    (entry,) = [stage for stage in pipeline.stages if stage.kind == "blend"]
    return entry.options.model_dump()


def complaints(registry: Registry, path: Path) -> list[str]:
    """The lines of the error without the folder."""
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, registry=registry)
    return str(caught.value).replace(f"{path.parent}/", "").split("\n")


def complaint(registry: Registry, path: Path) -> str:
    """The error without the folder, known to be one line."""
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, registry=registry)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_pipeline_has_its_stages_in_order_with_options_and_places(
    write: Write, fake_stages: Registry
) -> None:
    path = write("- use: blend/every\n  strength: 1\n  kernel: bilinear")
    pipeline = load_pipeline(path, registry=fake_stages)
    assert isinstance(pipeline, Pipeline)
    assert (pipeline.version, pipeline.path) == (1, path)
    assert (pipeline.chunk, pipeline.queue) == ((125, 250), None)
    assert [(stage.name, stage.use, stage.kind) for stage in pipeline.stages] == [
        ("decode", "decode/fake", "decode"),
        ("blend", "blend/every", "blend"),
        ("encode", "encode/fake", "encode"),
    ]
    blend = pipeline.stages[1]
    assert isinstance(blend.options, blend.cls.Options)
    assert blend.options.model_dump()["strength"] == 1.0
    assert str(blend.where) == f"{path}:4:10"


def test_stages_of_one_kind_are_numbered_and_as_gives_a_name(
    write: Write, fake_stages: Registry
) -> None:
    path = write("- use: filter/brighter\n- use: filter/brighter\n  as: glow\n- use: blend/every")
    names = [stage.name for stage in load_pipeline(path, registry=fake_stages).stages]
    assert names == ["decode", "filter-1", "glow", "blend", "encode"]


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("strength: 1", "strength", 1.0),
        ("strength: 1e-1", "strength", 0.1),
        ("passes: 3", "passes", 3),
        ("threads: auto", "threads", "auto"),
        ("threads: 3", "threads", 3),
        ("rate: 29.97", "rate", "2997/100"),
        ("rate: 30000/1001", "rate", "30000/1001"),
        ("size: [8, 9]", "size", (8, 9)),
        ("label: no", "label", "no"),
        ("label: '12'", "label", "12"),
        ("exact: true", "exact", True),
        ("mask: null", "mask", None),
        ("ease: {power: 2}", "ease", {"power": 2.0, "name": "x"}),
    ],
)
def test_a_value_of_the_right_type_is_taken(
    line: str, name: str, value: Any, write: Write, fake_stages: Registry
) -> None:
    assert blend_options(fake_stages, write(f"- use: blend/every\n  {line}"))[name] == value


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("strength: 2", "5:15: stage blend: option strength must be at most 1, got the number 2"),
        (
            "strength: -1",
            "5:15: stage blend: option strength must be at least 0, got the number -1",
        ),
        ("strength: '0.5'", "must be a number, got the text '0.5'"),
        ("strength: true", "must be a number, got true"),
        ("strength: .nan", "must be a finite number, got the number nan"),
        ("strength: 1e999", "must be a finite number"),
        ("strength: [1]", "must be a number, got a list of 1"),
        ("strength:", "must be a number, got nothing (null)"),
        ("passes: 2.5", "must be a whole number, got the number 2.5"),
        ("passes: 2.0", "must be a whole number, got the number 2.0"),
        ("passes: '2'", "must be a whole number, got the text '2'"),
        ("passes: two", "must be a whole number, got the text 'two'"),
        ("passes: true", "must be a whole number, got true"),
        (
            "kernel: cubik",
            "must be 'bilinear' or 'cubic', got the text 'cubik'. Did you mean cubic?",
        ),
        ("kernel: 3", "must be 'bilinear' or 'cubic', got the number 3"),
        (
            "threads: aut",
            "must be a whole number or 'auto', got the text 'aut'. Did you mean auto?",
        ),
        ("rate: fast", "must be a fraction such as 25"),
        ("rate: 1/0", "must be a fraction such as 25 or '30000/1001', got the text '1/0'"),
        ("size: 4", "must be a list, got the number 4"),
        ("size: [4]", "option size needs more values, got a list of 1"),
        (
            "size: [4, x]",
            "5:15: stage blend: option size.1 must be a whole number, got the text 'x'",
        ),
        ("size: [4, 5, 6]", "must be at most 2 long, got a list of 3"),
        ("label: 12", "must be text, got the number 12; put it in quotes"),
        ("label: true", "must be text, got true; put it in quotes"),
        ("label: a b", "option label: a label has no spaces, got the text 'a b'"),
        ("exact: yes", "must be true or false, got the text 'yes'"),
        ("exact: 1", "must be true or false, got the number 1"),
        ("mask: 3", "option mask must be text, got the number 3"),
        ("ease: {power: x}", "5:19: stage blend: option ease.power must be a number"),
        ("ease: {pwr: 1}", "5:12: stage blend: option ease has no key pwr; remove it"),
        ("ease: 3", "must be a mapping, got the number 3"),
        ("floor: 1", "4:10: stage blend: floor is at most strength"),
        (
            "strenth: 1",
            "5:5: stage blend (blend/every) has no option strenth. Did you mean strength?"
            " Available: ease, exact, floor,",
        ),
    ],
)
def test_a_wrong_option_says_what_is_wanted_and_what_was_found(
    line: str, says: str, write: Write, fake_stages: Registry
) -> None:
    text = complaint(fake_stages, write(f"- use: blend/every\n  {line}"))
    assert text.startswith("p.yaml:")
    assert says in text


def test_a_missing_option_is_asked_for_with_its_meaning(
    write: Write, fake_stages: Registry
) -> None:
    text = complaint(fake_stages, write("- use: stylize/plain"))
    assert text == (
        "p.yaml:4:10: stage stylize (stylize/plain) needs the option style (Which style);"
        " write it here"
    )


def test_a_typo_in_a_required_option_is_reported_as_the_typo(
    write: Write, fake_stages: Registry
) -> None:
    text = complaint(fake_stages, write("- use: stylize/plain\n  stile: x"))
    assert text.startswith("p.yaml:5:5: stage stylize (stylize/plain) has no option stile. Did")


def test_keyframes_are_read_and_followed(write: Write, fake_stages: Registry) -> None:
    path = write("- use: blend/every\n  strength: {at: {0s: 0, 1:00: 1}}\n  passes: 3")
    blend = load_pipeline(path, registry=fake_stages).stages[1]
    assert blend.keyframes == {"strength": Keyframes(((Fraction(0), 0.0), (Fraction(60), 1.0)))}
    assert blend.options.model_dump()["strength"] == 0.0
    half = options_at(blend.options, blend.keyframes, Fraction(30)).model_dump()
    assert (half["strength"], half["passes"]) == (0.5, 3)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("strength: {at: {0s: 0, 2s: 3}}", "p.yaml:5:32: stage blend: option strength must be"),
        ("strength: {at: {0s: 0, 2s: x}}", "p.yaml:5:32: stage blend: option strength must be a"),
        ("strength: {at: {0s: 1, 2: 0}}", "p.yaml:5:28: a key must be text, got 2"),
        ("strength: {0s: 1}", "p.yaml:5:16: stage blend: option strength has no key 0s"),
        (
            "passes: {at: {0s: 1}}",
            "p.yaml:5:13: stage blend: option passes cannot change over time; give one value."
            " Options that can: strength, floor",
        ),
        ("floor: {at: {0s: 0, 1s: 1}}", "p.yaml:4:10: stage blend: floor is at most strength"),
    ],
)
def test_bad_keyframes_are_refused_where_they_stand(
    line: str, says: str, write: Write, fake_stages: Registry
) -> None:
    text = complaint(fake_stages, write(f"- use: blend/every\n  {line}"))
    assert text.startswith(says)


def test_relative_paths_count_from_the_file_and_from_the_current_folder(
    write: Write, fake_stages: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = write("- use: blend/every\n  mask: images/m.png", "sub/p.yaml")
    assert blend_options(fake_stages, path)["mask"] == tmp_path / "sub" / "images" / "m.png"
    assert blend_options(fake_stages, path, "blend.mask=m.png")["mask"] == Path.cwd() / "m.png"
    assert blend_options(fake_stages, path, "blend.mask=/m.png")["mask"] == Path("/m.png")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stages: []", "p.yaml:1:1: the key version is missing"),
        ("version: 2\nstages: []", "p.yaml:1:10: version must be 1, got the number 2"),
        ("version: 1.0\nstages: []", "p.yaml:1:10: version must be 1, got the number 1.0"),
        ("version: true\nstages: []", "p.yaml:1:10: version must be 1, got true"),
        ("version: 1", "p.yaml:1:1: the key stages is missing"),
        ("version: 1\nstags: []", "p.yaml:2:1: a pipeline has no key stags. Did you mean stages?"),
        ("version: 1\nstages: {}", "p.yaml:2:9: stages wants a list"),
        ("version: 1\nstages: []", "p.yaml:2:9: stages wants a list"),
        ("version: 1\nstages: [a]", "p.yaml:2:10: a stage is written `- use: kind/name`, got the"),
        ("version: 1\nstages: [{us: a}]", "p.yaml:2:10: a stage needs the key use"),
        ("version: 1\nstages: [{use: dis}]", "p.yaml:2:16: use wants kind/name"),
        ("version: 1\nstages: [{use: 3}]", "p.yaml:2:16: use wants kind/name"),
        ("version: 1\nstages: [{use: ../x}]", "p.yaml:2:16: use wants kind/name"),
        ("version: 1\nstages: [{use: a/b, as: A.b}]", "p.yaml:2:25: as wants a name"),
        (
            "version: 1\nset: {}\nstages: [{use: decode/fake}, {use: encode/fake}]",
            "p.yaml:2:1: set",
        ),
        ("version: 1\nstages: [{use: decode/fake}]", "p.yaml:2:16: the last stage must be of kind"),
        ("version: 1\nstages: [{use: encode/fake}]", "p.yaml:2:16: the first stage must be of"),
    ],
)
def test_a_file_of_another_form_is_refused(
    text: str, says: str, write: Write, fake_stages: Registry
) -> None:
    assert any(line.startswith(says) for line in complaints(fake_stages, write(text, whole=True)))


@pytest.mark.parametrize(
    ("middle", "says"),
    [
        ("- use: decode/fake", "decode/fake is stage 2 of 3, but a stage of kind decode is the"),
        ("- use: encode/fake", "encode/fake is stage 2 of 3, but a stage of kind encode is the"),
        ("- use: blend/evrey", "there is no stage blend/evrey. Did you mean blend/every?"),
        ("- use: blend/every\n  as: encode", "the name encode is taken by another stage"),
        ("- use: filter/brighter\n  as: x\n- use: blend/every\n  as: x", "the name x is taken"),
        ("- use: filter/brighter\n  as: filter\n- use: filter/brighter", "the name filter is"),
        ("- use: filter/brighter\n  as: filter-1\n- use: filter/brighter", "the name filter-1 is"),
    ],
)
def test_order_and_names_are_checked(
    middle: str, says: str, write: Write, fake_stages: Registry
) -> None:
    text = complaint(fake_stages, write(middle))
    assert text.startswith("p.yaml:4:10: ")
    assert says in text


@pytest.mark.parametrize(
    ("line", "chunk"),
    [
        ("{least: 4, most: 8}", (4, 8)),
        ("{least: 300}", (300, 300)),
        ("{most: 10}", (10, 10)),
        ("{least: 1, most: 1}", (1, 1)),
    ],
)
def test_chunks_can_be_of_another_size(
    line: str, chunk: tuple[int, int], write: Write, fake_stages: Registry
) -> None:
    text = f"version: 1\nchunk: {line}\nqueue: 3\nstages: [use: decode/fake, use: encode/fake]"
    pipeline = load_pipeline(write(text, whole=True), registry=fake_stages)
    assert (pipeline.chunk, pipeline.queue) == (chunk, 3)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("chunk: 3", "chunk wants {least: 125, most: 250}, got the number 3"),
        ("chunk: {least: 9, most: 8}", "chunk.least must be at most chunk.most, got 9 and 8"),
        ("chunk: {least: 0}", "chunk.least must be a whole number from 1"),
        ("chunk: {most: true}", "chunk.most must be a whole number from 1"),
        ("chunk: {mosst: 3}", "chunk has no key mosst. Did you mean most?"),
        ("queue: 0", "queue must be a whole number from 1 to 256, got the number 0"),
        ("queue: auto", "queue must be a whole number from 1 to 256, got the text 'auto'"),
    ],
)
def test_bad_chunks_and_queues_are_refused(
    line: str, says: str, write: Write, fake_stages: Registry
) -> None:
    text = f"version: 1\n{line}\nstages: [use: decode/fake, use: encode/fake]"
    assert says in complaint(fake_stages, write(text, whole=True))


def test_all_that_is_wrong_is_reported_at_once_each_with_its_place(
    write: Write, fake_stages: Registry
) -> None:
    text = (
        "version: 2\n"
        "queu: 3\n"
        "stages:\n"
        "  - use: decode/fake\n"
        "  - use: filter/brigter\n"
        "  - use: blend/every\n"
        "    strength: many\n"
        "    passes: 1.5\n"
        "    stregth: 1\n"
        "  - use: encode/fake\n"
        "chunk: {least: 0}\n"
    )
    found = complaints(fake_stages, write(text, whole=True))
    assert [line.partition(" ")[0] for line in found] == [
        "p.yaml:1:10:",
        "p.yaml:2:1:",
        "p.yaml:5:10:",
        "p.yaml:7:15:",
        "p.yaml:8:13:",
        "p.yaml:9:5:",
        "p.yaml:11:16:",
    ]


def test_a_stage_that_cannot_be_read_does_not_hide_the_others(
    write: Write, fake_stages: Registry
) -> None:
    text = (
        "version: 1\nstages:\n  - us: decode/fake\n  - use: blend\n  - use: blend/every\n"
        "    passes: x\n  - use: encode/fake\n"
    )
    places = [line.partition(": ")[0] for line in complaints(fake_stages, write(text, whole=True))]
    assert places == ["p.yaml:3:5", "p.yaml:4:10", "p.yaml:6:13"]


def test_every_change_that_cannot_be_made_is_reported(write: Write, fake_stages: Registry) -> None:
    changes = ["blnd.strength=1", "blend.strength=x", "blend"]
    with pytest.raises(PipelineError) as caught:
        load_pipeline(write("- use: blend/every"), registry=fake_stages, overrides=changes)
    lines = str(caught.value).split("\n")
    assert len(lines) == 3
    assert {line.partition(": ")[0] for line in lines} == {f"--set {each}" for each in changes}


def test_keyframes_of_two_options_are_checked_both(write: Write, fake_stages: Registry) -> None:
    path = write("- use: blend/every\n  strength: {at: {x: 1}}\n  label: {at: {0s: a}}")
    found = complaints(fake_stages, path)
    assert len(found) == 2
    assert "x is not a time" in found[0]
    assert "option label cannot change over time" in found[1]


def test_keyframes_that_cannot_be_read_are_not_reported_as_missing(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: stylize/feedforward\n"
        "    style: {at: {0s: great-wave, soon: mosaic}}\n  - use: encode/pyav\n"
    )
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, registry=Registry([]))
    assert str(caught.value).removeprefix(f"{path}:").startswith("5:34: soon is not a time")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("strength", "kind", "places"),
    [("1", WeightsError, ["5:12"]), ("7", PipelineError, ["5:12", "7:15"])],
)
def test_a_style_that_is_not_there_is_reported_with_the_other_faults(
    tmp_path: Path, strength: str, kind: type[Exception], places: list[str]
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: stylize/feedforward\n"
        f"    style: nowhere\n  - use: blend/warped\n    strength: {strength}\n"
        "  - use: encode/pyav\n"
    )
    with pytest.raises(kind) as caught:
        load_pipeline(path, registry=Registry([]))
    lines = str(caught.value).replace(f"{path}:", "").split("\n")
    assert [line.partition(": ")[0] for line in lines] == places
    assert lines[0].startswith("5:12: stage stylize: there is no style nowhere")
