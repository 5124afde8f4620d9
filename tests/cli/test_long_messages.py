"""Whatever a plugin raises, and wherever: one line that somebody reads, and the right exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.cli.main import run_command

STAGE = """\
from pydantic import field_validator

from vidstyle.core import NOW, BaseStage, Needs, StageOptions

PLACE = {place!r}


def fail(place):
    if place == PLACE:
        raise ValueError("word " * 10_000)


class Options(StageOptions):
    level: int = 0

    @field_validator("level")
    @classmethod
    def _check(cls, level):
        fail("option")
        return level


class Failing(BaseStage[Options]):
    Options = Options
    needs = Needs(reads={{"image": NOW}}, writes=("image",))

    def __init__(self, options):
        super().__init__(options)
        fail("init")

    def describe(self, clip):
        fail("describe")
        return clip

    def open(self, clip, context):
        fail("open")

    def step(self, window, state):
        fail("step")
        return {{"image": window.now.host("image")}}, None

    def close(self):
        fail("close")


fail("import")
STAGE = Failing
"""
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/failing
    level: 1
  - use: encode/pyav
"""
CODES = {
    "import": 5,
    "option": 2,
    **dict.fromkeys(("init", "describe", "open", "step", "close"), 10),
}


@pytest.mark.parametrize("place", CODES)
def test_a_long_message_of_a_plugin_is_one_short_line(folder, write_clip, capfd, place) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "plugins" / "filter").mkdir(parents=True)
    (folder / "plugins" / "filter" / "failing.py").write_text(STAGE.format(place=place))
    (folder / "p.yaml").write_text(PIPELINE)
    write_clip(folder / "in.mp4", count=3)
    call = ["run", "p.yaml", "in.mp4", "-o", "out.mp4", "--plugins", "plugins"]
    assert run_command(call) == CODES[place]
    lines = capfd.readouterr().err.splitlines()
    assert max(map(len, lines)) < 600
    assert "word word" in lines[-1]
    assert "all of it with --debug" in lines[-1]
    assert sum("vidstyle: " in line for line in lines) == 1


def test_what_closing_raises_does_not_hide_why_a_run_failed(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "plugins" / "filter").mkdir(parents=True)
    text = STAGE.format(place="close").replace('fail("step")', 'raise ValueError("the first")')
    (folder / "plugins" / "filter" / "failing.py").write_text(text)
    (folder / "p.yaml").write_text(PIPELINE)
    write_clip(folder / "in.mp4", count=3)
    call = ["run", "p.yaml", "in.mp4", "-o", "out.mp4", "--plugins", "plugins"]
    assert run_command(call) == 10
    assert "ValueError: the first" in capfd.readouterr().err
    assert not (folder / "out.mp4").exists()


def test_a_long_message_fits_the_list_of_stages(folder: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "plugins" / "filter").mkdir(parents=True)
    (folder / "plugins" / "filter" / "failing.py").write_text(STAGE.format(place="import"))
    assert run_command(["stages", "list", "--plugins", "plugins"]) == 0
    out = capfd.readouterr().out
    # Where lines break, its path may stand on one of its own.
    (line,) = (line for line in out.splitlines() if line.startswith("filter/failing"))
    assert len(line) < 600
