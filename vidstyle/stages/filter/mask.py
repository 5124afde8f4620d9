"""Keep the source outside of a mask."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
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
        reads = {"image": NOW, "source": NOW}
        if options.mask is not None:
            reads[options.mask] = NOW
        self.needs = Needs(reads=reads, writes=("image",))

    def describe(self, clip: Clip) -> Clip:
        if self.options.mask is None:
            raise PipelineError(
                "filter/mask needs a mask, as in `mask: face.png` or --mask face.png"
            )
        return clip

    def step(self, window: Window[MaskFilterOptions], state: State) -> tuple[Layers, State]:
        image, source = window.now.host("image"), window.now.host("source")
        name = window.options.mask
        assert name is not None
        mask = window.now.host(name)
        if mask.shape != image.shape[:2]:
            raise ValueError(
                f"the mask {name} must be one value a pixel, {image.shape[:2]}, got {mask.shape}"
            )
        return {"image": _masked(image, source, 1 - mask if window.options.invert else mask)}, None


def _masked(image: HostArray, source: HostArray, mask: HostArray) -> HostArray:
    weight = mask[..., np.newaxis]
    # Exact at both ends.
    return np.asarray(image * weight + source * (1 - weight), np.float32)


STAGE = MaskFilter
