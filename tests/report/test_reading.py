"""Clips side by side: the same frames at the same time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.report.conftest import WriteClip
from vidstyle.core.errors import InputError
from vidstyle.report.reading import side_by_side
from vidstyle.testing import pan


def images(count: int, seed: int = 0) -> list[np.ndarray]:
    return [frame.host("source") for frame in pan(frames=count, seed=seed).frames]


def test_frames_of_the_interval_come_together(write_clip: WriteClip) -> None:
    one, two = images(8), images(8, seed=1)
    clips = {"one": write_clip("1.mkv", one), "two": write_clip("2.mkv", two)}
    with side_by_side(clips, (2, 6)) as opened:
        moments = list(opened.moments)
    assert [moment.index for moment in moments] == [0, 1, 2, 3]
    for moment, first, second in zip(moments, one[2:6], two[2:6], strict=True):
        np.testing.assert_allclose(moment.images[0], first, atol=0.51 / 255)
        np.testing.assert_allclose(moment.images[1], second, atol=0.51 / 255)


def test_time_is_the_first_clips_since_the_first_frame(write_clip: WriteClip) -> None:
    ticks = [100, 140, 240, 260]
    clip = write_clip("1.mkv", images(4), ticks=ticks)
    other = write_clip("2.mkv", images(4))
    with side_by_side({"one": clip, "two": other}, (1, None)) as opened:
        moments = list(opened.moments)
    assert [moment.seconds for moment in moments] == [0, Fraction(1, 10), Fraction(3, 25)]
    assert moments[0].duration == Fraction(1, 10)


def test_clips_of_other_sizes_are_scaled_to_the_first(write_clip: WriteClip) -> None:
    large = images(2)
    small = [cv2.resize(image, (80, 64), interpolation=cv2.INTER_AREA) for image in large]
    clips = {"small": write_clip("1.mkv", small), "large": write_clip("2.mkv", large)}
    with side_by_side(clips, (0, None)) as opened:
        first = next(opened.moments)
    np.testing.assert_allclose(first.images[1], first.images[0], atol=2 / 255)


def test_clips_of_other_lengths_are_refused_by_name(write_clip: WriteClip) -> None:
    clips = {"long": write_clip("1.mkv", images(4)), "brief": write_clip("2.mkv", images(3))}
    with (
        side_by_side(clips, (0, None)) as opened,
        pytest.raises(InputError, match="brief has 3 frames"),
    ):
        list(opened.moments)


def test_an_interval_behind_the_end_is_refused(write_clip: WriteClip) -> None:
    clip = write_clip("1.mkv", images(3))
    with side_by_side({"one": clip}, (3, None)) as opened, pytest.raises(InputError, match="3"):
        list(opened.moments)


def test_a_missing_clip_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="no such file"),
        side_by_side({"one": tmp_path / "none.mkv"}, (0, None)),
    ):
        pass


def test_folders_of_images_are_clips(tmp_path: Path) -> None:
    image = images(1)[0]
    for number in range(3):
        levels = np.rint(image[..., ::-1] * 255).astype(np.uint8)
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), levels)
    with side_by_side({"one": tmp_path}, (0, None)) as opened:
        moments = list(opened.moments)
    assert len(moments) == 3
    np.testing.assert_allclose(moments[2].images[0], image, atol=0.51 / 255)
