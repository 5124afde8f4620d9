"""Optical flow by polynomial expansion: an independent second opinion on DIS."""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import BaseStage, HostArray, Layers, Needs, Reach, StageOptions, State, Window
from vidstyle.imaging.derived import Gray8, Latest, gray8
from vidstyle.imaging.flow_pair import (
    Directions,
    FlowScale,
    both_ways,
    flow_layers,
    flow_scale_option,
    pair_layers,
)


class FarnebackOptions(StageOptions):
    """Options of Farnebäck's method; the defaults follow OpenCV's tutorial."""

    scale: FlowScale = flow_scale_option()
    directions: Directions = Field(
        "to_previous",
        description="both also computes visible_from_previous, which stylize/gatys-multipass"
        " needs.",
    )
    pyramid_scale: float = Field(
        0.5, ge=0.1, le=0.95, description="Size of a pyramid level relative to the next larger one."
    )
    levels: int = Field(3, ge=1, le=10, description="Levels of the pyramid, full size included.")
    window: int = Field(15, ge=3, le=101, description="Side of the averaging window, in pixels.")
    iterations: int = Field(3, ge=1, le=50, description="Iterations per level.")
    poly_n: int = Field(
        5,
        ge=3,
        le=15,
        description="Side of the neighborhood that each polynomial is fitted to, in pixels.",
    )
    poly_sigma: float = Field(
        1.2,
        gt=0,
        le=5,
        description="Standard deviation of the Gaussian weights of that fit, in pixels.",
    )
    gaussian: bool = Field(
        False, description="Average with a Gaussian window instead of a box. Slower."
    )


class Farneback(BaseStage[FarnebackOptions]):
    """Optical flow by polynomial expansion (Farnebäck 2003). Slower than flow/dis; an alternative.

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
        previous = window.behind[0].decoded("source") if window.behind else None
        layers = pair_layers(
            window.now.decoded("source"),
            previous,
            both_ways(lambda first, second: expansion_flow(first, second, self.options)),
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
