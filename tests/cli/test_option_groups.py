from __future__ import annotations

import inspect
from typing import get_args

from vidstyle.cli.option_groups import FrameOptions, StyleOptions, changes_of, with_groups
from vidstyle.runner.config.pipeline_file import TypedOverride, TypedStage


def test_a_group_becomes_options_and_reaches_the_command_filled() -> None:
    seen: list[object] = []

    def command(clip: str, *, look: StyleOptions, json: bool = False) -> None:
        seen.extend([clip, look, json])

    spread = with_groups(command)
    names = list(inspect.signature(spread).parameters)
    assert names == ["clip", "style", "strength", "stroke_size", "consistency", "json"]
    spread(clip="a", style=["mosaic"], strength=0.5, stroke_size=None, consistency=None, json=True)
    assert seen == ["a", StyleOptions(style=["mosaic"], strength=0.5), True]


def test_the_options_of_a_group_have_its_title() -> None:
    def command(*, frame: FrameOptions) -> None:
        raise AssertionError(frame)

    parameters = inspect.signature(with_groups(command)).parameters.values()
    panels = {get_args(each.annotation)[1].rich_help_panel for each in parameters}
    assert panels == {"Frames"}


def test_changes_apply_in_the_order_of_the_groups() -> None:
    look = StyleOptions(style=["mosaic"], consistency=1.0)
    found = changes_of(["blend.smoothing=1"], look, FrameOptions(size="50%", keep_colors=True))
    assert found == [
        "blend.smoothing=1",
        TypedOverride('stylize.style="mosaic"', "--style mosaic"),
        TypedOverride("blend.strength=1", "--consistency 1"),
        TypedStage("geometry/scale", {"size": "50%"}, "--size 50%", first=True),
        TypedStage("filter/keep-colors", {}, "--keep-colors", first=False),
    ]
