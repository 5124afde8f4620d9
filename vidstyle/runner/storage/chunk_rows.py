"""A chunk as the rows of a store, made where it was encoded.

What the store does with them is to write them: values are plain, and the hash is there already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap
from pickle import PickleBuffer
from typing import Any, TypeAlias

from vidstyle.core.sink import Packet
from vidstyle.runner.storage.stored import StoredFrame

FrameRow: TypeAlias = tuple[int, int, int, str]
"""Index in the source, pts, duration, hash."""
PacketRow: TypeAlias = tuple[int, int, int, int, "bytes | PickleBuffer", str]
"""Number in the chunk, pts, dts, 1 for a keyframe, data, side data as JSON."""

# Bytes from which on data is not copied on its way.
_LARGE = 2**14


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """A whole chunk."""

    number: int
    header: bytes
    frames: tuple[FrameRow, ...]
    packets: tuple[PacketRow, ...]
    digest: str
    """Hash of all of it but the number."""


def chunk_rows(
    number: int, header: bytes, records: Iterable[StoredFrame], packets: Sequence[Packet]
) -> ChunkRows:
    """The rows of a chunk, and their hash; large data can be sent without a copy."""
    frames = tuple(map(frame_row, records))
    rows = tuple(starmap(packet_row, enumerate(packets)))
    digest = chunk_digest(header, len(frames), frames, rows)
    sent = tuple(
        (*row[:4], PickleBuffer(row[4]) if len(row[4]) >= _LARGE else row[4], row[5])
        for row in rows
    )
    return ChunkRows(number, header, frames, sent, digest)


def frame_row(frame: StoredFrame) -> FrameRow:
    """What is kept of a frame beside its packets."""
    return frame.index, frame.time.pts, frame.time.duration, frame.digest


def packet_row(number: int, packet: Packet) -> tuple[int, int, int, int, bytes, str]:
    """The row of a packet; ``number`` is its place in the chunk."""
    side = json.dumps([(name, data.hex()) for name, data in packet.side_data])
    return number, packet.pts, packet.dts, int(packet.keyframe), packet.data, side


def packet_of(pts: int, dts: int, keyframe: int, data: bytes, side: str) -> Packet:
    """The packet of a row."""
    side_data = () if side == "[]" else json.loads(side)
    found = tuple((name, bytes.fromhex(text)) for name, text in side_data)
    return Packet(data, pts, dts, bool(keyframe), found)


def chunk_digest(
    header: bytes, count: int, frames: Iterable[FrameRow], packets: Iterable[tuple[Any, ...]]
) -> str:
    """Hash of all that is stored of a chunk of so many frames."""
    return rows_digest([(header, count)], frames, packets)


def rows_digest(*tables: Iterable[tuple[Any, ...]]) -> str:
    """Hash of rows; kinds and lengths keep values from passing for each other."""
    # Processors have instructions for this one.
    digest = hashlib.sha256()
    for table in tables:
        for row in table:
            # No value is a tuple, so that this stands for bytes alone.
            shape = [(len(value),) if isinstance(value, bytes) else value for value in row]
            digest.update(repr(shape).encode())
            for value in row:
                if isinstance(value, bytes):
                    digest.update(value)
    return digest.hexdigest()
