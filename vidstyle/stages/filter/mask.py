"""Keep the source outside of a mask."""

from __future__ import annotations

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
    layer_or_file,
)
from vidstyle.core.errors import PipelineError


class MaskFilterOptions(StageOptions):
    mask: str | None = layer_or_file(
        description="Where the image stays: an image or video that is white there (or opaque, if it"
        " has transparency), or the name of a layer, such as a side input."
    )
    invert: bool = Field(False, description="Keep the source where the mask is white.")


class MaskFilter(BaseStage[MaskFilterOptions]):
    """Keeps the source where a mask is black. Stands behind the blend, which mixes what it gets.

    ``source + mask · (image - source)``: where the mask is 0 the result is the source, and where it
    is 1 the image, bit for bit.
    """

    Options = MaskFilterOptions

    def __init__(self, options: MaskFilterOptions) -> None:
        super().__init__(options)
        if options.mask is None:
            raise PipelineError("filter/mask needs a mask, as in `mask: face.png`")
        self._mask = options.mask
        self.needs = Needs(
            reads={"image": NOW, "source": NOW, options.mask: NOW}, writes=("image",)
        )

    def step(self, window: Window[MaskFilterOptions], state: State) -> tuple[Layers, State]:
        image, source = window.now.host("image"), window.now.host("source")
        mask = window.now.host(self._mask)
        if mask.shape != image.shape[:2]:
            raise ValueError(
                f"the mask {self._mask} must be one value a pixel, {image.shape[:2]}, got"
                f" {mask.shape}"
            )
        return {"image": _masked(image, source, 1 - mask if window.options.invert else mask)}, None


def _masked(image: HostArray, source: HostArray, mask: HostArray) -> HostArray:
    weight = mask[..., np.newaxis]
    # Exact at both ends.
    return np.asarray(image * weight + source * (1 - weight), np.float32)


STAGE = MaskFilter
