"""Keep the colors of the source: only light and dark come from the stylized image."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    HostArray,
    Layers,
    Needs,
    StageOptions,
    State,
    Window,
    keyframed,
)
from vidstyle.imaging.luminance import match_luma, with_luma


class KeepColorsOptions(StageOptions):
    strength: float = keyframed(
        1.0,
        ge=0,
        le=1,
        description="How much of the colors is the source's. 0 leaves the image unchanged.",
    )
    luminance: Literal["style_image", "matched"] = Field(
        "style_image",
        description="matched gives light and dark the mean and the contrast of the source,"
        " frame by frame.",
    )


class KeepColors(BaseStage[KeepColorsOptions]):
    """Restores the colors of the source; only light and dark stay stylized (Gatys et al. 2016).

    The luma of the image with the chroma of the source, in Y'IQ as published. Colors outside of
    [0, 1] are paled. At strength 0 every frame passes bit for bit.
    """

    Options = KeepColorsOptions
    needs = Needs(reads={"image": NOW, "source": NOW}, writes=("image",))

    def step(self, window: Window[KeepColorsOptions], state: State) -> tuple[Layers, State]:
        image, options = window.now.host("image"), window.options
        if options.strength == 0:
            return {"image": image}, None
        colored = _transfer_colors(image, window.now.host("source"), options)
        if options.strength < 1:
            colored = image + np.float32(options.strength) * (colored - image)
        return {"image": np.clip(colored, 0, 1, out=colored)}, None


def _transfer_colors(image: HostArray, source: HostArray, options: KeepColorsOptions) -> HostArray:
    luma = _luma(image)
    if options.luminance == "matched":
        luma = match_luma(luma, _luma(source))
    return with_luma(source, luma)


def _luma(image: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


STAGE = KeepColors
