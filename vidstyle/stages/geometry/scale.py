"""ScaleFrames frames before anything else sees them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
from pydantic import Field, field_validator

from vidstyle.core import Clip, GeometryStage, HostArray, StageOptions

LARGEST = 16384
"""Pixels on a side."""
# Rounding to whole pixels changes the shape by less; it is no reason for pixels of another shape.
_ROUNDING = Fraction(1, 100)
_SIZE = re.compile(
    r"(?P<most>up to )?(?:(?P<width>\d+)x(?P<height>\d+)|(?P<short>\d+)p|(?P<percent>\d+(\.\d+)?)%)"
)


class ScaleOptions(StageOptions):
    size: str = Field(
        "720p",
        description="Width and height, as in 1280x720; the shorter side, as in 720p; or a part of"
        " both, as in 50%. `up to 270p` never enlarges. Lengths are rounded to even numbers.",
    )

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        found = _SIZE.fullmatch(size.strip())
        if found is None:
            raise ValueError("must be like 1280x720, 720p or 50%")
        lengths = [int(found[name]) for name in ("width", "height", "short") if found[name]]
        if any(not 1 <= length <= LARGEST for length in lengths):
            raise ValueError(f"must have sides of 1 to {LARGEST} pixels")
        if found["percent"] and not 0 < float(found["percent"]) <= 1600:
            raise ValueError("must be above 0 % and at most 1600 %")
        return size.strip()


class ScaleFrames(GeometryStage[ScaleOptions]):
    """Scales frames, masks and transparency to another size. Stands before stages that compute
    flow.

    Each pixel is the mean of the area that it covers, or cubic between pixels where frames get
    larger. Frames keep the shape in which they are shown: where 1280x720 has another one, their
    pixels are no longer square. 720p is the shorter side, whichever way up a clip is.
    """

    Options = ScaleOptions

    def describe(self, clip: Clip) -> Clip:
        width, height = scaled_size(self.options.size, clip.width, clip.height)
        shape = Fraction(clip.width * height, width * clip.height)
        aspect = clip.sample_aspect
        if abs(shape - 1) > _ROUNDING:
            aspect = (aspect * shape).limit_denominator(1000)
        return replace(clip, width=width, height=height, sample_aspect=aspect)

    def open(self, clip: Clip, context: object) -> None:
        self._size = scaled_size(self.options.size, clip.width, clip.height)

    def reshape(self, layer: HostArray, options: ScaleOptions) -> HostArray:
        height, width = layer.shape[:2]
        if (width, height) == self._size:
            return layer
        smaller = self._size[0] * self._size[1] < width * height
        kind = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(
            np.clip(cv2.resize(layer, self._size, interpolation=kind), 0, 1), np.float32
        )


def scaled_size(size: str, width: int, height: int) -> tuple[int, int]:
    """Compute what a size stands for.

    Args:
        size: As ``ScaleOptions.size``.
        width: Of the frames, in pixels.
        height: Likewise.

    Returns:
        Width and height, even.
    """
    found = _SIZE.fullmatch(size)
    assert found is not None
    if found["width"]:
        wanted = _even(int(found["width"])), _even(int(found["height"]))
    else:
        short, percent = found["short"], found["percent"]
        factor = Fraction(int(short), min(width, height)) if short else Fraction(percent) / 100
        wanted = _even(width * factor), _even(height * factor)
    if found["most"] and wanted[0] * wanted[1] > width * height:
        return max(2, width - width % 2), max(2, height - height % 2)
    return wanted


def _even(length: Fraction | int) -> int:
    return max(2, 2 * int(Fraction(length) / 2 + Fraction(1, 2)))


STAGE = ScaleFrames
