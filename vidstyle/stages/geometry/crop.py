"""Cut off the edges of frames."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from pydantic import Field

from vidstyle.core import Clip, GeometryStage, HostArray, Planes, StageOptions
from vidstyle.core.errors import PipelineError
from vidstyle.core.planes import Samples8
from vidstyle.stages.geometry.aspect import Aspect, aspect_of


class CropOptions(StageOptions):
    left: int = Field(0, ge=0, description="Pixels that are cut off on the left.")
    top: int = Field(0, ge=0, description="Pixels that are cut off above.")
    right: int = Field(0, ge=0, description="Pixels that are cut off on the right.")
    bottom: int = Field(0, ge=0, description="Pixels that are cut off below.")
    aspect: Aspect = Field(
        None,
        description="Shape of what is left, as in 16:9: as much again is cut off on both sides.",
    )


class CropFrames(GeometryStage[CropOptions]):
    """Cuts the edges off frames, masks and transparency. Stands before stages that compute flow.

    What is left has an even width and height where that takes one pixel more: many codecs want it.
    The shape is that in which frames are shown.
    """

    Options = CropOptions

    def describe(self, clip: Clip) -> Clip:
        rows, columns = self._find(clip)
        return replace(clip, width=columns.stop - columns.start, height=rows.stop - rows.start)

    def open(self, clip: Clip, context: object) -> None:
        self._rows, self._columns = self._find(clip)

    def reshape(self, layer: HostArray, options: CropOptions) -> HostArray:
        return np.ascontiguousarray(layer[self._rows, self._columns])

    def reshape_planes(self, planes: Planes, options: CropOptions) -> tuple[Samples8, ...] | None:
        rows, columns = self._rows, self._columns
        across, down = planes.format.chroma
        if columns.start % across or rows.start % down:
            return None
        luma, *chroma = planes.samples
        below = slice(rows.start // down, -(-rows.stop // down))
        beside = slice(columns.start // across, -(-columns.stop // across))
        return luma[rows, columns], *(plane[below, beside] for plane in chroma)

    def _find(self, clip: Clip) -> tuple[slice, slice]:
        options = self.options
        width = clip.width - options.left - options.right
        height = clip.height - options.top - options.bottom
        if width < 2 or height < 2:
            raise PipelineError(
                f"geometry/crop leaves nothing of frames of {clip.width}x{clip.height}"
            )
        wanted_width, wanted_height = width, height
        if options.aspect is not None:
            # In pixels of the file, which may not be square.
            shape = aspect_of(options.aspect) / clip.sample_aspect
            if Fraction(width, height) > shape:
                wanted_width = max(2, round(height * shape))
            else:
                wanted_height = max(2, round(width / shape))
        wanted_width -= wanted_width % 2
        wanted_height -= wanted_height % 2
        left = options.left + (width - wanted_width) // 2
        top = options.top + (height - wanted_height) // 2
        return slice(top, top + wanted_height), slice(left, left + wanted_width)


STAGE = CropFrames
