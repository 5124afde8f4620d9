"""Frames by number and by time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError, UsageError
from vidstyle.runner.interval import (
    Interval,
    TimeInterval,
    indices_in,
    parse_interval,
    spread_evenly,
)
from vidstyle.stages.decode.images import DecodeImages, ImagesOptions
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

# In milliseconds: a clip of variable rate that does not start at 0.
TIMES = (500, 533, 700, 1200, 1233, 2500, 3500, 3501, 3502, 4000)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "variable.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=1000, width=64, height=48)
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 1000)
        for number, time in enumerate(TIMES):
            image = np.full((48, 64, 3), 20 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def found(path: Path, interval: Interval) -> tuple[tuple[int, int | None], list[str]]:
    source = DecodePyAV(DecodeOptions())
    opened = source.open(path, ExecutionContext())
    indices, notes = indices_in(interval, source, opened)
    source.close()
    return indices, [note.text for note in notes]


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("0:100", (0, 100)),
        ("5:", (5, None)),
        (":7", (0, 7)),
        (":", (0, None)),
        ("3s:8s", TimeInterval(Fraction(3), Fraction(8))),
        ("3.25s:", TimeInterval(Fraction(13, 4), None)),
        (":.1s", TimeInterval(Fraction(0), Fraction(1, 10))),
        ("0:8s", TimeInterval(Fraction(0), Fraction(8))),
        ("1h2m3.5s:2h", TimeInterval(Fraction("3723.5"), Fraction(7200))),
        ("250ms:1s500ms", TimeInterval(Fraction(1, 4), Fraction(3, 2))),
        ("90s:2m", TimeInterval(Fraction(90), Fraction(120))),
        ("1:30-2:00", TimeInterval(Fraction(90), Fraction(120))),
        ("1:02:03.5-", TimeInterval(Fraction("3723.5"), None)),
        ("-0:30", TimeInterval(Fraction(0), Fraction(30))),
        ("3s-1:00", TimeInterval(Fraction(3), Fraction(60))),
    ],
)
def test_frames_are_named_by_numbers_or_by_times(text: str, interval: Interval) -> None:
    assert parse_interval(text) == interval


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "5: wanted A:B, such as 0:100, 3s:8s or 1:30-2:00"),
        ("5-7", "wanted A:B"),
        ("1:30:2:00", "wanted A:B"),
        ("2:00-1:30", "the end must be greater than the start"),
        ("a:b", "wanted A:B"),
        ("1:2:3", "wanted A:B"),
        ("-1s:2s", "wanted A:B"),
        ("1e9s:", "wanted A:B"),
        ("s:", "wanted A:B"),
        ("3s:100", "wanted two frame numbers or two times"),
        ("100:3s", "wanted two frame numbers or two times"),
        ("8s:3s", "8s:3s: the end must be greater than the start"),
        ("3s:3s", "the end must be greater than the start"),
        (":0s", "the end must be greater than the start"),
    ],
)
def test_what_is_no_interval_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_interval(text)


def test_frames_begin_in_the_interval_of_time_whatever_the_rate(clip: Path) -> None:
    seconds = [Fraction(time - TIMES[0], 1000) for time in TIMES]
    ends = (*seconds, *(each + Fraction(1, 10_000) for each in seconds))
    for start in ends:
        for stop in ends:
            wanted = [n for n, at in enumerate(seconds) if start <= at < stop]
            if stop <= start:
                continue
            if not wanted:
                with pytest.raises(InputError):
                    found(clip, TimeInterval(start, stop))
                continue
            indices, _ = found(clip, TimeInterval(start, stop))
            assert indices == (wanted[0], wanted[-1] + 1)


def test_an_open_end_is_that_of_the_clip(clip: Path) -> None:
    assert found(clip, TimeInterval(Fraction(3), None)) == ((6, None), [])
    assert found(clip, TimeInterval(Fraction(0), None)) == ((0, None), [])


def test_an_end_behind_the_clip_is_noted(clip: Path) -> None:
    indices, notes = found(clip, TimeInterval(Fraction(1), Fraction(60)))
    assert indices == (5, 10)
    assert notes == ["--frames ends at 60s, but the last frame of the input is at 3.500s"]


@pytest.mark.parametrize(("first", "stop"), [(0, 10), (0, 99), (4, 11), (0, 5)])
def test_numbers_behind_the_clip_are_those_of_its_end(clip: Path, first: int, stop: int) -> None:
    indices, notes = found(clip, (first, stop))
    assert indices == (first, min(stop, 10))
    behind = f"--frames ends at {stop}, but the input has 10 frames"
    assert notes == ([behind] if stop > 10 else [])


def test_an_interval_without_a_frame_is_refused(clip: Path) -> None:
    with pytest.raises(InputError, match=r"--frames 2.1s:2.2s: no frame of the input begins in it"):
        found(clip, TimeInterval(Fraction("2.1"), Fraction("2.2")))
    with pytest.raises(InputError, match=r"--frames starts at 9s, but the last .* is at 3\.500s"):
        found(clip, TimeInterval(Fraction(9), None))


def test_images_are_counted_and_not_read(tmp_path: Path) -> None:
    for number in range(50):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
    source = DecodeImages(ImagesOptions(frame_rate="12.5"))
    opened = source.open(tmp_path, ExecutionContext())
    (tmp_path / "10.png").write_text("damaged")
    indices, _ = indices_in(TimeInterval(Fraction(1), Fraction(2)), source, opened)
    assert indices == (13, 25)


def test_numbers_of_a_thinned_clip_are_noted(clip: Path) -> None:
    noted = {}
    for rate in (None, "5"):
        source = DecodePyAV(DecodeOptions(thin_to=rate))
        opened = source.open(clip, ExecutionContext())
        assert indices_in((0, None), source, opened) == ((0, None), ())
        found, noted[rate] = indices_in((1, 3), source, opened)
        assert found == (1, 3)
    assert noted[None] == ()
    [note] = noted["5"]
    assert "--frames counts the frames that stay of the clip, 5 a second" in note.text


@pytest.mark.parametrize("thin_to", [None, "5"])
def test_times_are_those_of_the_frames(clip: Path, tmp_path: Path, thin_to: str | None) -> None:
    (tmp_path / "images").mkdir()
    for number in range(50):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
    for path, source in (
        (clip, DecodePyAV(DecodeOptions(thin_to=thin_to))),
        (tmp_path / "images", DecodeImages(ImagesOptions(thin_to=thin_to))),
    ):
        source.open(path, ExecutionContext())
        frames = [(frame.index, frame.pts) for frame in source.frames()]
        assert list(source.times()) == frames
        assert len(frames) >= 6
        source.close()


@pytest.mark.parametrize(
    ("length", "count", "wanted"),
    [(10, 4, [1, 3, 6, 8]), (10, 1, [5]), (3, 4, [0, 1, 2]), (1, 3, [0]), (2, 2, [0, 1])],
)
def test_frames_are_spread_evenly(length: int, count: int, wanted: list[int]) -> None:
    assert spread_evenly(length, count) == wanted
