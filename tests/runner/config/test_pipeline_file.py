from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.pipeline_file import read_pipeline_file

Write: TypeAlias = Callable[..., Path]
BLEND = "- use: blend/every\n  strength: 0.5\n  mask: m.png"


def strength(registry: Registry, path: Path, *overrides: str) -> float:
    pipeline = load_pipeline(path, registry=registry, overrides=overrides)
    return float(pipeline.stages[1].options.model_dump()["strength"])


def child(write: Write, lines: str = "", name: str = "child.yaml", base: str = "p.yaml") -> Path:
    return write(f"version: 1\nextends: {base}\n{lines}", name, whole=True)


def test_a_child_inherits_what_it_does_not_say(write: Write, fake_stages: Registry) -> None:
    write(BLEND)
    assert strength(fake_stages, child(write)) == 0.5


def test_set_changes_single_options_and_the_command_line_comes_last(
    write: Write, fake_stages: Registry
) -> None:
    write(BLEND)
    middle = child(write, "set: {blend.strength: 0.25}", "middle.yaml")
    last = child(write, "set: {blend.strength: 0.75}", "last.yaml", "middle.yaml")
    assert strength(fake_stages, middle) == 0.25
    assert strength(fake_stages, last) == 0.75
    assert strength(fake_stages, last, "blend.strength=0.1") == 0.1


def test_stages_of_a_child_replace_the_list_whole(write: Write) -> None:
    write(BLEND)
    path = child(write, "stages: [use: decode/fake, use: encode/fake]\nchunk: {least: 4, most: 8}")
    written = read_pipeline_file(path)
    assert [stage.use for stage in written.stages] == ["decode/fake", "encode/fake"]
    grandchild = read_pipeline_file(child(write, "queue: 3", "g.yaml", "child.yaml"))
    assert (grandchild.chunk, grandchild.queue) == ((4, 8), 3)


def test_paths_count_from_the_file_that_holds_them(
    write: Write, fake_stages: Registry, tmp_path: Path
) -> None:
    write(BLEND, "sub/base.yaml")
    path = child(write, base="sub/base.yaml")
    options = load_pipeline(path, registry=fake_stages).stages[1].options.model_dump()
    assert options["mask"] == tmp_path / "sub" / "m.png"
    path = child(write, "set: {blend.mask: n.png}", base="sub/base.yaml")
    options = load_pipeline(path, registry=fake_stages).stages[1].options.model_dump()
    assert options["mask"] == tmp_path / "n.png"


def test_an_error_names_the_file_that_it_stands_in(write: Write, fake_stages: Registry) -> None:
    base = write("- use: blend/every\n  strength: 2")
    path = child(write)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, registry=fake_stages)
    assert str(caught.value).startswith(f"{base}:5:15: ")
    path = child(write, "set:\n  blend.strength: 3")
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path, registry=fake_stages)
    assert str(caught.value).startswith(f"{path}:4:19: ")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("set: {blnd.strength: 1}", "the pipeline has no stage blnd. Did you mean blend?"),
        ("set: {strength: 1}", "names stage.option, got strength"),
        ("set: [1]", "set wants a mapping"),
        ("set: {blend.strenth: 1}", "has no option strenth"),
    ],
)
def test_a_bad_set_is_refused(lines: str, says: str, write: Write, fake_stages: Registry) -> None:
    write(BLEND)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(child(write, lines), registry=fake_stages)
    assert says in str(caught.value)
    assert str(caught.value).partition(":")[0].endswith("child.yaml")


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../p.yaml", "sub/../../p.yaml", "'..\\p.yaml'", "'C:\\p.yaml'", "'C:p.yaml'"],
)
def test_a_base_elsewhere_is_refused_by_its_name(name: str, write: Write) -> None:
    write(BLEND, "inner/p.yaml")
    write(BLEND)
    with pytest.raises(PipelineError, match="of the pipeline's own folder only") as caught:
        read_pipeline_file(child(write, name="inner/child.yaml", base=name))
    assert "child.yaml:2:10: " in str(caught.value)


def test_links_that_lead_out_are_refused_and_others_are_not(write: Write, tmp_path: Path) -> None:
    outside = write(BLEND, "outside/p.yaml")
    write(BLEND, "inner/real.yaml")
    (tmp_path / "inner" / "out.yaml").symlink_to(outside)
    (tmp_path / "inner" / "folder").symlink_to(outside.parent)
    (tmp_path / "inner" / "link.yaml").symlink_to("real.yaml")
    (tmp_path / "inner" / "round.yaml").symlink_to("round.yaml")
    for name in ("out.yaml", "folder/p.yaml"):
        with pytest.raises(PipelineError, match="which leads out of it"):
            read_pipeline_file(child(write, name="inner/child.yaml", base=name))
    with pytest.raises(PipelineError):
        read_pipeline_file(child(write, name="inner/child.yaml", base="round.yaml"))
    assert read_pipeline_file(child(write, name="inner/child.yaml", base="link.yaml")).stages


def test_a_base_below_may_not_climb_back_out(write: Write, tmp_path: Path) -> None:
    write(BLEND)
    child(write, name="inner/sub/middle.yaml", base="up/p.yaml")
    (tmp_path / "inner" / "sub" / "up").symlink_to(tmp_path)
    with pytest.raises(PipelineError, match=r"middle\.yaml:2:10: .*leads out of it"):
        read_pipeline_file(child(write, name="inner/child.yaml", base="sub/middle.yaml"))


@pytest.mark.parametrize("base", ["child.yaml", "other.yaml"])
def test_circles_are_refused(base: str, write: Write) -> None:
    child(write, name="other.yaml", base="child.yaml")
    with pytest.raises(PipelineError, match="extends itself, directly or in a circle"):
        read_pipeline_file(child(write, base=base))


def test_a_long_chain_is_refused(write: Write) -> None:
    for number in range(40):
        child(write, name=f"{number}.yaml", base=f"{number + 1}.yaml")
    write(BLEND, "40.yaml")
    with pytest.raises(PipelineError, match="more than 16 files"):
        read_pipeline_file(child(write, base="0.yaml"))
    assert read_pipeline_file(child(write, base="30.yaml")).stages


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("pp.yaml", r"there is no file pp\.yaml\. Did you mean p\.yaml\?"),
        ("3", "extends wants the name of a file, got the number 3"),
        ("''", "extends wants the name of a file"),
        ("[p.yaml]", "extends wants the name of a file, got a list of 1"),
        (".", "there is no file"),
    ],
)
def test_a_base_that_is_no_file_is_refused(base: str, says: str, write: Write) -> None:
    write(BLEND)
    with pytest.raises(PipelineError, match=says):
        read_pipeline_file(child(write, base=base))
