"""Optical flow by dense inverse search: the fast default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import (
    BaseStage,
    Clip,
    ExecutionContext,
    HostArray,
    Layers,
    Needs,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.imaging.derived import Gray8, Latest, gray8
from vidstyle.imaging.flow_pair import (
    Directions,
    FlowScale,
    both_ways,
    flow_layers,
    flow_scale_option,
    pair_layers,
)
from vidstyle.kernels.dis import SHORTEST_SIDE, search_both
from vidstyle.kernels.library import has_kernels

Preset = Literal["ultrafast", "fast", "medium"]

_PRESETS: dict[Preset, int] = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}

# What of a preset is not OpenCV's. A smoother refinement needs fewer steps, and so do patches that
# overlap less: 0.64 of the time for the same temporal consistency.
_TUNED: Mapping[Preset, Mapping[str, int]] = {
    "fast": {
        "patch_stride": 5,
        "gradient_iterations": 8,
        "refinement_iterations": 3,
        "refinement_alpha": 60,
    }
}


# Pixels of the shorter side of the images that are searched at least, where a preset reduces them:
# smaller ones hold too few patches.
_SHORTEST = 64


class DisOptions(StageOptions):
    """What is None keeps the value of the preset.

    Where kernels were compiled, ``fast`` is searched by them, unless an option is set of those that
    follow the preset; ``finest_scale`` may be. OpenCV searches the rest.
    """

    preset: Preset = Field(
        "fast",
        description="Speed or accuracy: medium takes about five times as long as fast and is"
        " more accurate. Options below that are not set follow it.",
    )
    scale: FlowScale = flow_scale_option()
    directions: Directions = Field(
        "to_previous",
        description="both also computes visible_from_previous, which stylize/gatys-multipass"
        " needs.",
    )
    finest_scale: int | None = Field(
        None, ge=0, le=4, description="Stop at this level of the pyramid; 0 is full size."
    )
    patch_size: int | None = Field(None, ge=4, le=32, description="Side of a patch, in pixels.")
    patch_stride: int | None = Field(
        None, ge=1, le=32, description="Distance between patches, in pixels."
    )
    gradient_iterations: int | None = Field(
        None, ge=1, le=256, description="Gradient descent steps per patch."
    )
    refinement_iterations: int | None = Field(
        None,
        ge=0,
        le=50,
        description="Steps of the variational refinement per level; 0 turns it off.",
    )
    refinement_alpha: float | None = Field(
        None, ge=0, le=1000, description="Weight of the smoothness term of the refinement."
    )
    refinement_delta: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="Weight of the brightness constancy term of the refinement.",
    )
    refinement_gamma: float | None = Field(
        None, ge=0, le=1000, description="Weight of the gradient constancy term of the refinement."
    )
    mean_normalization: bool | None = Field(
        None,
        description="Subtract the mean of each patch, which makes the flow robust to changes"
        " of light.",
    )
    spatial_propagation: bool | None = Field(
        None, description="Start the search of a patch at the result of its neighbors."
    )


class Dis(BaseStage[DisOptions]):
    """Optical flow by dense inverse search (Kroeger et al. 2016). The fastest; the usual choice.

    Images are compared as 8-bit gray. Writes ``flow``, ``visible`` and
    ``flow_from_previous``; on the first frame of a shot all are 0.
    """

    Options = DisOptions

    def __init__(self, options: DisOptions) -> None:
        super().__init__(options)
        self.needs = Needs(
            reads={"source": Reach(behind=1)}, writes=flow_layers(options.directions)
        )
        self._gray = Latest(gray8)

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._search = dense_search(self.options)
        # By itself it reduces the images and enlarges the flow. Done outside, the flow can be
        # checked before it is enlarged.
        self._level = self._search.getFinestScale()
        if self.options.finest_scale is None:
            shorter = min(clip.height, clip.width)
            self._level = min(self._level, max(0, int(math.log2(shorter / _SHORTEST))))
        self._search.setFinestScale(0)
        searched = _SETTERS.keys() - {"finest_scale"}
        untouched = all(getattr(self.options, name) is None for name in searched)
        self._tuned = untouched and self.options.preset == "fast"

    def step(self, window: Window[DisOptions], state: State) -> tuple[Layers, State]:
        previous = window.behind[0].decoded("source") if window.behind else None
        layers = pair_layers(
            window.now.decoded("source"),
            previous,
            self._flows,
            scale=self.options.scale,
            level=self._level,
            directions=self.options.directions,
            gray=self._gray,
        )
        return layers, None

    def _flows(self, first: Gray8, second: Gray8) -> tuple[HostArray, HostArray]:
        if self._tuned and min(first.shape) >= SHORTEST_SIDE and has_kernels():
            return search_both(first, second, **KERNELS_FAST)
        search = both_ways(lambda one, other: search_flow(self._search, one, other))
        return search(first, second)


# What ``_TUNED`` is for the kernel. It has the same terms, but solves them otherwise.
KERNELS_FAST: Mapping[str, int] = {
    "spacing": 5,
    "steps": 8,
    "rounds": 6,
    "sweeps": 4,
    "smoothness": 30,
    "brightness": 5,
    "slopes": 10,
    "damping": 256,
}

_SETTERS: Mapping[str, str] = {
    "finest_scale": "setFinestScale",
    "patch_size": "setPatchSize",
    "patch_stride": "setPatchStride",
    "gradient_iterations": "setGradientDescentIterations",
    "refinement_iterations": "setVariationalRefinementIterations",
    "refinement_alpha": "setVariationalRefinementAlpha",
    "refinement_delta": "setVariationalRefinementDelta",
    "refinement_gamma": "setVariationalRefinementGamma",
    "mean_normalization": "setUseMeanNormalization",
    "spatial_propagation": "setUseSpatialPropagation",
}
"""Options, and what hands them to OpenCV."""


def dense_search(options: DisOptions) -> cv2.DISOpticalFlow:
    """OpenCV's object for the options. One thread may use it at a time."""
    search = cv2.DISOpticalFlow.create(_PRESETS[options.preset])
    tuned = _TUNED.get(options.preset, {})
    for name, setter in _SETTERS.items():
        value = getattr(options, name)
        if value is None:
            value = tuned.get(name)
        if value is not None:
            getattr(search, setter)(value)
    # Patches that leave gaps between them leave pixels without a flow.
    search.setPatchStride(min(search.getPatchStride(), search.getPatchSize()))
    return search


def search_flow(search: cv2.DISOpticalFlow, first: Gray8, second: Gray8) -> HostArray:
    """Flow (H, W, 2) in pixels from ``first`` to ``second``, gray (H, W) of any size.

    Below four patches at its finest level the search changes its own settings, or crashes:
    such images are padded by repeating their edge.
    """
    least: int = 4 * search.getPatchSize() * 2 ** search.getFinestScale()
    height, width = first.shape
    bottom, right = max(0, least - height), max(0, least - width)
    if bottom or right:
        first, second = (
            np.pad(gray, ((0, bottom), (0, right)), mode="edge") for gray in (first, second)
        )
    flow = search.calc(first, second, None)  # type: ignore[call-overload]  # None: no first guess
    return np.ascontiguousarray(flow[:height, :width])


STAGE = Dis
