"""Keeps what a run encodes in its store."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from fractions import Fraction

from vidstyle.core.plan import Plan
from vidstyle.core.sink import FrameTime
from vidstyle.core.stop import StopRequest
from vidstyle.runner.execution.encoder import ChunkEnded, ChunkPaused, Encoded, EncodedFrame
from vidstyle.runner.execution.events import FrameDone, Listener, Resumed
from vidstyle.runner.storage.chunk_rows import ChunkRows
from vidstyle.runner.storage.finished import FinishedFrames
from vidstyle.runner.storage.resumption import PLANNED, START
from vidstyle.runner.storage.store import Store
from vidstyle.runner.storage.stored import StoredFrame, StoredImage, UnitStart


class Recorder:
    """Writes each packet to the store at once: memory holds none, however long the clip is."""

    def __init__(
        self, plan: Plan, store: Store, images: int, listen: Listener, stop: StopRequest
    ) -> None:
        """``images`` are kept of the first chunk that is to be made; the store has the others."""
        self.frames = sum(segment.frames for segment in store.segments())
        """How many are done, those of an earlier run included."""
        self._plan, self._store, self._listen, self._stop = plan, store, listen, stop
        self._total = plan.frame_total
        self._chunk, self._chunk_frames = 0, list[StoredFrame]()
        self._keeping = False
        if self.frames + images:
            listen(Resumed(self.frames + images))

    def record(self, chunk: int, stream: Iterable[Encoded]) -> None:
        """Store all that a run encodes from that chunk on, each chunk whole or not at all.

        Raises the reason of a stop where all that is finished has been stored.
        """
        store = self._store
        self._chunk, self._chunk_frames = chunk, []
        for item in stream:
            match item:
                case EncodedFrame():
                    self._frame(item)
                case ChunkPaused():
                    store.pause(self._chunk, len(self._chunk_frames), item.checkpoint)
                    self._stop.check()
                case ChunkEnded():
                    store.write(self._chunk, item.packets)
                    store.end(item.chunk, item.header, self._chunk_frames, item.checkpoint)
                    self._chunk, self._chunk_frames = item.chunk + 1, []
                    if item.checkpoint is not None:
                        self._stop.check()

    def record_start(self, unit: UnitStart) -> None:
        """Store where a unit starts."""
        self._store.add_unit(unit)

    def record_planned(self, chunks: int) -> None:
        """Store that all units are known, and how many chunks they are."""
        self._store.note({PLANNED: str(chunks)})

    def record_chunk(self, rows: ChunkRows) -> None:
        """Store a chunk that has been computed elsewhere; it counts when all of its unit are."""
        self._store.put(rows)
        for index, _, _, digest in rows.frames:
            self.frames += 1
            self._listen(FrameDone(index, self.frames, self._total, digest))

    def record_clock(self, start: Fraction) -> None:
        """Store when the first frame is shown, in seconds."""
        if START not in self._store.facts:
            self._store.note({START: str(start)})

    def drop_chunks(self, chunks: Collection[int]) -> None:
        """Remove those of units that will not be whole."""
        self._store.drop_chunks(chunks)

    @property
    def digest(self) -> str:
        """Hash of the hashes of all frames whose chunk has ended, in order."""
        digest = hashlib.sha256()
        for each in self._store.digests():
            digest.update(bytes.fromhex(each))
        return digest.hexdigest()

    def finished(self, start: Fraction) -> FinishedFrames:
        """All frames, to be joined; ``start`` is the first one's time."""
        times, interval = self._store.times(), None
        if self._plan.frames != (0, None):
            shift, last = times[0].pts, times[-1]
            stop = (last.pts + last.duration) * self._plan.sink.clip.time_base
            interval = (start, stop)
            times = [FrameTime(frame.pts - shift, frame.duration) for frame in times]
        return FinishedFrames(self._store.segments(), times, interval, self.digest)

    def _frame(self, item: EncodedFrame) -> None:
        frame, image = item.frame, None
        if item.planes is not None:
            image = (len(self._chunk_frames), StoredImage(frame, item.planes))
        elif self._keeping and not item.replayed:
            self._store.drop_images()
        self._store.write(self._chunk, item.packets, image)
        self._keeping = item.replayed or item.planes is not None
        self._chunk_frames.append(frame)
        self.frames += 1
        if not item.replayed:
            self._listen(FrameDone(frame.index, self.frames, self._total, frame.digest))
