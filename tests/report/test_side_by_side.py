"""Clips side by side: the same frames at the same time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.report.conftest import WriteClip
from vidstyle.core import Clip
from vidstyle.core.errors import InputError
from vidstyle.report.side_by_side import display_size, open_side_by_side
from vidstyle.testing import pan


def images(count: int, seed: int = 0) -> list[np.ndarray]:
    return [frame.host("source") for frame in pan(frames=count, seed=seed).frames]


def test_frames_of_the_interval_come_together(write_clip: WriteClip) -> None:
    one, two = images(8), images(8, seed=1)
    clips = {"one": write_clip("1.mkv", one), "two": write_clip("2.mkv", two)}
    with open_side_by_side(clips, (2, 6)) as opened:
        shown = list(opened.frames)
    assert [frame.index for frame in shown] == [0, 1, 2, 3]
    for frame, first, second in zip(shown, one[2:6], two[2:6], strict=True):
        np.testing.assert_allclose(frame.images[0], first, atol=0.51 / 255)
        np.testing.assert_allclose(frame.images[1], second, atol=0.51 / 255)


def test_time_is_the_first_clips_since_the_first_frame(write_clip: WriteClip) -> None:
    ticks = [100, 140, 240, 260]
    clip = write_clip("1.mkv", images(4), ticks=ticks)
    other = write_clip("2.mkv", images(4))
    with open_side_by_side({"one": clip, "two": other}, (1, None)) as opened:
        shown = list(opened.frames)
    assert [frame.seconds for frame in shown] == [0, Fraction(1, 10), Fraction(3, 25)]
    assert shown[0].duration == Fraction(1, 10)


def test_clips_of_other_sizes_are_scaled_to_the_first(write_clip: WriteClip) -> None:
    large = images(2)
    small = [cv2.resize(image, (80, 64), interpolation=cv2.INTER_AREA) for image in large]
    clips = {"small": write_clip("1.mkv", small), "large": write_clip("2.mkv", large)}
    with open_side_by_side(clips, (0, None)) as opened:
        first = next(opened.frames)
    np.testing.assert_allclose(first.images[1], first.images[0], atol=2 / 255)


def test_clips_of_other_lengths_are_refused_by_name(write_clip: WriteClip) -> None:
    clips = {"long": write_clip("1.mkv", images(4)), "brief": write_clip("2.mkv", images(3))}
    with (
        open_side_by_side(clips, (0, None)) as opened,
        pytest.raises(InputError, match="brief has 3 frames"),
    ):
        list(opened.frames)


def test_an_interval_behind_the_end_is_refused(write_clip: WriteClip) -> None:
    clip = write_clip("1.mkv", images(3))
    with (
        open_side_by_side({"one": clip}, (3, None)) as opened,
        pytest.raises(InputError, match="3"),
    ):
        list(opened.frames)


def test_a_missing_clip_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="no such file"),
        open_side_by_side({"one": tmp_path / "none.mkv"}, (0, None)),
    ):
        pass


def test_folders_of_images_are_clips(tmp_path: Path) -> None:
    image = images(1)[0]
    for number in range(3):
        levels = np.rint(image[..., ::-1] * 255).astype(np.uint8)
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), levels)
    with open_side_by_side({"one": tmp_path}, (0, None)) as opened:
        shown = list(opened.frames)
    assert len(shown) == 3
    np.testing.assert_allclose(shown[2].images[0], image, atol=0.51 / 255)


@pytest.mark.parametrize(
    ("width", "height", "aspect", "size"),
    [
        (1920, 1080, Fraction(1), (640, 360)),
        (160, 128, Fraction(1), (160, 128)),
        (161, 127, Fraction(1), (160, 128)),
        (1080, 1920, Fraction(1), (640, 1138)),
        (720, 576, Fraction(16, 15), (640, 480)),
        (1440, 1080, Fraction(4, 3), (640, 360)),
        (320, 240, Fraction(1, 2), (160, 240)),
        (1, 1, Fraction(1), (2, 2)),
    ],
)
def test_sides_are_even_and_pixels_square(
    width: int, height: int, aspect: Fraction, size: tuple[int, int]
) -> None:
    clip = Clip(width, height, Fraction(1, 25), sample_aspect=aspect)
    assert display_size(clip, 640) == size
