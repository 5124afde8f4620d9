"""Images derived from an image, and the cache of the newest ones."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest

from vidstyle.core import Color, HostArray, PlaneFormat, Planes
from vidstyle.core.clip import Range
from vidstyle.imaging.derived import (
    Latest,
    double,
    gray8,
    halve,
    halve_flow,
    halve_positions,
    luma_plane,
    smooth,
)
from vidstyle.imaging.warp import sample, targets
from vidstyle.media.from_rgb import FromRgb, visible_planes


def test_halving_averages_two_by_two() -> None:
    image = np.random.default_rng(0).random((8, 12, 3), dtype=np.float32)
    expected = image.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(halve(image), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(8, 12), (7, 11), (1, 1)])
def test_a_halved_flow_has_the_size_of_a_halved_image_and_nearly_its_values(
    size: tuple[int, int],
) -> None:
    down, across = np.mgrid[: size[0], : size[1]].astype(np.float32)
    flow = np.dstack((3 + 0.1 * across, -2 + 0.2 * down))
    u, v = halve_flow(flow)
    assert u.shape == v.shape == halve(flow).shape[:2]
    # Half a pixel beside the middle of four.
    np.testing.assert_allclose(np.dstack((u, v)), halve(flow).reshape(*u.shape, 2), atol=0.21)


def test_luma_is_that_of_bt_601() -> None:
    color = np.full((2, 3, 3), (0.2, 0.6, 0.4), np.float32)
    expected = 0.299 * 0.2 + 0.587 * 0.6 + 0.114 * 0.4
    np.testing.assert_allclose(luma_plane(color), np.full((2, 3), expected), atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 12), (7, 11), (1, 1), (9, 16, 3)])
def test_there_and_back_keeps_the_shape_and_a_flat_image(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.3, np.float32)
    small = halve(image)
    assert small.shape == ((shape[0] + 1) // 2, (shape[1] + 1) // 2, *shape[2:])
    np.testing.assert_allclose(double(small, *shape[:2]), image, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 47)])
def test_targets_lead_to_the_same_place_at_half_size(height: int, width: int) -> None:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ramp = np.asarray(x / width + y / height, np.float32)
    flow = np.broadcast_to(np.float32([2.5, -1.5]), (height, width, 2))
    full = halve(sample(ramp, *targets(flow)))
    half = sample(
        halve(ramp), *halve_positions(halve(flow[..., 0]), halve(flow[..., 1]), flow.shape)
    )
    inner = np.s_[3:-3, 3:-3]
    np.testing.assert_allclose(half[inner], full[inner], atol=2e-3)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.0])
def test_smooth_is_a_truncated_gaussian_with_repeated_edges(sigma: float) -> None:
    image = np.random.default_rng(0).random((20, 24), dtype=np.float32)
    reach = int(np.ceil(2.5 * sigma))
    feature_layers = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    feature_layers /= feature_layers.sum()
    wide = np.pad(image.astype(np.float64), reach, mode="edge")
    rows = np.apply_along_axis(np.convolve, 1, wide, feature_layers, "valid")
    expected = np.apply_along_axis(np.convolve, 0, rows, feature_layers, "valid")
    np.testing.assert_allclose(smooth(image, sigma), expected, atol=1e-6)


def test_a_plain_image_stays_as_it_is_whatever_its_shape() -> None:
    for shape in ((1, 1), (1, 9, 3), (9, 1, 1), (5, 5, 2)):
        plain = np.full(shape, 0.4, np.float32)
        np.testing.assert_allclose(smooth(plain, 2.0), plain, atol=1e-6)


def test_gray_is_luma_rounded_to_8_bits() -> None:
    image = np.random.default_rng(0).random((31, 17, 3), dtype=np.float32)
    exact = image.astype(np.float64) @ (0.299, 0.587, 0.114) * 255
    assert np.abs(gray8(image) - exact).max() <= 0.5 + 1e-3


def test_values_out_of_range_are_clamped() -> None:
    image = np.array([[[-1, -1, -1], [2, 2, 2], [0, 0, 0], [1, 1, 1]]], np.float32)
    assert gray8(image).tolist() == [[0, 255, 0, 255]]


class Counted:
    """Doubles an image, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: HostArray) -> HostArray:
        self.calls += 1
        return image * 2


def image(value: float) -> HostArray:
    return np.full((2, 3), value, np.float32)


def test_pairs_of_neighbors_cost_one_call_a_frame() -> None:
    counted = Counted()
    latest = Latest(counted)
    frames = [image(value) for value in range(6)]
    for before, now in pairwise(frames):
        np.testing.assert_array_equal(latest(before), before * 2)
        np.testing.assert_array_equal(latest(now), now * 2)
    assert counted.calls == len(frames)


def test_equal_images_are_two_images() -> None:
    counted = Counted()
    latest = Latest(counted)
    first, second = image(1), image(1)
    assert latest(first) is latest(first)
    assert latest(first) is not latest(second)
    assert counted.calls == 2


def test_an_image_lives_no_longer_for_being_remembered() -> None:
    latest = Latest(Counted())
    frame = image(1)
    seen = weakref.ref(frame)
    latest(frame)
    del frame
    gc.collect()
    assert seen() is None
    np.testing.assert_array_equal(latest(image(2)), image(4))


@pytest.mark.parametrize("spread", ["limited", "full"])
def test_gray_of_planes_is_their_luma_from_black_to_white(spread: Range) -> None:
    def unread() -> HostArray:
        raise AssertionError("somebody has read the RGB")

    levels = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(4, 0)
    grays = np.repeat(levels[..., None], 3, axis=2)
    coded = FromRgb("yuv420p", Color("bt601", spread), width=256, height=4)(grays)
    samples = tuple(plane.copy() for plane in visible_planes(coded))
    planes = Planes(samples, PlaneFormat((2, 2), "bt601", spread), unread)
    found = gray8(planes)
    # 219 levels stand for 255.
    np.testing.assert_allclose(found, gray8(grays).astype(float), atol=0 if spread == "full" else 1)
    assert (found[0, 0], found[0, -1]) == (0, 255)


def test_gray_of_planes_is_clamped() -> None:
    luma = np.array([[0, 15, 16, 235, 236, 255]], np.uint8)
    chroma = np.zeros((1, 3), np.uint8)
    form = PlaneFormat((2, 2), "bt709", "limited")
    planes = Planes((luma, chroma, chroma), form, lambda: np.zeros((1, 6, 3), np.float32))
    np.testing.assert_array_equal(gray8(planes), [[0, 0, 0, 255, 255, 255]])
