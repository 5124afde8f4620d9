"""The previous output along the flow beside the same by OpenCV and numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement
from vidstyle.imaging.derived import double, gaussian, halve, smooth
from vidstyle.imaging.warp import inside, sample, targets
from vidstyle.kernels.blend import WarpedChange, warp_change
from vidstyle.kernels.library import has_kernels

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")

SIZES = [(36, 64), (34, 50), (8, 6), (2, 2), (64, 2), (2, 64)]
TOLERANCE = 0.02
SMALL = np.ascontiguousarray(gaussian(0.6)[2:])


def noise(seed: int, *shape: int) -> HostArray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def soft_noise(seed: int, *shape: int) -> HostArray:
    return np.asarray(cv2.GaussianBlur(noise(seed, *shape), (0, 0), 2), np.float32).reshape(shape)


def motion_inputs(height: int, width: int) -> dict[str, HostArray]:
    """A flow that leads out of the frame in places, and all kinds of visibility."""
    visible = np.clip(2 * noise(1, height, width), 0, 1)
    visible[:, : width // 3] = 1
    return {
        "previous": soft_noise(2, height, width, 3),
        "image": noise(3, height, width, 3),
        "flow": 60 * (soft_noise(4, height, width, 2) - np.float32(0.5)),
        "near": noise(5, height // 2, width // 2),
        "visible": visible,
        "pixels": TOLERANCE**2 * noise(6, height // 2, width // 2),
        "luma": soft_noise(7, height, width),
        "before": soft_noise(7, height, width) + np.float32(0.02) * noise(8, height, width),
    }


def warp_both(
    given: dict[str, HostArray], moves: HostArray | None, softness: float, *, hidden: bool = True
) -> tuple[WarpedChange, WarpedChange]:
    """What the kernel gives, and what follows from its description."""
    found = warp_change(
        given["previous"],
        given["image"],
        given["flow"],
        moves,
        given["near"],
        given["visible"],
        given["pixels"],
        (given["luma"], given["before"]),
        small=SMALL,
        exponent=-1 / (2 * TOLERANCE**2) if hidden else 0,
        softness=softness,
    )
    height, width = given["visible"].shape
    flow = (
        given["flow"] if moves is None else given["flow"] * double(moves, height, width)[..., None]
    )
    there = targets(flow)
    cubic, linear = (sample(given["previous"], *there, kernel=k) for k in ("cubic", "bilinear"))
    warped = cubic + np.float32(softness) * (linear - cubic)
    sure = double(given["near"], height, width) * given["visible"]
    if hidden:
        thin = smooth((sample(given["before"], *there) - given["luma"]) ** 2, 0.6)
        far = np.maximum(thin, double(given["pixels"], height, width))
        agreed = agreement(far, TOLERANCE) * (1 - given["visible"])
        sure += np.where(inside(*there, height, width) > 0, agreed, np.float32(0))
    change = (warped - given["image"]) * sure[..., None]
    return found, WarpedChange(change, sure, halve(change), halve(sure))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("moving", "softness"), [(False, 0), (True, 0), (True, 0.3), (False, 1)])
def test_the_warped_change(size: tuple[int, int], moving: bool, softness: float) -> None:
    moves = noise(9, size[0] // 2, size[1] // 2) if moving else None
    found, wanted = warp_both(motion_inputs(*size), moves, softness)
    for name in ("change", "confidence", "half_change", "half_confidence"):
        one, other = getattr(found, name), getattr(wanted, name)
        # A position that is rounded to the other side is off by 1/32 pixel.
        np.testing.assert_allclose(one, other, atol=0.04, err_msg=name)
        assert np.abs(one - other).mean() < 1e-3


def test_what_is_hidden_counts_only_where_it_is_asked_for() -> None:
    given = motion_inputs(36, 64)
    found, wanted = warp_both(given, None, 0, hidden=False)
    np.testing.assert_allclose(found.confidence, wanted.confidence, atol=1e-5)
    more, _ = warp_both(given, None, 0)
    assert (more.confidence > found.confidence + 0.1).mean() > 0.05


@pytest.mark.parametrize("softness", [0, 0.3])
def test_what_stands_still_is_the_previous_output_itself(softness: float) -> None:
    given = motion_inputs(36, 64)
    given["flow"][5:, 7:50] = 0
    given["visible"][:] = given["near"][:] = 1
    given["image"][:] = 0
    found, wanted = warp_both(given, None, softness)
    rest = np.s_[5:, 7:50]
    np.testing.assert_array_equal(found.change[rest], given["previous"][rest])
    np.testing.assert_allclose(found.change, wanted.change, atol=0.04)


def test_flow_that_is_no_number_reads_nothing_outside() -> None:
    given = motion_inputs(36, 64)
    given["flow"][::3] = np.nan
    given["flow"][1::3] = [np.inf, -np.inf]
    found = warp_both(given, None, 0)[0]
    assert np.isfinite(found.change).all()
