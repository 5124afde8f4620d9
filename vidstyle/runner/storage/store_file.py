"""The file of a store: one sqlite database with our tables, whatever lay in its place before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

# Of the tables.
_VERSION = 6
# Bytes of a page: of video without loss each packet takes a few, and is written in a third of the
# time that it takes with those of 4 KiB.
_PAGE = 65536
# Of pages in memory. Packets are written once and read once: more would only fill up.
_CACHE_KIB = 2048
_OUTER_FAULTS = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
)
# Of the disk or the machine: a new file would meet them as well.
_TABLES = """
create table fact (name text primary key, value text not null);
create table segment (
    chunk integer primary key, header blob not null, frames integer not null, digest text not null
);
create table packet (
    place integer primary key, chunk integer not null, number integer not null,
    pts integer not null, dts integer not null, keyframe integer not null, data blob not null,
    side text not null
);
create unique index packet_of_chunk on packet (chunk, number);
create table frame (
    position integer primary key, source_index integer not null, chunk integer not null,
    pts integer not null, duration integer not null, digest text not null
);
create table checkpoint (chunk integer primary key, position text not null, digest text not null);
create table unit (
    chunk integer primary key, first integer not null, position text not null,
    overlap integer not null, digest text not null
);
create table pause (
    chunk integer primary key, position text not null, frames integer not null, digest text not null
);
create table image (
    number integer primary key, source_index integer not null, pts integer not null,
    duration integer not null, digest text not null, data blob not null
);
create table stage_state (
    chunk integer not null, stage text not null, data blob not null, primary key (chunk, stage)
) without rowid;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """The database with our tables; a file that is none, or of another version, is replaced."""
    if not _is_ours(path):
        remove(path)
    # One thread writes and joins, though not always the one that opened it.
    database = sqlite3.connect(path, check_same_thread=False)
    # Damaged text is none; its hash says so.
    database.text_factory = _text
    if not _schema(database):
        # At once: each change by itself waits for the disk.
        database.executescript(
            f"pragma page_size = {_PAGE};"
            f" begin; {_TABLES} pragma user_version = {_VERSION}; commit;"
        )
    # Again where it is the default: sqlite counts that in the pages which the file had before,
    # and would keep 500 of ours.
    database.execute(f"pragma cache_size = -{_CACHE_KIB}")
    return database


def _is_ours(path: Path) -> bool:
    """Whether it has our tables, or nothing yet, and lets itself be read and written."""
    with closing(sqlite3.connect(path)) as database, closing(sqlite3.connect(":memory:")) as new:
        database.text_factory = _text
        new.executescript(_TABLES)
        try:
            # Before it has been read: a read would hide that writing is forbidden.
            database.execute("begin immediate")
            (version,) = database.execute("pragma user_version").fetchone()
            schema = _schema(database)
            if not schema or version != _VERSION:
                return version == 0 and not schema
            for table in ("fact", "segment", "pause"):
                database.execute(f"select * from {table}").fetchall()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            return False
        return schema == _schema(new)


def _schema(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return database.execute("select type, name, sql from sqlite_master order by name").fetchall()


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault."""
    # Python's own errors, such as of text that is none, have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    # The upper bytes say more than which kind of error it is.
    return code & 0xFF not in _OUTER_FAULTS


def remove(path: Path) -> None:
    """The file, and the journal: of another file it would be a lie."""
    for name in (path, path.with_name(f"{path.name}-journal")):
        name.unlink(missing_ok=True)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
