"""The end of the stream: one writer a chunk, its packets stored, everything joined once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from vidstyle.core.plan import Plan
from vidstyle.core.sink import FrameTime, Original, Sink, Writer
from vidstyle.runner.checkpoint import checkpoint_of
from vidstyle.runner.destination import Destination
from vidstyle.runner.edge import Edge
from vidstyle.runner.events import FrameDone, Listener
from vidstyle.runner.guard import guarded
from vidstyle.runner.parcel import Parcel
from vidstyle.runner.store import Store, StoredFrame

T = TypeVar("T")


class Encoding:
    """Consumes parcels; ``join`` then makes the file."""

    def __init__(
        self, sink: Sink, plan: Plan, store: Store, listen: Listener, *, chunk: int = 0
    ) -> None:
        """``chunk`` is the first one to be made; those before it are in the store."""
        self.frames = 0
        self.seconds = 0.0
        """Time spent inside the sink."""
        self._sink, self._plan, self._store, self._listen = sink, plan, store, listen
        self._all = hashlib.sha256()
        self._chunk = chunk
        self._writer: Writer | None = None
        self._chunk_frames: list[StoredFrame] = []
        for digest in store.digests():
            self._count(digest)

    @property
    def digest(self) -> str:
        """Hash of all frames' hashes so far, in order."""
        return self._all.hexdigest()

    def consume(self, parcels: Iterable[Parcel]) -> None:
        """Encode all frames and store the packets of each chunk as it is complete."""
        for parcel in parcels:
            if parcel.chunk != self._chunk:
                self._end_chunk(parcel.edge)
                self._chunk = parcel.chunk
            self._write(parcel)
        self._end_chunk(None)

    def join(self, original: Path, destination: Destination, start: Fraction) -> None:
        """Make the file beside the destination; ``start`` is the first frame's time."""
        times = self._store.times()
        interval = None
        if self._plan.frames != (0, None):
            shift, last = times[0].pts, times[-1]
            stop = (last.pts + last.duration) * self._plan.sink.clip.time_base
            interval = (start, stop)
            times = [FrameTime(frame.pts - shift, frame.duration) for frame in times]
        segments, source = self._store.segments(), Original(original, interval)
        self._timed(None, lambda: self._sink.join(segments, times, source, destination.partial))

    def _write(self, parcel: Parcel) -> None:
        reads = [name for name in self._plan.sink.needs.reads if name in parcel.cells]
        frame = parcel.show(reads, "host", "cpu")
        if self._writer is None:
            self._writer = self._timed(
                parcel.index, lambda: self._sink.segment(self._plan.sink.clip)
            )
        writer = self._writer
        packets, digest = self._timed(parcel.index, lambda: writer.write(frame))
        self._store.write(self._chunk, packets)
        time_of_frame = FrameTime(parcel.pts, parcel.duration)
        self._chunk_frames.append(StoredFrame(parcel.index, time_of_frame, digest))
        self._count(digest)
        self._listen(FrameDone(parcel.index, self.frames, self._total(), digest))

    def _count(self, digest: str) -> None:
        self._all.update(bytes.fromhex(digest))
        self.frames += 1

    def _end_chunk(self, edge: Edge | None) -> None:
        """``edge`` is that of the frame that begins the next chunk."""
        writer = self._writer
        if writer is None:
            return
        last = self._chunk_frames[-1].index
        self._store.write(self._chunk, self._timed(last, writer.finish))
        behind = None if edge is None else checkpoint_of(edge)
        self._store.end(self._chunk, writer.header, self._chunk_frames, behind)
        self._writer, self._chunk_frames = None, []

    def _timed(self, index: int | None, action: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return guarded(self._plan.sink.name, index, action)
        finally:
            self.seconds += time.perf_counter() - started

    def _total(self) -> int | None:
        first, stop = self._plan.frames
        count = self._plan.source.clip.frame_count
        if count is None:
            return None if stop is None else stop - first
        return (count if stop is None else min(stop, count)) - first
