"""Paint each picture by one pass through a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    Layers,
    Needs,
    Place,
    StageOptions,
    State,
    Window,
)
from vidstyle.models.styles import find_style

if TYPE_CHECKING:
    import torch


class FeedForwardOptions(StageOptions):
    style: str = Field(description="A name of `vidstyle styles list`, or a style file.")


class FeedForward(BaseStage[FeedForwardOptions]):
    """Paints ``image`` in a trained style: the feed-forward network of Johnson et al. (2016).

    Any picture size; the result is clamped to [0, 1]. A style that is missing, damaged or of
    an unknown architecture raises WeightsError before the first frame.
    """

    Options = FeedForwardOptions
    needs = Needs(reads={"image": NOW}, writes=("image",), home="device")

    def describe(self, clip: Clip) -> Clip:
        # Found here, so that a plan already names a style that is not there.
        find_style(self.options.style)
        return clip

    def open(self, clip: Clip, place: Place) -> None:
        import torch

        from vidstyle.models.style_file import load_style

        style = load_style(find_style(self.options.style))
        network = style.module.to(place.device)
        self._network = network.to(memory_format=torch.channels_last)

    def step(self, window: Window[FeedForwardOptions], state: State) -> tuple[Layers, State]:
        return {"image": self._paint(window.now.tensor("image"))}, None

    def _paint(self, picture: torch.Tensor) -> torch.Tensor:
        import torch

        from vidstyle.models.johnson import paint

        with torch.inference_mode():
            return paint(self._network, picture[None])[0]


STAGE = FeedForward
