"""Encoded chunks on their way to the destination: one sqlite file beside it.

Memory holds no packets, however long the clip and however large its frames are. A chunk is
there whole or not at all: each is one transaction, together with the checkpoint behind it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from vidstyle.core.errors import OutputError
from vidstyle.core.sink import FrameTime, Packet
from vidstyle.runner.storage.checkpoint import Checkpoint, load_place, save_place
from vidstyle.runner.storage.chunk_rows import (
    ChunkRows,
    FrameRow,
    chunk_digest,
    frame_row,
    packet_of,
    rows_digest,
)
from vidstyle.runner.storage.store_file import is_damage, open_database, remove
from vidstyle.runner.storage.stored import StoredFrame, StoredImage, UnitStart

CHUNKS = "chunks"
"""Fact that is noted when all chunks are there: how many."""
# Checkpoints: where the last chunk turns out damaged, the one before it is gone back to.
_KEPT = 2
# Stands for the chunk of what is held inside of an unfinished one.
_PAUSED = -1
# The fact that holds the hash of all others.
_SEAL = "seal"
_INSERT_PACKET = (
    "insert into packet (chunk, number, pts, dts, keyframe, data, side)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """One chunk in the store; reads its packets when they are asked for."""

    header: bytes
    frames: int
    _store: Store
    _chunk: int

    def packets(self) -> Iterator[Packet]:
        """In decoding order."""
        return self._store.packets(self._chunk)


class Store:
    """Open for one run; the file is new, or what an earlier run has left."""

    def __init__(self, path: Path) -> None:
        """Raises OutputError where it cannot be written. What is no store of ours is made one."""
        self._path = path
        self._written = 0
        with explain_disk_errors(path):
            self._database = open_database(path)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    @property
    def facts(self) -> Mapping[str, str]:
        """What the run depends on, as ``begin`` was given it; empty where it is new or damaged."""
        facts = dict(self._rows("select name, value from fact"))
        return facts if facts.pop(_SEAL, None) == _seal(facts) else {}

    def begin(self, facts: Mapping[str, str]) -> None:
        """Forget what is there, and keep what the new run depends on."""
        with explain_disk_errors(self._path):
            self._database.close()
            # Not emptied: what is damaged may not let itself be.
            remove(self._path)
            self._database = open_database(self._path)
        self.note(facts)

    def note(self, facts: Mapping[str, str]) -> None:
        """Add facts, or change them, all at once."""
        known = {**self.facts, **facts}
        with explain_disk_errors(self._path), self._database as database:
            database.executemany(
                "insert or replace into fact values (?, ?)",
                {**known, _SEAL: _seal(known)}.items(),
            )

    def write(
        self, chunk: int, packets: Sequence[Packet], image: tuple[int, StoredImage] | None = None
    ) -> None:
        """Take packets of a chunk; they count once the chunk is ended.

        ``image`` is the frame of that number in the unfinished chunk; it counts with the next
        ``pause``.
        """
        rows = []
        for number, packet in enumerate(packets, self._written):
            side = json.dumps([(name, data.hex()) for name, data in packet.side_data])
            key = int(packet.keyframe)
            rows.append((chunk, number, packet.pts, packet.dts, key, packet.data, side))
        with explain_disk_errors(self._path):
            self._database.executemany(_INSERT_PACKET, rows)
            if image is not None:
                number, (frame, planes) = image[0], (image[1].frame, image[1].planes)
                row = (number, frame.index, frame.time.pts, frame.time.duration, frame.digest)
                insert = "insert or replace into image values (?, ?, ?, ?, ?, ?)"
                self._database.execute(insert, (*row, planes))
        self._written += len(rows)

    def end(
        self,
        chunk: int,
        header: bytes,
        frames: Sequence[StoredFrame],
        behind: Checkpoint | None = None,
    ) -> None:
        """Keep the chunk, whole: packets, frames, header, and the checkpoint behind it."""
        rows = [frame_row(frame) for frame in frames]
        with explain_disk_errors(self._path), self._database:
            digest = chunk_digest(header, len(rows), rows, self._packet_rows(chunk))
            self._put_chunk(chunk, header, rows, digest)
            if behind is not None:
                self._keep(chunk + 1, behind)
            self._drop_pause()
        self._written = 0

    def put(self, rows: ChunkRows) -> None:
        """Keep a chunk that was made elsewhere, whole."""
        packets = [(rows.number, *row) for row in rows.packets]
        with explain_disk_errors(self._path), self._database as database:
            database.executemany(_INSERT_PACKET, packets)
            self._put_chunk(rows.number, rows.header, rows.frames, rows.digest)

    def drop_images(self) -> None:
        """Forget the frames of the unfinished chunk."""
        with explain_disk_errors(self._path):
            self._drop_pause()

    def pause(self, chunk: int, frames: int, behind: Checkpoint) -> None:
        """Keep the first frames of the unfinished chunk, and the checkpoint behind them."""
        position = save_place(behind)
        with explain_disk_errors(self._path), self._database as database:
            database.execute("delete from pause")
            database.execute("delete from stage_state where chunk = ?", (_PAUSED,))
            self._put_states(_PAUSED, behind)
            digest = self._pause_digest(chunk, position, frames)
            database.execute(
                "insert into pause values (?, ?, ?, ?)", (chunk, position, frames, digest)
            )

    def add_unit(self, unit: UnitStart) -> None:
        """Keep where a unit starts; one of the same chunk is replaced."""
        row = (unit.chunk, unit.first, save_place(unit.start), unit.overlap)
        with explain_disk_errors(self._path), self._database as database:
            database.execute(
                "insert or replace into unit values (?, ?, ?, ?, ?)", (*row, rows_digest([row]))
            )

    def units(self) -> list[UnitStart]:
        """Where units start, in order; those behind a damaged one are not known."""
        found = []
        rows = self._rows("select chunk, first, position, overlap, digest from unit order by chunk")
        for *row, digest in rows:
            chunk, first, position, overlap = row
            if rows_digest([tuple(row)]) != digest:
                break
            found.append(UnitStart(chunk, first, load_place(position, {}), overlap))
        return found

    def knows_units(self) -> bool:
        """Whether no start of a unit is damaged."""
        return len(self.units()) == sum(1 for _ in self._rows("select chunk from unit"))

    def sound_chunks(self) -> set[int]:
        """The chunks that are as they were stored."""
        rows = list(self._rows("select chunk, header, frames, digest from segment order by chunk"))
        return {
            chunk
            for chunk, header, frames, digest in rows
            if self._segment_digest(chunk, header, frames) == digest
        }

    def paused(self, chunk: int) -> tuple[Checkpoint, int] | None:
        """A checkpoint inside of that chunk, and how many frames lie before it; None without."""
        rows = list(self._rows("select position, frames, digest from pause where chunk = ?", chunk))
        for position, frames, digest in rows:
            if self._pause_digest(chunk, position, frames) == digest:
                return load_place(position, self._states(_PAUSED)), frames
        return None

    def checkpoints(self, chunk: int) -> Iterator[tuple[int, Checkpoint]]:
        """The checkpoints before that chunk and earlier ones, the latest first."""
        wanted = "select chunk, position, digest from checkpoint where chunk <= ? order by chunk"
        for before, position, digest in list(self._rows(f"{wanted} desc", chunk)):
            if self._checkpoint_digest(before, position) == digest:
                yield before, load_place(position, self._states(before))

    def drop_chunks(self, chunks: Collection[int]) -> None:
        """Remove these chunks."""
        with explain_disk_errors(self._path), self._database as database:
            for table in ("segment", "packet", "frame"):
                database.executemany(
                    f"delete from {table} where chunk = ?", [(chunk,) for chunk in chunks]
                )

    def forget(self, chunk: int, kept: Collection[int]) -> None:
        """Drop that chunk and all behind it, but for those that are ``kept``."""
        with explain_disk_errors(self._path), self._database as database:
            for table in ("segment", "packet", "frame"):
                database.execute(
                    f"delete from {table} where chunk >= ?"
                    " and chunk not in (select value from json_each(?))",
                    (chunk, json.dumps(sorted(kept))),
                )
            for table in ("checkpoint", "stage_state"):
                database.execute(f"delete from {table} where chunk > ?", (chunk,))

    def images(self, count: int) -> Iterator[StoredImage]:
        """The first frames of the unfinished chunk."""
        rows = self._rows(
            "select source_index, pts, duration, digest, data from image"
            " where number < ? order by number",
            count,
        )
        for index, pts, duration, digest, data in rows:
            yield StoredImage(StoredFrame(index, FrameTime(pts, duration), digest), data)

    def frames(self) -> int:
        """How many are kept, those of an unfinished chunk as well."""
        rows = (
            *self._rows("select sum(frames) from segment"),
            *self._rows("select frames from pause"),
        )
        return sum(count or 0 for (count,) in rows)

    def digests(self) -> Iterator[str]:
        """Of all frames, in order."""
        for (digest,) in self._rows("select digest from frame order by chunk, position"):
            yield digest

    def segments(self) -> list[StoredSegment]:
        """All chunks, in order."""
        rows = self._rows("select header, frames, chunk from segment order by chunk")
        return [StoredSegment(header, frames, self, chunk) for header, frames, chunk in rows]

    def times(self) -> list[FrameTime]:
        """When each frame is shown, in order."""
        return [
            FrameTime(*row)
            for row in self._rows("select pts, duration from frame order by chunk, position")
        ]

    def packets(self, chunk: int) -> Iterator[Packet]:
        """The packets of a chunk, in decoding order."""
        rows = self._rows(
            "select pts, dts, keyframe, data, side from packet where chunk = ? order by number",
            chunk,
        )
        for row in rows:
            yield packet_of(*row)

    def is_whole(self) -> bool:
        """Whether every page is where it belongs; what they hold is for the hashes."""
        with explain_disk_errors(self._path):
            try:
                return list(self._database.execute("pragma integrity_check(1)")) == [("ok",)]
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                return False

    def _keep(self, chunk: int, checkpoint: Checkpoint) -> None:
        """Put the checkpoint before ``chunk``, and drop those that are too old to be wanted."""
        database, position = self._database, save_place(checkpoint)
        self._put_states(chunk, checkpoint)
        digest = self._checkpoint_digest(chunk, position)
        database.execute("insert into checkpoint values (?, ?, ?)", (chunk, position, digest))
        for table in ("checkpoint", "stage_state"):
            database.execute(f"delete from {table} where chunk between 0 and ?", (chunk - _KEPT,))

    def _put_states(self, chunk: int, checkpoint: Checkpoint) -> None:
        self._database.executemany(
            "insert into stage_state values (?, ?, ?)",
            # One stage's at a time: each is made when it is asked for.
            ((chunk, stage, data) for stage, data in checkpoint.states.items()),
        )

    def _drop_pause(self) -> None:
        self._database.execute("delete from pause")
        self._database.execute("delete from image")
        self._database.execute("delete from stage_state where chunk = ?", (_PAUSED,))

    def _states(self, chunk: int) -> dict[str, bytes]:
        return dict(self._state_rows(chunk))

    def _state_rows(self, chunk: int) -> Iterator[tuple[str, bytes]]:
        return self._rows(
            "select stage, data from stage_state where chunk = ? order by stage", chunk
        )

    def _checkpoint_digest(self, chunk: int, position: str) -> str:
        return rows_digest([(chunk, position)], self._state_rows(chunk))

    def _pause_digest(self, chunk: int, position: str, frames: int) -> str:
        images = self._rows("select * from image where number < ? order by number", frames)
        return rows_digest([(chunk, position, frames)], self._state_rows(_PAUSED), images)

    def _segment_digest(self, chunk: int, header: bytes, count: int) -> str:
        """Of all that is stored of a chunk, as it lies there."""
        frames = list(
            self._rows(
                "select source_index, pts, duration, digest from frame"
                " where chunk = ? order by position",
                chunk,
            )
        )
        return chunk_digest(header, count, frames, self._packet_rows(chunk))

    def _packet_rows(self, chunk: int) -> Iterator[tuple[Any, ...]]:
        return self._rows(
            "select number, pts, dts, keyframe, data, side from packet"
            " where chunk = ? order by number",
            chunk,
        )

    def _put_chunk(
        self, chunk: int, header: bytes, frames: Sequence[FrameRow], digest: str
    ) -> None:
        """All but the packets."""
        self._database.executemany(
            "insert into frame (source_index, chunk, pts, duration, digest) values (?, ?, ?, ?, ?)",
            [(index, chunk, *others) for index, *others in frames],
        )
        segment = (chunk, header, len(frames), digest)
        self._database.execute("insert into segment values (?, ?, ?, ?)", segment)

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with explain_disk_errors(self._path):
            yield from self._database.execute(query, values)


def _seal(facts: Mapping[str, str]) -> str:
    return rows_digest(sorted(facts.items()))


@contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turn a failing disk into the error that a user understands."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot write {path}: {reason}; free some space or choose another place with -o"
        ) from error
