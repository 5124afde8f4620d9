"""Metrics of areas where nothing moves: noise over time, and drift of the brightness."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.visibility import BoolMask


@dataclass(slots=True)
class StillAreas:
    """Deviation and drift of one clip in the areas of each shot that stand still throughout.

    Only the end of a shot shows which areas these are, so every pixel is followed: running means
    and moments, four images in memory however long the shot.

    References:
        Welford 1962, Note on a Method for Calculating Corrected Sums of Squares and Products.
    """

    _current: _ShotStatistics | None = None
    _squares: float = 0.0
    _freedom: int = 0
    _longest: int = 0
    _slope: float | None = None

    def add(self, frame: HostArray, still: BoolMask | None) -> None:
        """Add a frame.

        Args:
            frame: (H, W, 3) in [0, 1].
            still: (H, W), True where nothing moved since the frame before; None on the first
                frame of a shot.
        """
        if still is None:
            self._finish()
        if self._current is None:
            self._current = _ShotStatistics(np.ones(frame.shape[:2], np.bool_))
        self._current.add(frame, still)

    @property
    def deviation(self) -> float | None:
        """Standard deviation over time within a shot, of all still pixels and channels together.

        None where no pixel stands still for a whole shot. Reading it ends the shot.
        """
        self._finish()
        return float(np.sqrt(self._squares / self._freedom)) if self._freedom else None

    @property
    def luma_slope(self) -> float | None:
        """Least-squares slope of the still areas' mean luma, per frame and of 255, in the longest
        shot that has any; None where none has. Reading it ends the shot."""
        self._finish()
        return None if self._slope is None else 255 * self._slope

    def _finish(self) -> None:
        shot, self._current = self._current, None
        if shot is None or shot.frames < 2 or not shot.still.any():
            return
        self._squares += float(shot.squares[shot.still].sum(dtype=np.float64))
        self._freedom += (shot.frames - 1) * 3 * int(np.count_nonzero(shot.still))
        if shot.frames > self._longest:
            self._longest = shot.frames
            self._slope = shot.slope()


@dataclass(slots=True)
class _ShotStatistics:
    still: BoolMask
    frames: int = 0
    mean: HostArray = field(init=False)
    squares: HostArray = field(init=False)
    """(H, W, 3): sum of the squared differences to the mean."""
    luma_mean: npt.NDArray[np.float64] = field(init=False)
    luma_by_time: npt.NDArray[np.float64] = field(init=False)
    """(H, W): sum over time of the product of the differences of time and luma to their means."""

    def __post_init__(self) -> None:
        shape = self.still.shape
        self.mean, self.squares = np.zeros((2, *shape, 3), np.float32)
        self.luma_mean, self.luma_by_time = np.zeros((2, *shape))

    def add(self, frame: HostArray, still: BoolMask | None) -> None:
        if still is not None:
            self.still &= still
        # Times are 0, 1, 2 …, so that the mean of those before is half of the last one.
        since_mean = (self.frames - (self.frames - 1) / 2) if self.frames else 0.0
        self.frames += 1
        difference = frame - self.mean
        self.mean += difference / np.float32(self.frames)
        self.squares += difference * (frame - self.mean)
        luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        self.luma_mean += (luma - self.luma_mean) / self.frames
        self.luma_by_time += since_mean * (luma - self.luma_mean)

    def slope(self) -> float:
        """Of the mean luma of the still pixels; the mean of slopes is the slope of the mean."""
        times = self.frames * (self.frames**2 - 1) / 12
        return float(self.luma_by_time[self.still].mean()) / times
