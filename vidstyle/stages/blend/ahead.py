"""What the next painting adds, where the history has room for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, photometric_distance
from vidstyle.imaging.bands import channels, three_times
from vidstyle.imaging.derived import doubled, halved, halved_places
from vidstyle.imaging.warp import inside, sample, targets
from vidstyle.stages.blend.dials import Dials


@dataclass(frozen=True, slots=True, eq=False)
class Stylized:
    """A frame's painting, and both its halves: that of the painting and that of its source."""

    image: HostArray
    """(H, W, 3)."""
    half: HostArray
    """(h, w, 3)."""
    source: HostArray
    """(h, w, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What the next painting changes."""

    coarse: HostArray | None = None
    """(h, w, 3) at half size."""
    fine: HostArray | None = None
    """(H, W, 3) without the coarse; only where the result may be soft."""


def look_ahead(
    now: Stylized, following: Stylized, flow: HostArray, left: HostArray, dials: Dials
) -> Ahead:
    """What ``following`` changes in ``now``, where the history has ``left`` (h, w) room for it.

    ``flow`` (H, W, 2) leads from this frame to the next. Nothing of it is carried on as such, so
    that the agreement of the sources is enough.
    """
    u, v = channels(halved(flow))
    half = halved_places(u, v, flow.shape)
    there = sample(following.source, *half)
    weight = agreement(photometric_distance(now.source, there), dials.tolerance)
    weight *= left * np.float32(dials.ahead)
    weight[inside(*half, *weight.shape) == 0] = 0
    coarse = sample(following.half, *half)
    coarse -= now.half
    coarse *= three_times(weight)
    if not dials.softness:
        return Ahead(coarse)
    size = now.image.shape[:2]
    fine = sample(following.image, *targets(flow)) - now.image
    fine -= doubled(halved(fine), *size)
    fine *= three_times(doubled(weight * np.float32(dials.softness), *size))
    return Ahead(coarse, fine)
