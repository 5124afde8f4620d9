"""Encoded chunks on their way to the destination: one sqlite file beside it.

Memory holds no packets, however long the clip and however large its frames are. A chunk is
there whole or not at all: each is one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from vidstyle.core.errors import OutputError
from vidstyle.core.sink import FrameTime, Packet

_TABLES = """
create table segment (chunk integer primary key, header blob not null, frames integer not null);
create table packet (
    chunk integer not null, number integer not null, pts integer not null,
    dts integer not null, keyframe integer not null, data blob not null,
    side text not null, primary key (chunk, number)
) without rowid;
create table frame (
    position integer primary key, source_index integer not null, chunk integer not null,
    pts integer not null, duration integer not null, digest text not null
);
"""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """What is kept of a frame beside its packets."""

    index: int
    time: FrameTime
    digest: str


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
    """Open for one run; the file is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0
        with _failing_as_output(path):
            # One thread writes and joins, though not always the one that opened it.
            self._database = sqlite3.connect(path, check_same_thread=False)
            # The file does not outlive a crash of the machine, so nothing waits for the disk.
            self._database.execute("pragma synchronous = off")
            self._database.executescript(_TABLES)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def write(self, chunk: int, packets: Sequence[Packet]) -> None:
        """Take packets of a chunk; they count once the chunk is ended."""
        with _failing_as_output(self._path):
            self._database.executemany(
                "insert into packet values (?, ?, ?, ?, ?, ?, ?)",
                [(chunk, self._written + n, *_row(packet)) for n, packet in enumerate(packets)],
            )
        self._written += len(packets)

    def end(self, chunk: int, header: bytes, frames: Sequence[StoredFrame]) -> None:
        """Keep the chunk, whole: its packets, frames and header are one transaction."""
        with _failing_as_output(self._path), self._database as database:
            database.execute("insert into segment values (?, ?, ?)", (chunk, header, len(frames)))
            database.executemany(
                "insert into frame (source_index, chunk, pts, duration, digest)"
                " values (?, ?, ?, ?, ?)",
                [(f.index, chunk, f.time.pts, f.time.duration, f.digest) for f in frames],
            )
        self._written = 0

    def segments(self) -> list[StoredSegment]:
        """All chunks, in order."""
        rows = self._rows("select header, frames, chunk from segment order by chunk")
        return [StoredSegment(header, frames, self, chunk) for header, frames, chunk in rows]

    def times(self) -> list[FrameTime]:
        """When each frame is shown, in order."""
        return [
            FrameTime(*row)
            for row in self._rows("select pts, duration from frame order by position")
        ]

    def packets(self, chunk: int) -> Iterator[Packet]:
        """The packets of a chunk, in decoding order."""
        rows = self._rows(
            "select data, pts, dts, keyframe, side from packet where chunk = ? order by number",
            chunk,
        )
        for data, pts, dts, keyframe, side in rows:
            side_data = tuple((name, bytes.fromhex(text)) for name, text in json.loads(side))
            yield Packet(data, pts, dts, bool(keyframe), side_data)

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with _failing_as_output(self._path):
            yield from self._database.execute(query, values)


def _row(packet: Packet) -> tuple[object, ...]:
    side = json.dumps([(name, data.hex()) for name, data in packet.side_data])
    return packet.pts, packet.dts, int(packet.keyframe), packet.data, side


@contextmanager
def _failing_as_output(path: Path) -> Iterator[None]:
    """Turn a failing disk into the error that a user understands."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"cannot write {path}: {error}; free some space or choose another place with -o"
        ) from error
