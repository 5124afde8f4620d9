"""The end of the stream: one writer a chunk, its packets stored, everything joined once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

from vidstyle.core.plan import Plan
from vidstyle.core.sink import FrameTime, Original, ReplayableWriter, Sink, Writer
from vidstyle.runner.execution.edge import Edge
from vidstyle.runner.execution.events import FrameDone, Listener
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.pauses import Pauses
from vidstyle.runner.storage.checkpoint import checkpoint_of
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.store import Resumption, Store, StoredFrame, StoredImage

T = TypeVar("T")


class Encoding:
    """Consumes parcels; ``join`` then makes the file."""

    def __init__(
        self,
        sink: Sink,
        plan: Plan,
        store: Store,
        listen: Listener,
        *,
        found: Resumption,
        pauses: Pauses,
    ) -> None:
        """``found`` is where the run goes on: what is before that is in the store."""
        self.frames = 0
        self.seconds = 0.0
        """Time spent inside the sink."""
        self._sink, self._plan, self._store, self._listen = sink, plan, store, listen
        self._all = hashlib.sha256()
        self._pauses = pauses
        self._keeping = True
        self._chunk = found.chunk
        self._writer: Writer | None = None
        self._chunk_frames: list[StoredFrame] = []
        for digest in store.digests():
            self._count(digest)
        self._replay(found.images)

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
            elif parcel.edge is not None:
                self._pause(parcel.edge)
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
        writer = self._open_writer(parcel.index)
        packets, digest = self._timed(parcel.index, lambda: writer.write(frame))
        self._store.write(self._chunk, packets)
        stored = StoredFrame(parcel.index, FrameTime(parcel.pts, parcel.duration), digest)
        self._keep_image(writer, stored)
        self._chunk_frames.append(stored)
        self._count(digest)
        self._listen(FrameDone(parcel.index, self.frames, self._total(), digest))

    def _open_writer(self, index: int | None) -> Writer:
        if self._writer is None:
            clip = self._plan.sink.clip
            self._writer = self._timed(index, lambda: self._sink.segment(clip))
            self._keeping = isinstance(self._writer, ReplayableWriter)
            self._pauses.begin()
        return self._writer

    def _keep_image(self, writer: Writer, stored: StoredFrame) -> None:
        """Put aside what the encoder was given, as long as the pipeline is slow."""
        if not self._keeping or not isinstance(writer, ReplayableWriter):
            return
        self._keeping = self._pauses.worthwhile()
        if self._keeping:
            image = StoredImage(stored, self._timed(stored.index, writer.planes))
            self._store.write_image(len(self._chunk_frames), image)
        else:
            self._store.drop_images()

    def _pause(self, edge: Edge) -> None:
        """Keep what is done of the chunk, before the frame whose edge this is."""
        # A stage inside of a span has noted nothing.
        if self._keeping and len(edge.held) == len(self._plan.stages):
            self._store.pause(self._chunk, len(self._chunk_frames), checkpoint_of(edge))

    def _replay(self, count: int) -> None:
        """Give a new encoder the frames of the unfinished chunk that an earlier run has made."""
        for image in self._store.images(count):
            writer = self._open_writer(None)
            if not isinstance(writer, ReplayableWriter):
                raise TypeError("images were kept of a writer that cannot replay them")
            packets = self._timed(image.frame.index, partial(writer.replay, image.planes))
            self._store.write(self._chunk, packets)
            self._chunk_frames.append(image.frame)
            self._count(image.frame.digest)

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
