"""Warping against loops in float64, exact shifts and published kernels."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.warp import Kernel, warp_image

KERNELS: tuple[Kernel, ...] = ("bilinear", "cubic", "lanczos")


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> HostArray:
    return np.random.default_rng(seed).random((height, width, channels), dtype=np.float32)


def moved(height: int, width: int, dx: float, dy: float) -> HostArray:
    return np.full((height, width, 2), (dx, dy), np.float32)


def weights(kernel: Kernel, offset: float) -> dict[int, float]:
    """Taps of a kernel in one direction; cubic is Keys' with a = -0.75."""
    if kernel == "bilinear":
        return {0: 1 - offset, 1: offset}
    a = -0.75
    feature_layers = {}
    for feature_layer in (-1, 0, 1, 2):
        x = abs(feature_layer - offset)
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        feature_layers[feature_layer] = near if x <= 1 else far
    return feature_layers


def slow_warp(image: HostArray, flow: HostArray, kernel: Kernel) -> np.ndarray:
    """The definition, pixel by pixel, in float64, with the edge repeated."""
    height, width = image.shape[:2]
    result = np.zeros((*flow.shape[:2], image.shape[2]))
    for y in range(flow.shape[0]):
        for x in range(flow.shape[1]):
            column, row = x + float(flow[y, x, 0]), y + float(flow[y, x, 1])
            left, top = int(np.floor(column)), int(np.floor(row))
            for i, vertical in weights(kernel, row - top).items():
                for j, horizontal in weights(kernel, column - left).items():
                    at = image[np.clip(top + i, 0, height - 1), np.clip(left + j, 0, width - 1)]
                    result[y, x] += vertical * horizontal * at.astype(np.float64)
    return result


@pytest.mark.parametrize("kernel", ["bilinear", "cubic"])
def test_warp_equals_a_loop_in_float64(kernel: Kernel) -> None:
    image = noise(19, 23)
    steps = np.random.default_rng(1).integers(-6 * 32, 6 * 32, (19, 23, 2))
    flow = (steps / 32).astype(np.float32)  # positions that need no rounding
    assert (
        np.abs(warp_image(image, flow, kernel=kernel) - slow_warp(image, flow, kernel)).max() < 2e-6
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_whole_steps_move_pixels_exactly(kernel: Kernel) -> None:
    image = noise(32, 40)
    result = warp_image(image, moved(32, 40, 3, -2), kernel=kernel)
    np.testing.assert_array_equal(result[2:, :-3], image[:-2, 3:])


@pytest.mark.parametrize("kernel", KERNELS)
def test_outside_of_the_image_its_edge_is_repeated(kernel: Kernel) -> None:
    image = noise(20, 20)
    result = warp_image(image, moved(20, 20, 1000, 0), kernel=kernel)
    expected = np.broadcast_to(image[:, -1:], image.shape)
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_positions_are_good_to_a_32nd_of_a_pixel() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32), (8, 64))
    flow = np.random.default_rng(2).uniform(-3, 3, (8, 64, 2)).astype(np.float32)
    exact = np.clip(np.arange(64) + flow[..., 0], 0, 63)
    assert np.abs(warp_image(ramp, flow) - exact).max() <= 1 / 64 + 1e-5


def test_cubic_keeps_more_detail_than_bilinear() -> None:
    image = noise(64, 64)
    half = moved(64, 64, 0.5, 0.5)
    kept = {kernel: float(warp_image(image, half, kernel=kernel).var()) for kernel in KERNELS}
    assert kept["bilinear"] < kept["cubic"] < kept["lanczos"]


def test_gray_images_and_other_grids_are_welcome() -> None:
    assert warp_image(noise(9, 7)[..., 0], moved(5, 6, 0, 0)).shape == (5, 6)
    assert warp_image(noise(9, 7, channels=1), moved(9, 7, 0, 0)).shape == (9, 7, 1)


def test_warp_changes_none_of_its_arguments() -> None:
    image, flow = noise(8, 8), moved(8, 8, 0.3, 0.4)
    for array in (image, flow):
        array.flags.writeable = False
    assert warp_image(image, flow, kernel="cubic").flags.writeable


def test_a_flow_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"flow is \(H, W, 2\), got \(8, 8, 3\)"):
        warp_image(noise(8, 8), noise(8, 8))
