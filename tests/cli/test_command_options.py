"""Functions become commands: their groups of options are spread, and have sections in the help."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import pytest

from vidstyle.cli.command_options import as_command
from vidstyle.cli.option_groups import FrameOptions, StyleOptions
from vidstyle.cli.terminal import is_quiet, set_quiet


def test_a_group_becomes_options_and_reaches_the_command_filled() -> None:
    seen: list[object] = []

    def command(clip: str, *, look: StyleOptions, json: bool = False) -> None:
        seen.extend([clip, look, json])

    spread = as_command(command)
    names = list(inspect.signature(spread).parameters)
    assert names == ["clip", "style", "strength", "stroke_size", "consistency", "json"]
    spread(clip="a", style=["mosaic"], strength=0.5, stroke_size=None, consistency=None, json=True)
    assert seen == ["a", StyleOptions(style=["mosaic"], strength=0.5), True]


def test_the_options_of_a_group_have_its_title() -> None:
    def command(*, frame: FrameOptions) -> None:
        raise AssertionError(frame)

    parameters = inspect.signature(as_command(command)).parameters.values()
    panels = {get_args(each.annotation)[1].rich_help_panel for each in parameters}
    assert panels == {"Frames"}


def test_a_section_can_only_name_parameters() -> None:
    def command(**values: Any) -> None: ...

    with pytest.raises(KeyError, match="absent"):
        as_command(command, {"Title": ("absent",)})


def test_quiet_is_set_and_does_not_reach_the_command() -> None:
    seen: list[bool] = []

    def command(*, json: bool = False) -> None:
        seen.append(is_quiet())

    try:
        for wanted in (True, False):
            as_command(command, quiet=True)(json=True, quiet=wanted)
    finally:
        set_quiet(False)
    assert seen == [True, False]
