"""Larger strokes: at which size images are stylized, and what is given back of their detail."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core import Clip, HostArray
from vidstyle.imaging import device_strokes, strokes
from vidstyle.imaging.strokes import StrokeScale, find_scale, scale_of_clip


@pytest.mark.parametrize(
    ("stroke_size", "size", "small"),
    [
        (1, (360, 640), None),
        ("auto", (360, 640), None),
        ("auto", (1080, 1920), (360, 640)),
        ("auto", (2160, 3840), (360, 640)),
        # As large relative to the area, whatever the shape.
        ("auto", (1920, 1080), (640, 360)),
        # Never finer than the network draws them.
        ("auto", (90, 160), None),
        (2, (361, 641), (180, 320)),
        (0.5, (90, 160), (180, 320)),
        # Something is left to be seen.
        (32, (90, 160), (32, 57)),
        (4, (16, 16), None),
    ],
)
def test_the_size_at_which_images_are_stylized(
    stroke_size: strokes.StrokeSize, size: tuple[int, int], small: tuple[int, int] | None
) -> None:
    found = find_scale(stroke_size, *size)
    assert found == (None if small is None else StrokeScale(size, small))


@pytest.mark.parametrize(
    ("stroke_size", "small"),
    [
        ("auto", (360, 640)),
        # That of the frames, which have been reduced by as much.
        (2, None),
        (4, (270, 480)),
        # Strokes of the full size are finer there.
        (1, (1080, 1920)),
    ],
)
def test_strokes_count_in_pixels_of_the_full_size(
    stroke_size: strokes.StrokeSize, small: tuple[int, int] | None
) -> None:
    clip = Clip(960, 540, Fraction(1, 25), full_size=(1920, 1080))
    found = scale_of_clip(stroke_size, clip)
    assert found == (None if small is None else StrokeScale((540, 960), small, (1080, 1920)))
    # As much detail as at once: the rest of it follows behind the blend.
    assert found is None or found.detail == StrokeScale((1080, 1920), small or (1, 1)).detail
    whole = replace(clip, width=1920, height=1080, full_size=None)
    assert scale_of_clip(stroke_size, whole) == find_scale(stroke_size, 1080, 1920)


def test_sides_that_were_rounded_apart_are_the_same() -> None:
    assert scale_of_clip(1.5, Clip(240, 120, Fraction(1, 25), full_size=(361, 181))) is None


def test_at_its_own_size_an_image_is_stylized_as_it_is() -> None:
    image = drawn_image(40, 60)
    assert np.array_equal(strokes.with_strokes(image, None, negative), negative(image))


@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_an_unchanged_image_keeps_its_edges(factor: float) -> None:
    image = drawn_image(240, 360)
    scale = find_scale(factor, 240, 360)
    assert scale is not None
    result = strokes.with_strokes(image, scale, np.copy)
    enlarged = cv2.resize(strokes.reduced(image, *scale.small), (360, 240), interpolation=2)
    # Without the detail edges are as dull as those of the smaller image.
    assert sharpness(enlarged) < 0.9 * sharpness(image)
    assert 0.95 * sharpness(image) < sharpness(result) < 1.6 * sharpness(image)
    # They lie where they were.
    assert np.corrcoef(edges(result).ravel(), edges(image).ravel())[0, 1] > 0.9


def test_a_style_that_turns_light_and_dark_over_gets_detail_turned_over() -> None:
    image, scale = drawn_image(240, 360), find_scale(3, 240, 360)
    straight = strokes.with_strokes(image, scale, np.copy)
    turned = strokes.with_strokes(image, scale, negative)
    assert np.abs(negative(turned) - straight).max() < 1e-3


def test_flat_areas_get_no_noise() -> None:
    generator = np.random.default_rng(0)
    image = np.full((240, 360, 3), 0.5, np.float32)
    image += generator.normal(0, 1 / 255, image.shape).astype(np.float32)
    # Its own grain, which has nothing to do with the image's.
    grain = generator.normal(0, 4 / 255, (80, 120, 3)).astype(np.float32)
    result = strokes.with_strokes(image, find_scale(3, 240, 360), lambda small: small + grain)
    plain = cv2.resize(0.5 + grain, (360, 240), interpolation=cv2.INTER_CUBIC)
    assert result.std() < 1.1 * plain.std()


def test_reduced_again_it_is_what_was_stylized() -> None:
    image, scale = drawn_image(360, 480), find_scale(3, 360, 480)
    assert scale is not None
    drawn: list[HostArray] = []

    def stylize(small: HostArray) -> HostArray:
        drawn.append(cv2.GaussianBlur(negative(small), (0, 0), 1.5))
        return drawn[0]

    result = strokes.with_strokes(image, scale, stylize)
    assert 255 * np.abs(strokes.reduced(result, *scale.small) - drawn[0]).mean() < 4


@pytest.mark.parametrize("stroke_size", [0.5, 1, 1.7, 3])
def test_torch_gives_the_same(stroke_size: float) -> None:
    image = drawn_image(121, 183)
    scale = find_scale(stroke_size, 121, 183)
    host = strokes.with_strokes(image, scale, negative)
    planes = torch.from_numpy(image).permute(2, 0, 1)[None]
    found = device_strokes.with_strokes_tensor(planes, scale, lambda small: 1 - small)
    assert np.abs(found[0].permute(1, 2, 0).numpy() - host).max() < 1e-4


def negative(image: HostArray) -> HostArray:
    return 1 - image


def drawn_image(height: int, width: int) -> HostArray:
    """Disks with sharp edges on a soft ground, and fine lines."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    image = np.stack([columns / width, rows / height, 0.5 + 0 * rows], -1).astype(np.float32) * 0.5
    for number, color in enumerate(([0.9, 0.2, 0.1], [0.1, 0.8, 0.3], [0.9, 0.9, 0.8])):
        center = (width * (number + 1) / 4, height * (0.3 + 0.2 * number))
        inside = np.hypot(columns - center[0], rows - center[1]) < height / 6
        image[inside] = color
    image[(rows % 40 < 2) & (columns > width * 0.7)] = 0.1
    return image


def sharpness(image: HostArray) -> float:
    return float(np.quantile(edges(image), 0.98))


def edges(image: HostArray) -> HostArray:
    luma = cv2.cvtColor(np.asarray(image, np.float32), cv2.COLOR_RGB2GRAY)
    return np.hypot(cv2.Sobel(luma, -1, 1, 0), cv2.Sobel(luma, -1, 0, 1))
