from __future__ import annotations

from vidstyle.cli.option_groups import FrameOptions, StyleOptions, changes_of
from vidstyle.runner.config.changes import TypedOverride, TypedStage


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
