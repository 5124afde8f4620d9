"""The kernel of dense inverse search: known motion, ground truth, and OpenCV's search beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.stages.flow.ground_truth import gray_scene
from vidstyle.core import HostArray
from vidstyle.imaging.derived import Gray8, gray8
from vidstyle.imaging.flow_file import end_point_error
from vidstyle.imaging.warp import warp_image
from vidstyle.kernels.dis import search_both
from vidstyle.kernels.library import has_kernels
from vidstyle.stages.flow.dis import KERNELS_FAST, DisOptions, dense_search, search_flow
from vidstyle.testing import SyntheticClip, occluder, pan, zoom

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")


def soft_noise(seed: int, height: int, width: int) -> Gray8:
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray(128 + 60 * smooth / np.abs(smooth).max(), np.uint8)


def search(first: Gray8, second: Gray8, **other: int) -> tuple[HostArray, HostArray]:
    return search_both(first, second, **{**KERNELS_FAST, **other})


def opencvs(first: Gray8, second: Gray8) -> HostArray:
    found = dense_search(DisOptions())
    found.setFinestScale(0)
    return search_flow(found, first, second)


def grays(clip: SyntheticClip) -> tuple[Gray8, Gray8]:
    now, previous = (gray8(clip.frames[i].host("source")) for i in (1, 0))
    return now, previous


@pytest.mark.parametrize("make", [pan, zoom, occluder])
def test_it_follows_known_motion_as_opencv_does(make: Callable[..., SyntheticClip]) -> None:
    clip = make(frames=2)
    now, previous = grays(clip)
    inner = np.zeros_like(clip.true_visible[1])
    inner[8:-8, 8:-8] = clip.true_visible[1][8:-8, 8:-8]
    ours, theirs = (
        end_point_error(flow, clip.true_flow[1], inner)
        for flow in (search(now, previous)[0], opencvs(now, previous))
    )
    assert ours < 1.2 * theirs + 0.02
    assert ours < 0.5


def test_the_refinement_brings_it_nearer() -> None:
    clip = zoom(frames=2)
    now, previous = grays(clip)
    inner = np.zeros_like(clip.true_visible[1])
    inner[8:-8, 8:-8] = 1
    errors = [
        end_point_error(search(now, previous, rounds=rounds)[0], clip.true_flow[1], inner)
        for rounds in (0, 3)
    ]
    assert errors[1] < 0.9 * errors[0]


def energy(first: Gray8, second: Gray8, flow: HostArray) -> float:
    """Of the refinement, in float64: images after the flow, and how smooth it is."""
    warped = warp_image(np.asarray(second, np.float32), flow).astype(np.float64)
    mean, change = (first + warped) / 2, warped - first
    down, across = np.gradient(mean)
    (down_down, _), (across_down, across_across) = np.gradient(down), np.gradient(across)
    change_down, change_across = np.gradient(change)

    def robust(squares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.sqrt(squares + 1e-6)

    brightness = change**2 / (across**2 + down**2 + 0.01)
    slopes = change_across**2 / (across_across**2 + across_down**2 + 0.01)
    slopes += change_down**2 / (across_down**2 + down_down**2 + 0.01)
    steep = np.diff(flow, axis=0)[:, :-1] ** 2 + np.diff(flow, axis=1)[:-1] ** 2
    total = KERNELS_FAST["brightness"] * robust(brightness) + KERNELS_FAST["slopes"] * robust(
        slopes
    )
    return float(total.mean() + KERNELS_FAST["smoothness"] * robust(steep.sum(2)).mean())


@pytest.mark.parametrize("make", [pan, zoom, occluder])
def test_the_refinement_lowers_its_energy(make: Callable[..., SyntheticClip]) -> None:
    now, previous = grays(make(frames=2))
    energies = [
        energy(now, previous, search(now, previous, rounds=rounds)[0]) for rounds in (0, 1, 4)
    ]
    assert energies[2] < 0.995 * energies[1] < 0.99 * energies[0]
    assert energies[2] < 1.02 * energy(now, previous, opencvs(now, previous))


def test_the_way_back_is_the_search_of_the_images_the_other_way_round() -> None:
    now, previous = grays(occluder(frames=2))
    there, back = search(now, previous)
    other_there, other_back = search(previous, now)
    np.testing.assert_array_equal(there, other_back)
    np.testing.assert_array_equal(back, other_there)
    assert not np.array_equal(there, back)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (32, 300), (301, 35), (90, 161)])
@pytest.mark.parametrize("rounds", [0, 3])
def test_images_of_any_size_that_have_nothing_in_common(size: tuple[int, int], rounds: int) -> None:
    for flow in search(soft_noise(0, *size), soft_noise(1, *size), rounds=rounds):
        assert flow.shape == (*size, 2)
        assert np.isfinite(flow).all()
        assert np.abs(flow).max() < 2 * max(size)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_nothing_moves_where_there_is_nothing_to_see(value: int) -> None:
    image = np.full((40, 64), value, np.uint8)
    for flow in search(image, image):
        assert not flow.any()


def test_light_that_changes_moves_no_patch() -> None:
    image = soft_noise(0, 60, 90)
    moved = np.roll(image, 2, axis=1)
    one, other = (search(image, moved + np.uint8(add), rounds=0)[0] for add in (0, 40))
    inner = slice(10, -10), slice(10, -10)
    assert np.abs(one[inner] - [2, 0]).mean() < 0.1
    assert np.abs(one[inner] - other[inner]).mean() < 0.05


@pytest.mark.parametrize("scene", ["RubberWhale", "Dimetrodon", "Venus"])
def test_measured_ground_truth_is_as_near_as_to_opencv(scene: str, shared_data: Path) -> None:
    images, true = gray_scene(shared_data / "flow" / scene)
    ours = end_point_error(search(*images)[0], true)
    assert ours < 1.05 * end_point_error(opencvs(*images), true)


def test_images_that_it_cannot_search_are_refused() -> None:
    image = np.zeros((40, 64), np.uint8)
    with pytest.raises(ValueError, match="at least 32 pixels"):
        search(image[:31], image[:31])
    with pytest.raises(ValueError, match="takes uint8"):
        search(image, image[:, 1:])
    with pytest.raises(ValueError, match="damping is over 0"):
        search(image, image, damping=0)
    with pytest.raises(ValueError, match="1 to 8 pixels apart"):
        search(image, image, spacing=9)
