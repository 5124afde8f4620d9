"""The suite for sinks passes an honest one and names what others break."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidstyle.core import (
    NOW,
    Clip,
    ExecutionContext,
    Frame,
    FrameTime,
    Needs,
    Note,
    Original,
    Packet,
    Segment,
    StageOptions,
)
from vidstyle.core.errors import PipelineError
from vidstyle.testing import checks_for_sink, failed, results


class OneFileAFrame:
    """Writes each packet to a file of its own, in a folder."""

    Options = StageOptions
    needs = Needs(reads={"image": NOW})
    suffix = ""
    notes: Sequence[Note] = ()

    def __init__(self, options: Any) -> None:
        return None

    def check(self, path: Path, clip: Clip) -> None:
        return None

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        return None

    def segment(self, clip: Clip) -> Writer:
        return Writer(self)

    def packet(self, data: bytes, number: int) -> Packet:
        return Packet(data, number, number, keyframe=True)

    def digest(self, data: bytes, number: int) -> str:
        return hashlib.sha256(data).hexdigest()

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        assert original.path.exists()
        path.mkdir()
        packets = [packet for segment in segments for packet in segment.packets()]
        for number, packet in enumerate(self.kept(packets)):
            (path / f"{number}.png").write_bytes(packet.data)

    def kept(self, packets: list[Packet]) -> list[Packet]:
        return packets

    def close(self) -> None:
        return None


class Writer:
    header = b""

    def __init__(self, sink: OneFileAFrame) -> None:
        self._sink, self._count = sink, 0

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        data, number = frame.host("image").tobytes(), self._count
        self._count += 1
        return [self._sink.packet(data, number)], self._sink.digest(data, number)

    def finish(self) -> list[Packet]:
        return []


class LosesAFrame(OneFileAFrame):
    def kept(self, packets: list[Packet]) -> list[Packet]:
        return packets[:7]


class CountsOn(OneFileAFrame):
    """Packets continue where the last chunk ended."""

    count = -1

    def packet(self, data: bytes, number: int) -> Packet:
        self.count += 1
        return Packet(data, self.count, self.count, keyframe=True)


class BeginsWithoutKeyframe(OneFileAFrame):
    def packet(self, data: bytes, number: int) -> Packet:
        return Packet(data, number, number, keyframe=number > 0)


class IsRandom(OneFileAFrame):
    def packet(self, data: bytes, number: int) -> Packet:
        return super().packet(data + secrets.token_bytes(8), number)


class HashesTheNumber(OneFileAFrame):
    def digest(self, data: bytes, number: int) -> str:
        return str(number)


class HashesNothing(OneFileAFrame):
    def digest(self, data: bytes, number: int) -> str:
        return "same"


class NeedsEvenSizes(OneFileAFrame):
    def segment(self, clip: Clip) -> Writer:
        if clip.width % 2:
            raise ValueError("width not divisible by 2")
        return super().segment(clip)


class RefusesOddSizes(OneFileAFrame):
    def check(self, path: Path, clip: Clip) -> None:
        if clip.width % 2:
            raise PipelineError("an even width, please")


class ClosesWhatItNeverOpened(OneFileAFrame):
    files: Any = None

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self.files = []

    def close(self) -> None:
        self.files.clear()


@pytest.mark.parametrize(("name", "check"), checks_for_sink(OneFileAFrame, ""))
def test_an_honest_sink_passes(name: str, check: Any) -> None:
    check()


def test_a_sink_may_refuse_a_clip_before_it_begins() -> None:
    assert failed(results(checks_for_sink(RefusesOddSizes, ""))) == {}


@pytest.mark.parametrize(
    ("sink", "promise", "words"),
    [
        (LosesAFrame, "chunks_join_to_all_frames", "gave 7 frames"),
        (CountsOn, "each_chunk_starts_with_a_keyframe", "lie at [3]"),
        (BeginsWithoutKeyframe, "each_chunk_starts_with_a_keyframe", "keyframe"),
        (IsRandom, "same_frames_give_same_packets", "other packets"),
        (HashesTheNumber, "different_frames_have_different_hashes", "depends on its chunk"),
        (HashesNothing, "different_frames_have_different_hashes", "one hash"),
        (NeedsEvenSizes, "odd_sizes_and_variable_rates_work", "divisible"),
        (ClosesWhatItNeverOpened, "sinks_close_without_opening", "NoneType"),
    ],
)
def test_a_broken_promise_is_named(sink: type[Any], promise: str, words: str) -> None:
    reasons = failed(results(checks_for_sink(sink, "")))
    assert set(reasons) == {promise}
    assert words in reasons[promise]
