"""The flow stage's kernels beside the same by OpenCV and numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.flow_pair import enlarged_flow, pair_layers
from vidstyle.imaging.visibility import SOFTNESS, consistent, visibility, weights_of_gaussian
from vidstyle.kernels.flow import double_mask, enlarge_flow, mark_consistent, soften_mask
from vidstyle.kernels.library import has_kernels, without_kernels

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")

SIZES = [(36, 64), (33, 47), (2, 2), (2, 90), (90, 2), (181, 320)]


def soft_noise(seed: int, height: int, width: int, reach: float) -> HostArray:
    noise = np.random.default_rng(seed).normal(size=(height, width, 2))
    flow = cv2.GaussianBlur(noise, (0, 0), 6).reshape(height, width, 2)
    return np.asarray(flow / np.abs(flow).max() * reach, np.float32)


def flows(height: int, width: int) -> tuple[HostArray, HostArray]:
    """Two that agree in places, and lead out of the frame in others."""
    flow = soft_noise(0, height, width, 9)
    return flow, soft_noise(1, height, width, 1.5) - flow


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("size", [*SIZES, (1, 1), (1, 7), (7, 1)])
def test_an_enlarged_flow(size: tuple[int, int], factor: int) -> None:
    flow = flows(*size)[0]
    large = factor * size[0], factor * size[1]
    found = enlarge_flow(flow, factor)
    wanted = cv2.resize(factor * flow, large[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, wanted.reshape(*large, 2), atol=1e-5)
    np.testing.assert_array_equal(enlarged_flow(flow, *large), found)


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (1, 7), (7, 1)])
def test_an_enlarged_mask(size: tuple[int, int]) -> None:
    mask = np.random.default_rng(2).random(size, dtype=np.float32)
    wanted = cv2.resize(mask, (2 * size[1], 2 * size[0]), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(double_mask(mask), wanted, atol=1e-6)


@pytest.mark.parametrize("step", [1, 2, 4 / 3])
@pytest.mark.parametrize("size", SIZES)
def test_visibility(size: tuple[int, int], step: float) -> None:
    pair = flows(*size)
    found = visibility(*pair, step=step)
    with without_kernels():
        wanted = visibility(*pair, step=step)
    if min(size) > 30:
        assert 0.02 < wanted.mean() < 0.98
    # A tie of the inequalities moves the pixels around it, too.
    assert (np.abs(found - wanted) > 1e-6).mean() < 1e-3


@pytest.mark.parametrize("step", [1, 4 / 3, 2, 4])
def test_a_soft_mask_is_opencvs_bit_for_bit(step: float) -> None:
    mask = np.where(np.random.default_rng(3).random((70, 110)) < 0.5, np.uint8(255), np.uint8(0))
    deviation = SOFTNESS / step
    found = soften_mask(mask, weights_of_gaussian(deviation))
    wanted = cv2.GaussianBlur(mask, (5, 5), deviation, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(np.rint(found * 255), wanted)


def test_flow_that_is_no_number_is_visible_nowhere_and_reads_nothing_outside() -> None:
    flow, back = flows(40, 64)
    flow[::4] = np.nan
    flow[1::4, :, 1] = np.inf
    flow[2::4, :, 0] = -np.inf
    flow[3::4] = 1e30
    back[5] = np.inf
    assert not consistent(flow, back).any()


def test_layers_of_a_pair_are_those_without_kernels() -> None:
    rng = np.random.default_rng(4)
    images = [rng.random((144, 192, 3), dtype=np.float32) for _ in range(2)]

    def layers() -> dict[str, HostArray]:
        now, previous = images
        return pair_layers(now, previous, lambda *_: flows(36, 48), level=2, directions="both")

    found = layers()
    with without_kernels():
        wanted = layers()
    for name, layer in wanted.items():
        assert (np.abs(found[name] - layer) > 1e-4).mean() < 1e-3, name


def test_what_these_kernels_do_not_do_is_refused() -> None:
    flow = np.zeros((4, 6, 2), np.float32)
    with pytest.raises(ValueError, match=r"by one of \(2, 4\), got 3"):
        enlarge_flow(flow, 3)
    limits = {"consistency": (0.01, 0.5), "boundary": (0.01, 0.002), "margin": 0.05}
    with pytest.raises(ValueError, match="at least 2x2"):
        mark_consistent(flow[:1], flow[:1], **limits)  # type: ignore[arg-type]  # of one kind each
    with pytest.raises(ValueError, match="takes float32"):
        mark_consistent(flow, flow[1:], **limits)  # type: ignore[arg-type]  # of one kind each
    with pytest.raises(ValueError, match="add up to 256"):
        soften_mask(np.zeros((4, 6), np.uint8), (200, 20, 20))
