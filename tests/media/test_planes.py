"""Hashes of decoded images."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vidstyle.core import Color
from vidstyle.core.clip import Matrix
from vidstyle.media.from_rgb import FromRgb
from vidstyle.media.planes import digest, rows_of, samples


def frame(pixels: str, sample: int, padding: int) -> av.VideoFrame:
    made = av.VideoFrame(50, 38, pixels)
    for plane in made.planes:
        if plane.line_size:
            rows = np.full((plane.height, plane.line_size), padding, np.uint8)
            used = plane.width * made.format.padded_bits_per_pixel // 8
            rows[:, : used if len(made.planes) == 1 else plane.width] = sample
            plane.update(rows.tobytes())
        else:
            plane.update(bytes(plane.buffer_size))
    return made


@pytest.mark.parametrize("pixels", ["yuv420p", "rgb24", "bgra", "gray", "pal8", "uyvy422"])
def test_padding_does_not_count_and_samples_do(pixels):
    assert digest(frame(pixels, 7, 0)) == digest(frame(pixels, 7, 99))
    assert digest(frame(pixels, 7, 0)) != digest(frame(pixels, 8, 0))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le", "nv12", "p010le", "gbrp10le"])
def test_every_sample_counts(pixels):
    made = av.VideoFrame(50, 38, pixels)
    for plane in made.planes:
        plane.update(bytes(plane.buffer_size))
    before = digest(made)
    for index, plane in enumerate(made.planes):
        data = np.zeros((plane.height, plane.line_size), np.uint8)
        wide = 2 if made.format.components[0].bits > 8 else 1
        pairs = 2 if index == 1 and len(made.planes) == 2 else 1
        data[-1, plane.width * wide * pairs - 1] = 1
        plane.update(data.tobytes())
        assert digest(made) != before
        before = digest(made)


def test_the_format_counts():
    assert digest(frame("yuv420p", 7, 7)) != digest(frame("yuvj420p", 7, 7))


def test_rows_are_a_view_in_the_order_that_is_shown():
    made = frame("gray", 5, 0)
    rows = rows_of(made.planes[0])
    assert rows.shape == (38, made.planes[0].line_size)
    assert (rows[:, :50] == 5).all()


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p10le", "yuva420p", "bgra", "bgr0", "gbrp"])
def test_samples_make_the_same_frame_again(name: str) -> None:
    matrix: Matrix = "bt709" if name.startswith("yuv") else "rgb"
    from_rgb = FromRgb(name, Color(matrix=matrix), width=34, height=18)
    image = np.random.default_rng(0).random((18, 34, 3), dtype=np.float32)
    frame = from_rgb(image)
    again = from_rgb.again(samples(frame))
    assert digest(again) == digest(frame)
    assert (again.color_range, again.colorspace) == (frame.color_range, frame.colorspace)
    with pytest.raises(ValueError, match=r"bytes|reshape"):
        from_rgb.again(samples(frame)[:-1])
