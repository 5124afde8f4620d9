"""Put edges around frames."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import Clip, Color, GeometryStage, HostArray, Planes, StageOptions
from vidstyle.core.planes import Samples8
from vidstyle.media.from_rgb import code_matrix
from vidstyle.stages.geometry.aspect import Aspect, aspect_of

Part = Annotated[float, Field(ge=0, le=1)]
Edge = Annotated[int, Field(ge=0, le=8192)]


class PadOptions(StageOptions):
    left: Edge = Field(0, description="Pixels that are added on the left.")
    top: Edge = Field(0, description="Pixels that are added above.")
    right: Edge = Field(0, description="Pixels that are added on the right.")
    bottom: Edge = Field(0, description="Pixels that are added below.")
    aspect: Aspect = Field(
        None, description="Shape of the result, as in 16:9: as much again is added on both sides."
    )
    color: tuple[Part, Part, Part] = Field(
        (0.0, 0.0, 0.0), description="Red, green and blue of the edges, 0 to 1."
    )


class PadFrames(GeometryStage[PadOptions]):
    """Puts edges of one color around frames. Stands before stages that compute flow.

    Where frames have transparency the edges are transparent, and masks are black there. The result
    has an even width and height where that takes one pixel more: many codecs want it. The shape is
    that in which frames are shown.
    """

    Options = PadOptions

    def describe(self, clip: Clip) -> Clip:
        left, top, right, bottom = self._find(clip)
        return replace(clip, width=clip.width + left + right, height=clip.height + top + bottom)

    def open(self, clip: Clip, context: object) -> None:
        self._edges = self._find(clip)

    def reshape(self, layer: HostArray, options: PadOptions) -> HostArray:
        left, top, right, bottom = self._edges
        value = options.color if layer.ndim == 3 else (0.0,)
        return np.asarray(
            cv2.copyMakeBorder(layer, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value),
            np.float32,
        )

    def reshape_planes(self, planes: Planes, options: PadOptions) -> tuple[Samples8, ...] | None:
        left, top, right, bottom = self._edges
        form, (height, width) = planes.format, planes.luma.shape
        across, down = form.chroma
        if left % across or width % across or top % down or height % down:
            return None
        codes = code_matrix(Color(form.matrix, form.range), 8) @ [*options.color, 1]
        wider: list[Samples8] = []
        for plane, code in zip(planes.samples, np.rint(codes), strict=True):
            # Whole samples on the left and above, and as many as there are luma samples for beyond.
            step_x, step_y = (1, 1) if not wider else (across, down)
            edges = top // step_y, -(-bottom // step_y), left // step_x, -(-right // step_x)
            value = (float(min(code, 255)),)
            padded = cv2.copyMakeBorder(plane, *edges, cv2.BORDER_CONSTANT, value=value)
            wider.append(np.asarray(padded, np.uint8))
        return tuple(wider)

    def _find(self, clip: Clip) -> tuple[int, int, int, int]:
        """Pixels on the left, above, on the right and below."""
        options = self.options
        width = clip.width + options.left + options.right
        height = clip.height + options.top + options.bottom
        wanted_width, wanted_height = width, height
        if options.aspect is not None:
            # In pixels of the file, which may not be square.
            shape = aspect_of(options.aspect) / clip.sample_aspect
            if Fraction(width, height) < shape:
                wanted_width = round(height * shape)
            else:
                wanted_height = round(width / shape)
        across = wanted_width + wanted_width % 2 - width
        down = wanted_height + wanted_height % 2 - height
        left, top = options.left + across // 2, options.top + down // 2
        return left, top, options.right + across - across // 2, options.bottom + down - down // 2


STAGE = PadFrames
