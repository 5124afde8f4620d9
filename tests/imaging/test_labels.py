"""Labels: legible on any ground, within their image, and never shortened in silence."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.labels import draw_label, label_margin, make_label


def gray(level: float, height: int = 120, width: int = 400) -> HostArray:
    return np.full((height, width, 3), level, np.float32)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_letters_stand_out_on_any_ground(level: float) -> None:
    image, label = gray(level, 360, 640), make_label("source", width=600, height=360)
    draw_label(image, label, left=10, top=6)
    height, width = label.ink.shape[:2]
    box = image[6 : 6 + height, 10 : 10 + width]
    # White letters on a ground of at most 40 % of white: a contrast of more than 4 to 1 by WCAG 2.
    assert box.max() == pytest.approx(1)
    ground = float(np.percentile(box, 5))
    assert ground == pytest.approx(0.4 * level, abs=1e-6)
    linear = ((ground + 0.055) / 1.055) ** 2.4
    assert (1 + 0.05) / (linear + 0.05) > 4.5
    # Outside of the box nothing is changed.
    image[6 : 6 + height, 10 : 10 + width] = level
    assert (image == np.float32(level)).all()


@pytest.mark.parametrize("height", [90, 360, 1080, 2160])
def test_letters_grow_with_the_image(height: int) -> None:
    label = make_label("H", width=10_000, height=height)
    rows = np.flatnonzero(label.ink[..., 0].max(axis=1) > 0.5)
    tall = rows[-1] - rows[0] + 1
    # A capital is three quarters of a twentieth of the height.
    assert tall == pytest.approx(max(9, height / 20) * 0.74, rel=0.2, abs=1)


@pytest.mark.parametrize("text", ["gjpqy|", "Äöé", "HHHH", "source.mp4"])
def test_no_letter_touches_the_edge_of_its_box(text: str) -> None:
    ink = make_label(text, width=1000, height=480).ink[..., 0]
    for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert edge.max() == 0


def test_a_long_text_gets_smaller_and_then_loses_its_middle() -> None:
    text = "a-clip-with-a-long-name"
    large = make_label(text, width=1000, height=360)
    small = make_label(text, width=large.ink.shape[1] - 20, height=360)
    assert large.whole
    assert small.whole
    assert small.ink.shape[0] < large.ink.shape[0]
    assert small.ink.shape[1] <= large.ink.shape[1] - 20
    cut = make_label(text, width=80, height=360)
    assert not cut.whole
    assert cut.ink.shape[1] <= 80
    front, back = cut.text.split("...")
    assert text.startswith(front)
    assert text.endswith(back)
    assert front
    assert back


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 4), (30, 3)])
def test_a_label_is_never_larger_than_its_image(width: int, height: int) -> None:
    label = make_label("source", width=width, height=height)
    assert label.ink.shape[0] <= height
    assert label.ink.shape[1] <= width
    draw_label(gray(1, height, width), label, left=0, top=0)


@pytest.mark.parametrize("left", [-500, -20, 390, 400, 1000])
def test_what_lies_outside_is_left_out(left: int) -> None:
    label = make_label("source", width=300, height=360)
    wide = gray(1, 120, 2000)
    draw_label(wide, label, left=800 + left, top=5)
    image = gray(1)
    draw_label(image, label, left=left, top=5)
    np.testing.assert_array_equal(image, wide[:, 800:1200])


@pytest.mark.parametrize("text", ["", " \n ", "a\nb", "\udcff", "片"])
def test_any_text_is_drawn(text: str) -> None:
    label = make_label(text, width=300, height=100)
    draw_label(gray(0.5), label, left=3, top=3)
    assert "\n" not in label.text


def test_no_image() -> None:
    with pytest.raises(ValueError, match="needs an image"):
        make_label("a", width=0, height=5)
    assert label_margin(1) == 2
