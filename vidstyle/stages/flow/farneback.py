"""Optical flow by polynomial expansion: slower than DIS, smoother."""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import BaseStage, HostArray, Layers, Needs, Reach, StageOptions, State, Window
from vidstyle.imaging.derived import Gray8, Latest, gray8
from vidstyle.imaging.flow_pair import Directions, flow_layers, pair_layers


class FarnebackOptions(StageOptions):
    """Options of Farnebäck's method; the defaults follow OpenCV's tutorial."""

    scale: float = Field(1.0, gt=0, le=1, description="Size of the images that are compared.")
    directions: Directions = Field(
        "to_previous",
        description="'both' also says which of the previous frame's pixels stay visible.",
    )
    pyramid_scale: float = Field(
        0.5, ge=0.1, le=0.95, description="Size of each level against the one below it."
    )
    levels: int = Field(3, ge=1, le=10, description="Levels of the pyramid, full size included.")
    window: int = Field(15, ge=3, le=101, description="Side of the averaging window in pixels.")
    iterations: int = Field(3, ge=1, le=50, description="Iterations at each level.")
    poly_n: int = Field(5, ge=3, le=15, description="Pixels that each polynomial is fitted to.")
    poly_sigma: float = Field(
        1.2, gt=0, le=5, description="Standard deviation of the Gaussian of that fit."
    )
    gaussian: bool = Field(
        False, description="True: the averaging window is a Gaussian instead of a box; slower."
    )


class Farneback(BaseStage[FarnebackOptions]):
    """Polynomial expansion (Farnebäck 2003), both ways: ``flow`` and what follows from it.

    Images are compared as 8-bit gray. Writes ``flow``, ``visible`` and
    ``flow_from_previous``; on the first frame of a shot all are 0.
    """

    Options = FarnebackOptions

    def __init__(self, options: FarnebackOptions) -> None:
        super().__init__(options)
        self.needs = Needs(
            reads={"source": Reach(behind=1)}, writes=flow_layers(options.directions)
        )
        self._gray = Latest(gray8)

    def step(self, window: Window[FarnebackOptions], state: State) -> tuple[Layers, State]:
        previous = window.behind[0].host("source") if window.behind else None
        layers = pair_layers(
            window.now.host("source"),
            previous,
            lambda first, second: expansion_flow(first, second, self.options),
            scale=self.options.scale,
            directions=self.options.directions,
            gray=self._gray,
        )
        return layers, None


def expansion_flow(first: Gray8, second: Gray8, options: FarnebackOptions) -> HostArray:
    """Flow (H, W, 2) in pixels from ``first`` to ``second``, gray (H, W) of any size."""
    flow = cv2.calcOpticalFlowFarneback(
        first,
        second,
        None,  # type: ignore[call-overload]  # no first guess
        options.pyramid_scale,
        options.levels,
        options.window,
        options.iterations,
        options.poly_n,
        options.poly_sigma,
        cv2.OPTFLOW_FARNEBACK_GAUSSIAN if options.gaussian else 0,
    )
    return np.asarray(flow, np.float32)


STAGE = Farneback
