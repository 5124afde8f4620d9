"""Encoded chunks in memory: what a work gives when nobody takes its packets one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vidstyle.core.sink import Packet
from vidstyle.runner.execution.encoder import ChunkEnded, Encoded, EncodedFrame
from vidstyle.runner.storage.checkpoint import Checkpoint
from vidstyle.runner.storage.stored import StoredFrame


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """One chunk in memory; ``Sink.join`` takes it."""

    number: int
    header: bytes
    stored: tuple[Packet, ...] = field(repr=False)
    records: tuple[StoredFrame, ...] = field(repr=False)

    @property
    def frames(self) -> int:
        """How many frames it holds."""
        return len(self.records)

    def packets(self) -> Iterator[Packet]:
        """In decoding order."""
        return iter(self.stored)


def gather_chunks(
    encoded: Iterable[Encoded],
) -> Iterator[tuple[EncodedChunk, Checkpoint | None]]:
    """Each chunk when it is whole, and the checkpoint behind it."""
    packets: list[Packet] = []
    records: list[StoredFrame] = []
    for item in encoded:
        match item:
            case EncodedFrame():
                packets += item.packets
                records.append(item.frame)
            case ChunkEnded():
                packets += item.packets
                chunk = EncodedChunk(item.chunk, item.header, tuple(packets), tuple(records))
                yield chunk, item.checkpoint
                packets, records = [], []
