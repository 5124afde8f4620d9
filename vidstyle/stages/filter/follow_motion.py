"""An image that is held for several frames is moved along with the source."""

from __future__ import annotations

from typing import cast

import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Frame,
    HostArray,
    Layers,
    Needs,
    Reach,
    StageOptions,
    State,
    Window,
    keyframed,
)
from vidstyle.imaging.agreement import agreement, photometric_distance, pixel_distance
from vidstyle.imaging.bands import repeat_plane
from vidstyle.imaging.warp import Kernel, inside, sample, targets

# Of ``agreement``, as in the blend: where the flow holds, and where it says hidden.
_TOLERANCE, _TOLERANCE_HIDDEN = 0.1, 0.02


class FollowMotionOptions(StageOptions):
    strength: float = keyframed(
        1.0,
        ge=0,
        le=1,
        description="Weight of the moved image where the sources agree. 0 leaves images that are"
        " held as they are.",
    )
    kernel: Kernel = Field(
        "cubic", description="Interpolation of the moved image. lanczos is slow; bilinear blurs."
    )


class FollowMotion(BaseStage[FollowMotionOptions]):
    """Moves an image that stands still, while the source moves, along the flow.

    A clip of half the frame rate shows each image for two frames. On the second one its content
    lies where the source was a frame before. There the result is the last result, warped along the
    flow; where that is hidden or wrong, the next image, if it is another one, warped back; and
    where neither is known, the image as it stands. Every other frame passes bit for bit, and at
    strength 0 all do.
    """

    Options = FollowMotionOptions
    needs = Needs(
        reads={
            "image": Reach(behind=1, ahead=1, changed=True),
            "source": Reach(behind=1, ahead=1),
            "flow": NOW,
            "visible": NOW,
            "flow_from_previous": Reach(ahead=1, optional=True),
        },
        writes=("image",),
        scope="shot",
    )

    def step(self, window: Window[FollowMotionOptions], state: State) -> tuple[Layers, State]:
        image, wanted = window.now.host("image"), window.options.strength > 0
        if wanted and state is not None and _is_held(window.now, window.behind[0]):
            image = _moved(window, cast("HostArray", state["image"]))
        return {"image": image}, {"image": image}


def _is_held(now: Frame, before: Frame) -> bool:
    """Whether the image stands still while the source does not."""
    return _equal(now, before, "image") and not _equal(now, before, "source")


def _equal(now: Frame, before: Frame, layer: str) -> bool:
    one, other = now.host(layer), before.host(layer)
    # A held side input is one array.
    return one is other or np.array_equal(one, other)


def _moved(window: Window[FollowMotionOptions], before: HostArray) -> HostArray:
    now, result = window.now, window.now.host("image")
    kernel, strength = window.options.kernel, np.float32(window.options.strength)
    following = window.ahead[0] if window.ahead else None
    if (
        following is not None
        and "flow_from_previous" in following.layers
        and not _equal(following, now, "image")
    ):
        there = targets(following.host("flow_from_previous"))
        weight = _agreement(now, following, there, np.zeros_like(there[0]))
        result = _mixed(
            result, sample(following.host("image"), *there, kernel=kernel), strength * weight
        )
    there = targets(now.host("flow"))
    weight = _agreement(now, window.behind[0], there, now.host("visible"))
    return _mixed(result, sample(before, *there, kernel=kernel), strength * weight)


def _agreement(
    now: Frame, other: Frame, there: tuple[HostArray, HostArray], visible: HostArray
) -> HostArray:
    """How far the sources agree along a flow, (H, W); closely where it is not known as visible."""
    source, warped = now.host("source"), sample(other.host("source"), *there)
    near = agreement(photometric_distance(source, warped), _TOLERANCE)
    pixels = agreement(pixel_distance(source, warped), _TOLERANCE_HIDDEN)
    weight = visible * near + (1 - visible) * pixels
    weight[inside(*there, *visible.shape) == 0] = 0
    return np.asarray(weight, np.float32)


def _mixed(image: HostArray, other: HostArray, weight: HostArray) -> HostArray:
    change = other - image
    change *= repeat_plane(weight)
    change += image
    return np.clip(change, 0, 1, out=change)


STAGE = FollowMotion
