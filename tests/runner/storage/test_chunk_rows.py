"""A chunk that was made elsewhere lies in the store as if it had been made here."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.core import FrameTime, Packet
from vidstyle.runner.storage.chunk_rows import ChunkRows, chunk_rows, rows_digest
from vidstyle.runner.storage.store import Store
from vidstyle.runner.storage.stored import StoredFrame

PACKETS = [
    Packet(bytes(range(256)) * 400, 0, -1, True, (("matroska_blockadditional", b"\x00\xff"),)),
    Packet(b"small", 2, 0, False),
    Packet(b"", 1, 1, False),
]
FRAMES = [StoredFrame(7 + n, FrameTime(70 + 10 * n, 10), f"{n:040x}") for n in range(3)]


def sent(rows: ChunkRows) -> ChunkRows:
    """As another process gets it: large data is not part of the pickle."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(rows, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 5000
    assert [len(buffer.raw()) for buffer in buffers] == [102400]
    found = pickle.loads(data, buffers=[buffer.raw() for buffer in buffers])
    assert isinstance(found, ChunkRows)
    return found


def test_a_chunk_of_rows_is_that_of_its_packets(tmp_path: Path) -> None:
    rows = sent(chunk_rows(4, b"header", FRAMES, PACKETS))
    with Store(tmp_path / "there") as there, Store(tmp_path / "here") as here:
        there.put(rows)
        here.write(4, PACKETS)
        here.end(4, b"header", FRAMES)
        for store in (there, here):
            assert list(store.packets(4)) == PACKETS
            assert store.times() == [frame.time for frame in FRAMES]
            assert list(store.digests()) == [frame.digest for frame in FRAMES]
            assert store.sound_chunks() == {4}
        assert there.segments()[0].header == here.segments()[0].header == b"header"


@pytest.mark.parametrize("changed", ["header", "frames", "packets", "digest"])
def test_a_chunk_that_was_changed_on_its_way_is_not_sound(tmp_path: Path, changed: str) -> None:
    rows = chunk_rows(0, b"header", FRAMES, PACKETS)
    other = chunk_rows(0, b"headed", FRAMES[:2], PACKETS[:2])
    with Store(tmp_path / "store") as store:
        store.put(replace(rows, **{changed: getattr(other, changed)}))
        assert store.sound_chunks() == set()


def test_values_of_rows_do_not_pass_for_each_other() -> None:
    rows = [(1, "a"), ("1", "a"), (1, b"a"), (b"1", b"a"), ((1,), "a"), (1, None), (1.0, "a")]
    shifted = [(b"ab", b"c"), (b"a", b"bc"), (b"abc", b"")]
    digests = {rows_digest([row]) for row in (*rows, *shifted)}
    assert len(digests) == len(rows) + len(shifted)
    assert rows_digest([(1,), (2,)]) != rows_digest([(1, 2)])
