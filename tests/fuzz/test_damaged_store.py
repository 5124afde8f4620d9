"""Damage of a store that chance seldom makes, and what is saved of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from vidstyle.core import FrameTime, Packet
from vidstyle.runner.storage.resumption import Resumption, find_missing
from vidstyle.runner.storage.store import CHUNKS, Store
from vidstyle.runner.storage.stored import StoredFrame

FACTS = {"pipeline": "a", "input": "b"}
DONE = {CHUNKS: "3", "start": "1/5"}
LARGE = bytes(range(256)) * 64
Damage = Callable[[Path], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with all chunks of a run."""
    path = tmp_path / "out.work"
    with Store(path) as store:
        store.begin(FACTS)
        for chunk in range(3):
            store.write(chunk, [Packet(LARGE, 0, 0, True)])
            store.end(chunk, b"header", [StoredFrame(chunk, FrameTime(chunk, 1), "aa")])
        store.note(DONE)
    return path


def query(text: str) -> Damage:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("pragma writable_schema = on")
            assert database.execute(text).rowcount

    return damage


def byte(position: int, value: int) -> Damage:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[position] = value
        path.write_bytes(data)

    return damage


def free_pages(path: Path) -> None:
    """A list of free pages that leads nowhere: nothing that is read, all that is written."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table more (data blob)")
        database.execute("insert into more values (zeroblob(100000))")
        database.commit()
        database.execute("drop table more")
        database.commit()
    data = bytearray(path.read_bytes())
    assert int.from_bytes(data[32:36]) > 0
    data[32:36] = (1 << 30).to_bytes(4)
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-70_000])


NOTHING_IS_LEFT = {
    "schema": query("update sqlite_master set sql = replace(sql, 'digest', 'dhgest')"),
    "version to write": byte(18, 3),
    "version to read": byte(19, 3),
    "encoding": byte(59, 2),
    "pages": byte(16, 1),
    "free pages": free_pages,
    "cut short": cut_short,
    "fact": query("update fact set value = '1/4' where name = 'start'"),
    "text that is none": query("update fact set value = cast(x'ff' as text) where name = 'start'"),
    "lost fact": query("delete from fact where name = 'input'"),
}


@pytest.mark.parametrize("name", NOTHING_IS_LEFT)
def test_damaged_work_is_recomputed(path: Path, name: str) -> None:
    NOTHING_IS_LEFT[name](path)
    with Store(path) as store:
        store.frames()
        if store.facts:
            assert find_missing(store) == (Resumption(),)
        store.begin(FACTS)
        assert (store.facts, store.frames(), find_missing(store)) == (FACTS, 0, (Resumption(),))
        store.write(0, [Packet(LARGE * 9, 0, 0, True)])
        store.end(0, b"header", [StoredFrame(0, FrameTime(0, 1), "aa")])
        assert store.frames() == 1


@pytest.mark.parametrize(
    "text",
    [
        "update segment set frames = 9 where chunk = 1",
        "update segment set header = cast(header as text) where chunk = 1",
        "update frame set pts = 99 where chunk = 1",
        "update frame set digest = 'bb' where chunk = 1",
        "update frame set chunk = 0 where chunk = 1",
        "update packet set data = x'00' where chunk = 1",
        "update packet set side = cast(x'ff' as text) where chunk = 1",
    ],
)
def test_no_chunk_that_is_damaged_is_used(path: Path, text: str) -> None:
    query(text)(path)
    with Store(path) as store:
        assert find_missing(store) == (Resumption(),)
        assert store.frames() == 0


def test_what_is_whole_is_used(path: Path) -> None:
    with Store(path) as store:
        assert store.facts == FACTS | DONE
        assert find_missing(store) == ()


def test_a_journal_of_another_store_is_not_played_back(path: Path) -> None:
    path.write_bytes(b"no store")
    path.with_name(f"{path.name}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 99)
    with Store(path) as store:
        store.begin(FACTS)
    with Store(path) as store:
        assert store.facts == FACTS
