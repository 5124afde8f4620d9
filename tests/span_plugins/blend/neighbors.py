"""A stage that works on spans: each frame mixed with both of its neighbors along the flow."""

from __future__ import annotations

from typing import cast

import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    HostArray,
    Needs,
    Span,
    SpanSteps,
    StageOptions,
    State,
    keyframed,
)
from vidstyle.imaging.warp import warp_image


class NeighborsOptions(StageOptions):
    strength: float = keyframed(0.5, ge=0, le=1, description="Weight of the neighbors.")
    span: int = Field(8, ge=1, description="Frames at once.")


class Neighbors(BaseStage[NeighborsOptions]):
    """Forwards over the span, then backwards; the last frame is the state."""

    Options = NeighborsOptions

    def __init__(self, options: NeighborsOptions) -> None:
        super().__init__(options)
        layers = ("image", "flow", "visible", "flow_from_previous", "visible_from_previous")
        self.needs = Needs(
            reads=dict.fromkeys(layers, NOW), writes=("image",), scope="shot", span=options.span
        )

    def step_span(self, span: Span[NeighborsOptions], state: State) -> SpanSteps:
        previous = None if state is None else cast("HostArray", state["image"])
        for position, frame in enumerate(span):
            image = frame.host("image")
            if previous is not None:
                weight = span.options[position].strength * frame.host("visible")
                image = _mix(image, warp_image(previous, frame.host("flow")), weight)
            span.scratch["mixed", position] = previous = image
        last = np.array(previous)
        for position in reversed(range(len(span) - 1)):
            later = span[position + 1]
            weight = span.options[position].strength * later.host("visible_from_previous")
            there = warp_image(
                cast("HostArray", span.scratch["mixed", position + 1]),
                later.host("flow_from_previous"),
            )
            image = cast("HostArray", span.scratch["mixed", position])
            span.scratch["mixed", position] = _mix(image, there, weight)
        for position in range(len(span)):
            yield {"image": cast("HostArray", span.scratch["mixed", position])}
        return {"image": last}


def _mix(image: HostArray, other: HostArray, weight: HostArray) -> HostArray:
    return np.asarray(image + weight[..., np.newaxis] * (other - image), np.float32)


STAGE = Neighbors
