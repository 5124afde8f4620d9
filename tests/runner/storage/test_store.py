"""What goes into the store comes out of it, a chunk whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from vidstyle.core import FrameTime, Packet
from vidstyle.core.errors import OutputError
from vidstyle.runner.storage.store import Store
from vidstyle.runner.storage.stored import StoredFrame


def test_chunks_come_back_in_order_with_all_their_packets(tmp_path: Path) -> None:
    packets = [
        Packet(b"first", 0, -1, True, (("matroska_blockadditional", b"\x00\xff"),)),
        Packet(b"", 2, 0, False),
    ]
    frames = [StoredFrame(7, FrameTime(70, 10), "aa"), StoredFrame(8, FrameTime(80, 20), "bb")]
    with Store(tmp_path / "store") as store:
        store.end(1, b"later", [StoredFrame(9, FrameTime(100, 10), "cc")])
        for packet in packets:
            store.write(0, [packet])
        store.end(0, b"header", frames)
        segments = store.segments()
        assert [(segment.header, segment.frames) for segment in segments] == [
            (b"header", 2),
            (b"later", 1),
        ]
        assert list(segments[0].packets()) == packets
        assert list(segments[1].packets()) == []


def test_times_come_back_in_the_order_of_the_run(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        for number in range(3):
            store.end(number, b"", [StoredFrame(number, FrameTime(number * 10, 5), "")])
        assert store.times() == [FrameTime(0, 5), FrameTime(10, 5), FrameTime(20, 5)]


def test_a_folder_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another place"):
        Store(tmp_path / "gone" / "store")


def test_a_chunk_that_was_not_ended_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        store.write(0, [Packet(b"data", 0, 0, True)])
    with sqlite3.connect(tmp_path / "store") as database:
        assert database.execute("select count(*) from packet").fetchone() == (0,)
    database.close()


def test_packets_of_a_chunk_do_not_stay_in_memory(tmp_path: Path) -> None:
    path, size = tmp_path / "store", 10 * 2**20
    with Store(path) as store:
        for number in range(size // 2**17):
            store.write(0, [Packet(bytes(2**17), number, number, True)])
        # The chunk has not ended: what is not in the file yet is in memory.
        assert path.stat().st_size > 0.7 * size
