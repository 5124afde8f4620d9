"""Layouts on planes, against the same layouts on RGB, coded with exact matrices."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import Color, HostArray, PlaneFormat, Planes
from vidstyle.imaging.labels import make_label
from vidstyle.imaging.layouts import split_images, tile_images
from vidstyle.imaging.plane_layouts import may_be_tiled, split_decoded, tile_decoded
from vidstyle.media.from_rgb import FromRgb, visible_planes

HEIGHT, WIDTH = 96, 128
NAMES = {(2, 2): "yuv420p", (2, 1): "yuv422p", (1, 1): "yuv444p"}


def form_of(chroma: tuple[int, int], spread: str = "limited") -> PlaneFormat:
    siting = "left" if chroma[0] == 2 else "center"
    return PlaneFormat(chroma, "bt709", spread, siting)


def image(seed: int, height: int = HEIGHT, width: int = WIDTH) -> HostArray:
    """Waves of color without edges, so that chroma loses little."""
    small = np.random.default_rng(seed).random((6, 8, 3), np.float32)
    return np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def coded(rgb: HostArray, form: PlaneFormat) -> Planes:
    height, width = rgb.shape[:2]
    color = Color(form.matrix, form.range)
    frame = FromRgb(NAMES[form.chroma], color, width=width, height=height, siting=form.siting)(rgb)
    return Planes(tuple(plane.copy() for plane in visible_planes(frame)), form, rgb.copy)


@pytest.mark.parametrize("spread", ["limited", "full"])
@pytest.mark.parametrize("chroma", NAMES)
@pytest.mark.parametrize(("columns", "count"), [(2, 2), (1, 2), (2, 3)])
def test_tiles_are_those_of_rgb(chroma, spread, columns, count):
    form = form_of(chroma, spread)
    images = [image(seed) for seed in range(count)]
    labels = [make_label(text, width=100, height=HEIGHT) for text in ("one", "two", "three")]
    planes = [coded(rgb, form) for rgb in images]
    assert may_be_tiled(planes, columns)
    bare = tile_decoded(planes, columns, [])
    for plane, wanted in zip(
        bare, coded(tile_images(images, columns, []), form).samples, strict=True
    ):
        # Chroma of a tile knows nothing of its neighbor's.
        inner = np.s_[2:-2, 2:-2]
        assert plane.shape == wanted.shape
        assert np.mean(plane[inner] != wanted[inner]) < 0.03
    found = tile_decoded(planes, columns, labels[:count])
    wanted = coded(tile_images(images, columns, labels[:count]), form).samples
    close(found, wanted)
    assert np.abs(found[0].astype(int) - bare[0]).max() > 50


def close(found, wanted):
    """Luma within rounding; chroma but for the rims of letters, boxes and tiles."""
    luma = np.abs(found[0].astype(int) - wanted[0])
    assert luma.max() <= 2
    for plane, other in zip(found[1:], wanted[1:], strict=True):
        away = np.abs(plane.astype(int) - other)
        assert away.mean() < 0.6
        assert np.quantile(away, 0.97) <= 4


@pytest.mark.parametrize("chroma", NAMES)
@pytest.mark.parametrize("position", [0, 0.003, 0.2, 0.507, 0.93, 1])
def test_a_split_is_that_of_rgb(chroma, position):
    form, (first, second) = form_of(chroma), (image(0), image(1))
    labels = [make_label(text, width=60, height=HEIGHT) for text in ("one", "two")]
    found = split_decoded(coded(first, form), coded(second, form), position, labels)
    close(found, coded(split_images(first, second, position, labels), form).samples)


def test_tiles_need_one_format_and_whole_chroma_samples():
    form = form_of((2, 2))
    one, other = coded(image(0), form), coded(image(1), form_of((2, 2), "full"))
    assert not may_be_tiled([one, other], 2)
    odd = [coded(image(seed, 97, 129), form_of((1, 1))) for seed in range(2)]
    assert may_be_tiled(odd, 2)
    narrow = [
        Planes(
            (np.zeros((97, 129), np.uint8), *(np.zeros((49, 65), np.uint8) for _ in range(2))),
            form,
            image(0).copy,
        )
        for _ in range(4)
    ]
    assert not may_be_tiled(narrow[:2], 2)
    assert not may_be_tiled(narrow[:2], 1)
    assert not may_be_tiled(narrow, 2)
    assert may_be_tiled(narrow[:1], 1)
