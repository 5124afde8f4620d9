"""Give frames their full size back, with the source's detail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vidstyle.core import (
    NOW,
    Clip,
    GeometryStage,
    HostArray,
    Layers,
    Needs,
    State,
    Window,
    keyframed,
)
from vidstyle.core.layers import full_layer
from vidstyle.imaging.mask_options import MaskOptions
from vidstyle.imaging.strokes import DETAIL_MEMORY, restore_detail


class RestoreOptions(MaskOptions):
    strength: float = keyframed(
        1.0, ge=0, le=1, description="Weight of the stylized image. 0 gives the source."
    )


class RestoreFrames(GeometryStage[RestoreOptions]):
    """Gives frames the size back that they had before ``geometry/reduce``, and their detail.

    ``source + strength · mask · (enlarged - source)``, at full size: at strength 0, and where the
    mask is 0, the source comes out bit for bit. Stands behind the blend. Layers that have been
    computed at the smaller size, such as flow, end here; side inputs and transparency are again as
    they were. Where frames were not reduced the image passes.

    The enlarged image gets the luma that the smaller source has lost, weighted by how contrasts
    have changed in the neighborhood (``imaging.strokes``).
    """

    Options = RestoreOptions

    def __init__(
        self, options: RestoreOptions, layers: Sequence[str] = ("source", "image")
    ) -> None:
        super().__init__(options, layers)
        self._kept = tuple(name for name in layers if name != "image")
        reads = ["image", "source", *map(full_layer, self._kept)]
        if options.mask is not None:
            # The smaller one is not used; who names it needs it.
            reads += [options.mask, full_layer(options.mask)]
        self.needs = Needs(
            reads=dict.fromkeys(reads, NOW), writes=tuple(layers), geometry=True, restores=True
        )

    def describe(self, clip: Clip) -> Clip:
        width, height = clip.full_size or (clip.width, clip.height)
        return replace(clip, width=width, height=height, full_size=None)

    def memory(self, clip: Clip, context: object) -> int:
        return 0 if clip.full_size is None else DETAIL_MEMORY * math.prod(clip.full_size)

    def reshape(self, layer: HostArray, options: RestoreOptions) -> HostArray:
        # Other layers are there at full size.
        return layer

    def step(self, window: Window[RestoreOptions], state: State) -> tuple[Layers, State]:
        now = window.now
        written = {name: now.host(full_layer(name)) for name in self._kept}
        source, options = now.host(full_layer("source")), window.options
        if options.strength == 0:
            return {**written, "image": source}, None
        image = restore_detail(now.host("image"), now.host("source"), source)
        mask = None if options.mask is None else now.host(full_layer(options.mask))
        return {**written, "image": options.mix(source, image, options.strength, mask)}, None


STAGE = RestoreFrames
