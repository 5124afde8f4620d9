"""Paint with the colours of the source: only light and dark come from the painting."""

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
from vidstyle.imaging.luminance import matched, with_luma


class KeepColoursOptions(StageOptions):
    strength: float = keyframed(
        1.0,
        ge=0,
        le=1,
        description="1: all colours are the source's; 0: the painting as it is.",
    )
    luminance: Literal["painting", "matched"] = Field(
        "painting",
        description="'matched' gives the painting's light and dark the mean and the contrast of the"
        " source, frame by frame.",
    )


class KeepColours(BaseStage[KeepColoursOptions]):
    """Gives ``image`` the colours of ``source``: luminance transfer (Gatys et al. 2016).

    The luma of the painting with the chroma of the source, in Y'IQ as published. Colours that do
    not fit in [0, 1] are paled. At strength 0 every frame passes bit for bit.
    """

    Options = KeepColoursOptions
    needs = Needs(reads={"image": NOW, "source": NOW}, writes=("image",))

    def step(self, window: Window[KeepColoursOptions], state: State) -> tuple[Layers, State]:
        image, options = window.now.host("image"), window.options
        if options.strength == 0:
            return {"image": image}, None
        coloured = _coloured(image, window.now.host("source"), options)
        if options.strength < 1:
            coloured = image + np.float32(options.strength) * (coloured - image)
        return {"image": np.clip(coloured, 0, 1, out=coloured)}, None


def _coloured(image: HostArray, source: HostArray, options: KeepColoursOptions) -> HostArray:
    luma = _luma(image)
    if options.luminance == "matched":
        luma = matched(luma, _luma(source))
    return with_luma(source, luma)


def _luma(picture: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


STAGE = KeepColours
