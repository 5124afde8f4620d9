"""Turning images upright as a file's display matrix says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from av import VideoFrame

from vidstyle.media.side_data import side_data_of

ArrayT = TypeVar("ArrayT", bound=npt.NDArray[Any])

_MATRIX_BYTES: Final = 36
_ANGLE_TOLERANCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """What to do to a decoded image: mirror it left to right, then turn it."""

    quarter_turns: int = 0
    """Counter-clockwise, 0 to 3."""
    mirrored: bool = False
    slanted: float | None = None
    """The angle in degrees where it is not a multiple of 90; then nothing is done."""

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.quarter_turns % 2 == 1

    @property
    def upright(self) -> bool:
        """Whether nothing is to be done."""
        return self.quarter_turns == 0 and not self.mirrored

    def apply(self, image: ArrayT) -> ArrayT:
        """A contiguous copy of (H, W) or (H, W, C), turned; the same array where upright."""
        if self.upright:
            return image
        view = image[:, ::-1] if self.mirrored else image
        return np.ascontiguousarray(np.rot90(view, self.quarter_turns))  # type: ignore[return-value]  # the same dtype, which rot90's types lose


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read a frame's display matrix.

    With the matrix [[a, b], [c, d]] (FFmpeg's libavutil/display.h) the pixel at (x, y), y
    downwards, is shown at (a x + c y, b x + d y).
    """
    side_data = side_data_of(frame)
    data = side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d, *_ = np.frombuffer(bytes(data)[:_MATRIX_BYTES], np.int32) / 65536
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    # The x axis goes to (a, b); y is downwards, so counter-clockwise is towards -b.
    angle = float(np.degrees(np.arctan2(-b, a)))
    quarters = round(angle / 90)
    if abs(angle - 90 * quarters) > _ANGLE_TOLERANCE:
        return Orientation(slanted=angle)
    return Orientation(quarters % 4, bool(mirrored))
