from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config import shipped
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.pipeline_file import read_pipeline_file
from vidstyle.runner.config.shipped import shipped_pipelines

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


def test_a_style_of_a_name_is_a_file_where_one_lies_beside(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def style(path: Path, *overrides: str) -> object:
        stages = load_pipeline(path, registry=Registry(), overrides=overrides).stages
        [entry] = [entry for entry in stages if entry.kind == "stylize"]
        points = entry.keyframes["style"].points if entry.keyframes else None
        return points or entry.options.model_dump()["style"]

    beside, above = tmp_path / "sub" / "mine.safetensors", tmp_path / "mine.safetensors"
    write("", "sub/mine.safetensors", whole=True)
    for text, wanted in (
        ("mine.safetensors", str(beside)),
        ("../sub/mine.safetensors", str(tmp_path / "sub" / ".." / "sub" / "mine.safetensors")),
        # A name stays for the stage to find.
        ("great-wave", "great-wave"),
        ("[mine.safetensors, b.jpg]", (str(beside), "b.jpg")),
        ("{mine.safetensors: 0.75, great-wave: 0.25}", {str(beside): 0.75, "great-wave": 0.25}),
    ):
        lines = f"set:\n  stylize.style: {text}"
        assert style(child(write, lines, "sub/p.yaml", "per-frame")) == wanted
    lines = "set: {stylize.style: {at: {0s: mine.safetensors, 1s: great-wave}}}"
    [(_, first), _] = style(child(write, lines, "sub/p.yaml", "per-frame"))  # type: ignore[misc]  # keyframes
    assert first == {str(beside): 1, "great-wave": 0}
    twice = "set: {stylize.style: {mine.safetensors: 1, ./mine.safetensors: 2}}"
    with pytest.raises(PipelineError, match=r"\./mine\.safetensors is the same file as another"):
        style(child(write, twice, "sub/p.yaml", "per-frame"))
    # The command line counts from the current folder, as it is typed.
    write("", "mine.safetensors", whole=True)
    monkeypatch.chdir(tmp_path)
    path = child(write, "", "sub/p.yaml", "per-frame")
    assert style(path, "stylize.style=mine.safetensors") == "mine.safetensors"
    assert above.is_file()


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
        ("3", "extends wants the name of a file or a pipeline, got the number 3"),
        ("''", "extends wants the name of a file"),
        ("[p.yaml]", "extends wants the name of a file or a pipeline, got a list of 1"),
        ("temprol", r":2:10: there is no pipeline temprol\. Did you mean temporal\? Shipped: "),
        ("p", r"there is no pipeline p\. Did you mean the file p\.yaml\? Shipped: "),
        (".", "there is no file"),
    ],
)
def test_a_base_that_is_no_file_is_refused(base: str, says: str, write: Write) -> None:
    write(BLEND)
    with pytest.raises(PipelineError, match=says):
        read_pipeline_file(child(write, base=base))


def test_a_shipped_pipeline_is_extended_by_its_name(write: Write) -> None:
    path = child(write, "set: {blend.strength: 0.5}", base="temporal", name="sub/temporal.yaml")
    loaded = load_pipeline(path, registry=Registry())
    base = load_pipeline(shipped_pipelines()["temporal"], registry=Registry())
    assert [stage.use for stage in loaded.stages] == [stage.use for stage in base.stages]
    changed = [
        stage.name
        for stage, other in zip(loaded.stages, base.stages, strict=True)
        if stage.options != other.options
    ]
    assert changed == ["blend"]


def test_a_file_of_that_name_comes_before_a_shipped_pipeline(
    write: Write, fake_stages: Registry, tmp_path: Path
) -> None:
    # As on the command line: a folder of that name is none.
    (tmp_path / "per-frame").mkdir()
    assert load_pipeline(child(write, base="per-frame"), registry=Registry()).stages
    write(BLEND, "temporal")
    assert strength(fake_stages, child(write, base="temporal")) == 0.5


def test_a_link_of_a_shipped_name_does_not_lead_out(write: Write, tmp_path: Path) -> None:
    outside = write(BLEND, "outside/p.yaml")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "temporal").symlink_to(outside)
    with pytest.raises(PipelineError, match="which leads out of it"):
        read_pipeline_file(child(write, name="inner/child.yaml", base="temporal"))


def test_a_shipped_pipeline_that_extends_itself_is_a_circle(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "package" / "pipelines"
    monkeypatch.setattr(shipped.shipped_folder, "__defaults__", (tmp_path / "package",))
    child(write, name="package/pipelines/one.yaml", base="two")
    child(write, name="package/pipelines/two.yaml", base="one")
    with pytest.raises(PipelineError, match=r"two\.yaml:2:10: one extends itself") as caught:
        read_pipeline_file(child(write, base="one"))
    assert str(caught.value).startswith(str(folder))


ADDED = """
add:
  - after: decode
    stages:
      - use: filter/brighter
        amount: 0.25
  - before: encode
    stages:
      - {use: filter/brighter, as: last}
      - {use: blend/every, as: again}
  - after: last
    stages: [{use: filter/brighter, as: third}]
set: {last.amount: 0.5, blend.strength: 0.75, brighter.amount: 1}
"""


def test_stages_are_added_beside_named_ones_before_set_changes_them(
    write: Write, fake_stages: Registry
) -> None:
    write(BLEND)
    path = child(write, ADDED)
    stages = load_pipeline(path, registry=fake_stages, overrides=["third.amount=2"]).stages
    names = ["decode", "brighter", "blend", "last", "third", "again", "encode"]
    assert [stage.name for stage in stages] == names
    amounts = {s.name: s.options.model_dump().get("amount") for s in stages if s.kind == "filter"}
    assert amounts == {"brighter": 1, "last": 0.5, "third": 2}
    assert stages[2].options.model_dump()["strength"] == 0.75
    # The inherited file itself is as it was, and a grandchild adds to all of them.
    last = child(
        write, "add: [{before: again, stages: [use: stylize/plain]}]", "g.yaml", "child.yaml"
    )
    written = [stage.name for stage in read_pipeline_file(last).stages]
    assert written == [*names[:5], "plain", *names[5:]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3", ":3:6: add wants a list of {before: encode, stages: [use: filter/keep-colors]}"),
        ("[3]", ":3:7: an item of add is written {before: "),
        ("[{before: encode}]", "wants stages, and before or after"),
        ("[{stages: [use: filter/brighter]}]", "wants stages, and before or after"),
        ("[{before: a, after: b, stages: []}]", "wants stages, and before or after"),
        ("[{befor: a, stages: []}]", ":3:8: an item of add has no key befor. Did you mean before?"),
        ("[{before: encode, stages: []}]", "stages wants a list such as"),
        ("[{before: 3, stages: [use: a/b]}]", "before wants the name of a stage, got the number 3"),
        ("[{before: blnd, stages: [use: a/b]}]", ":3:16: the pipeline has no stage blnd. Did you"),
        ("[{before: decode, stages: [use: a/b]}]", "no stage can be before decode"),
        ("[{after: encode, stages: [use: a/b]}]", "no stage can be after encode"),
        ("[{after: blend, stages: [use: encode/fake]}]", "encode/fake cannot be added"),
        ("[{after: blend, stages: [use: blur]}]", "use wants kind/name"),
        ("[{after: blend, stages: [{use: a/b, as: blend}]}]", "the name blend is taken by another"),
        ("[{after: blend, stages: [use: a/b, use: c/b]}]", "the name b is taken by another"),
        ("[{after: blend, stages: [use: filter/brightr]}]", "there is no stage filter/brightr"),
    ],
)
def test_a_bad_addition_is_refused(
    text: str, says: str, write: Write, fake_stages: Registry
) -> None:
    write(BLEND)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(child(write, f"add: {text}"), registry=fake_stages)
    assert says in str(caught.value)
    assert "child.yaml:3:" in str(caught.value)


def test_every_addition_and_side_input_that_is_wrong_is_reported(write: Write) -> None:
    write(BLEND)
    path = child(
        write,
        "inputs: {mask: m.png, cut: m.png, flow: m.png}\n"
        "add:\n"
        "  - {before: encode, after: decode, stages: [use: filter/fake]}\n"
        "  - {after: nothing, stages: [use: filter/fake]}\n",
    )
    with pytest.raises(PipelineError) as caught:
        read_pipeline_file(path)
    lines = str(caught.value).split("\n")
    assert [line.removeprefix(f"{path}:").split(": ")[0] for line in lines] == [
        "3:23",
        "3:35",
        "5:5",
        "6:13",
    ]


def test_add_needs_something_to_add_to(write: Write) -> None:
    path = write("version: 1\nadd: []\nstages: [use: decode/fake, use: encode/fake]", whole=True)
    with pytest.raises(PipelineError, match=":2:1: add needs extends"):
        read_pipeline_file(path)
