"""The end of the stream: one writer a chunk, and what it gives, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vidstyle.core.frame import HOST, Frame
from vidstyle.core.plan import Plan
from vidstyle.core.sink import FrameTime, Packet, ReplayableWriter, Sink, Writer
from vidstyle.runner.execution.checkpoints import Checkpoints, PauseRule
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.storage.checkpoint import Checkpoint, Clock
from vidstyle.runner.storage.stored import StoredFrame, StoredImage

# Frames of a chunk before which nobody knows how fast a pipeline is.
_UNKNOWN_SPEED = 4


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame was given to the encoder."""

    frame: StoredFrame
    packets: Sequence[Packet]
    """Those that are ready; an encoder holds some back."""
    planes: bytes | None = None
    """What the encoder was given, where that is worth keeping until the chunk is whole."""
    replayed: bool = False
    """Whether an earlier run has computed it."""


@dataclass(frozen=True, slots=True)
class ChunkPaused:
    """The frames of the chunk so far can be kept: the run may resume behind them."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class ChunkEnded:
    """The chunk is whole."""

    chunk: int
    header: bytes
    packets: Sequence[Packet]
    """Those that the encoder had held back."""
    checkpoint: Checkpoint | None
    """Before the next chunk; None behind the last one."""


Encoded: TypeAlias = EncodedFrame | ChunkPaused | ChunkEnded


class Encoder:
    """Encodes the frames of a run, chunk by chunk; call ``run`` once."""

    def __init__(
        self,
        sink: Sink,
        plan: Plan,
        checkpoints: Checkpoints,
        rule: PauseRule,
        clock: Callable[[], Clock],
    ) -> None:
        """Take an opened sink; ``clock`` gives the run's clock once there are frames."""
        self.guard = Guard(plan.sink.name)
        self._sink, self._clip, self._reads = sink, plan.sink.clip, tuple(plan.sink.needs.reads)
        self._stages = len(plan.stages)
        self._checkpoints, self._rule, self._clock = checkpoints, rule, clock
        self._writer: Writer | None = None
        self._keeping = False
        self._begun = 0.0
        self._computed = self._bytes = 0

    def run(
        self,
        frames: Iterable[Frame],
        *,
        chunk: int = 0,
        first: int = 0,
        stop: int | None = None,
        replay: Iterable[StoredImage] = (),
    ) -> Generator[Encoded, None, None]:
        """Encode all frames.

        Args:
            frames: In order.
            chunk: Number of the first one's chunk.
            first: Index of the first frame that is encoded; those before it are dropped.
            stop: Index of the first frame that is left out, the first one of a chunk.
            replay: Frames of that chunk that an earlier run has computed, as it kept them.
        """
        last = None
        for image in replay:
            yield self._encode_again(image)
            last = image.frame.index
        for frame in frames:
            if frame.index < first:
                continue
            checkpoint = None
            if frame.checkpoint:
                parts = self._checkpoints.pop(frame.index)
                checkpoint = parts.whole(self._stages, self._clock())
            if frame.chunk != chunk and self._writer is not None:
                yield self._end(self._writer, chunk, last, checkpoint)
            elif checkpoint is not None and self._keeping:
                yield ChunkPaused(checkpoint)
            if stop is not None and frame.index >= stop:
                break
            chunk, last = frame.chunk, frame.index
            yield self._encode(frame)
        if self._writer is not None:
            yield self._end(self._writer, chunk, last, None)

    def _encode(self, frame: Frame) -> EncodedFrame:
        writer = self._writer or self._open(frame.index)
        shown = frame.restrict(self._reads, HOST)
        packets, digest = self.guard(frame.index, writer.write, shown)
        stored = StoredFrame(frame.index, FrameTime(frame.pts, frame.duration), digest)
        self._computed += 1
        planes, taken, rule = None, time.monotonic() - self._begun, self._rule
        # Frames that take long, or little room, are kept until the chunk is whole.
        self._keeping = self._keeping and (
            self._computed <= _UNKNOWN_SPEED
            or taken > rule.slow * self._computed
            or self._bytes <= min(rule.rate * taken, rule.most)
        )
        if self._keeping:
            assert isinstance(writer, ReplayableWriter)
            planes = self.guard(frame.index, writer.planes)
            self._bytes += len(planes)
        return EncodedFrame(stored, packets, planes)

    def _encode_again(self, image: StoredImage) -> EncodedFrame:
        """Give a new encoder a frame of the unfinished chunk."""
        writer = self._writer or self._open(None)
        if not isinstance(writer, ReplayableWriter):
            raise TypeError("images were kept of a writer that cannot replay them")
        packets = self.guard(image.frame.index, writer.replay, image.planes)
        return EncodedFrame(image.frame, packets, replayed=True)

    def _open(self, index: int | None) -> Writer:
        writer = self._writer = self.guard(index, self._sink.segment, self._clip)
        self._keeping = isinstance(writer, ReplayableWriter)
        self._begun, self._computed, self._bytes = time.monotonic(), 0, 0
        return writer

    def _end(
        self, writer: Writer, chunk: int, last: int | None, checkpoint: Checkpoint | None
    ) -> ChunkEnded:
        packets = self.guard(last, writer.finish)
        self._writer = None
        return ChunkEnded(chunk, writer.header, packets, checkpoint)
