"""The suite for sources passes an honest one and names what others break."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, Frame, Mark, Note, StageOptions
from vidstyle.testing import SyntheticClip, check_source, checks_for_source, failed, pan

NOWHERE = Path("clip")


class FromMemory:
    """Reads a clip that was made in code."""

    Options = StageOptions
    notes: Sequence[Note] = ()

    def __init__(self, options: Any) -> None:
        self._last: Frame | None = None

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        self._preview_video: SyntheticClip = pan(frames=8, width=32, height=24)
        return self._preview_video.clip

    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        for frame in self._preview_video.frames[0 if after is None else after.index + 1 :]:
            self._last = replace(frame, layers={"source": frame.host("source")})
            yield self._last

    def mark(self) -> Callable[[], Mark]:
        assert self._last is not None
        mark = Mark(self._last.index, self._last.pts, ())
        return lambda: mark

    def close(self) -> None:
        return None


class Changed(FromMemory):
    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        for frame in super().frames(after):
            yield self.change(frame)

    def change(self, frame: Frame) -> Frame:
        return frame


class SkipsANumber(Changed):
    def change(self, frame: Frame) -> Frame:
        return replace(frame, index=frame.index + (frame.index > 3))


class GoesBack(Changed):
    def change(self, frame: Frame) -> Frame:
        return replace(frame, pts=-frame.pts)


class HasNoDuration(Changed):
    def change(self, frame: Frame) -> Frame:
        return replace(frame, duration=0)


class TransposesImages(Changed):
    def change(self, frame: Frame) -> Frame:
        return replace(frame, layers={"source": np.swapaxes(frame.host("source"), 0, 1)})


class GivesBytes(Changed):
    def change(self, frame: Frame) -> Frame:
        return replace(frame, layers={"source": frame.host("source") * np.float32(255)})


class IsRandom(Changed):
    def change(self, frame: Frame) -> Frame:
        noise = np.float32(secrets.randbelow(1 << 20) / (1 << 20))
        return replace(frame, layers={"source": frame.host("source") * noise})


class MissesByOne(FromMemory):
    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        return super().frames(after and replace(after, index=after.index + 1))


class MarksTheNextFrame(FromMemory):
    def mark(self) -> Callable[[], Mark]:
        mark = super().mark()()
        return lambda: replace(mark, index=mark.index + 1)


@pytest.mark.parametrize(("name", "check"), checks_for_source(FromMemory, NOWHERE))
def test_an_honest_source_passes(name: str, check: Any) -> None:
    check()


@pytest.mark.parametrize(
    ("source", "promise", "words"),
    [
        (SkipsANumber, "frames_are_numbered_in_order_of_time", "numbered [0, 1, 2, 3, 5"),
        (GoesBack, "frames_are_numbered_in_order_of_time", "frame 1 is shown at -512"),
        (HasNoDuration, "frames_are_numbered_in_order_of_time", "lasts 0"),
        (TransposesImages, "frames_have_the_described_size", "(32, 24, 3), wanted (24, 32, 3)"),
        (GivesBytes, "frames_have_the_described_size", "[0, 1]"),
        (IsRandom, "same_file_gives_same_frames", "frame 0"),
        (MissesByOne, "marks_lead_back_to_their_place", "after frame 0: 6 frames, not 7"),
        (MarksTheNextFrame, "marks_lead_back_to_their_place", "after frame 0 says 1"),
    ],
)
def test_a_broken_promise_is_named(source: type[Any], promise: str, words: str) -> None:
    assert words in failed(check_source(source, NOWHERE))[promise]


def test_a_source_that_cannot_open_fails_every_check() -> None:
    class Absent(FromMemory):
        def open(self, path: Path, context: ExecutionContext) -> Clip:
            raise FileNotFoundError(path)

    reasons = failed(check_source(Absent, NOWHERE))
    assert len(reasons) == 5
    assert all("FileNotFoundError" in reason for reason in reasons.values())
