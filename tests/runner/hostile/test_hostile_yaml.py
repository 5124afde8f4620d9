"""Files that are made to break a reader: one line with a place, and soon."""

from __future__ import annotations

import os
import re
import time
import tracemalloc
from pathlib import Path

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.yaml_file import read_yaml

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)

HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "alias bomb": (BOMB.encode(), "1:4", "anchors and aliases"),
    "alias": (b"a: *b\n", "1:4", "anchors and aliases"),
    "alias to itself": (b"a: &a [*a]\n", "1:4", "anchors and aliases"),
    "anchor on a key": (b"&a a: 1\n", "1:1", "anchors and aliases"),
    "many anchors": (b"&a " * 80_000, "1:1", ""),
    "10,000 lists deep": (b"a: " + b"[" * 10_000, "1:35", "nested deeper"),
    "10,000 lists deep and closed": (b"a: " + b"[" * 10_000 + b"]" * 10_000, "1:35", "nested"),
    "10,000 mappings deep": (b"{a: " * 10_000, "1:129", "nested deeper"),
    "10,000 block lists deep": (b"- " * 10_000, "1:65", "nested deeper"),
    "700 block mappings deep": (
        b"\n".join(b" " * i + b"a:" for i in range(700)),
        "33:33",
        "nested deeper",
    ),
    "mappings as keys": (b"? " * 10_000, "1:3", "a key must be text"),
    "more values than a pipeline has": (b"a: [" + b"1," * 100_000 + b"]", "", "more than 20000"),
    "huge": (b"a: " + b"x" * 300_000, "", "larger than 256 KiB"),
    "huge and binary": (bytes(range(256)) * 2_000, "", "larger than 256 KiB"),
    "python object": (b"a: !!python/object/apply:os.system ['touch pwned']", "1:4", "the tag"),
    "python name": (b"a: !!python/name:os.system x", "1:4", "the tag"),
    "private tag": (b"a: !secret x", "1:4", "the tag"),
    "tag of another handle": (b"%TAG ! tag:evil:\n---\na: !x y", "3:4", "the tag"),
    "tag that does not fit": (b"a: !!int x", "1:4", "does not fit"),
    "tag that does not fit a list": (b"a: !!map [1]", "1:4", "does not fit"),
    "a map's tag on a key": (b"!!map a: 1", "1:1", "does not fit"),
    "binary tag": (b"a: !!binary aGVsbG8=", "1:4", "the tag"),
    "duplicate key": (b"a: 1\nb: 2\na: 3\n", "3:1", "twice, first in line 1"),
    "duplicate key, quoted": (b"a: 1\n'a': 3\n", "2:1", "twice"),
    "duplicate key, deep": (b"s:\n- {x: 1, x: 2}\n", "2:10", "twice"),
    "key that is a number": (b"1: 2\n", "1:1", "a key must be text"),
    "key that is null": (b"null: 2\n", "1:1", "a key must be text"),
    "key that is a list": (b"? [a]\n: 1\n", "1:3", "a key must be text"),
    "NUL": (b"a: 1\0b", "1:5", "control character"),
    "NUL, written as an escape": (b'a: "\\0"', "1:4", "control character"),
    "escape sequence of a terminal": (b"a: \x1b[31m", "1:4", "control character"),
    "bell, written as an escape": (b'a: "\\a"', "1:4", "control character"),
    "invalid UTF-8": (b"a: 1\nb: \xc3(", "2:4", "not UTF-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), "1:1", "not UTF-8"),
    "half a surrogate pair": (b'a: "\\ud800"', "1:", ""),
    "tab before a key": (b"a:\n\tb: 1\n", "2:1", "a tab"),
    "tab before a list": (b"a:\n  - b\n\t- c\n", "3:1", "a tab"),
    "merge key": (b"<<: {a: 1}\n", "1:1", "merge keys"),
    "two documents": (b"a: 1\n---\nb: 2\n", "2:1", "second document"),
    "text after the document": (b"a: 1\n...\nb: 2\n", "3:1", ""),
    "empty": (b"", "1:1", "empty"),
    "comments alone": (b"# nothing\n", "1:1", "empty"),
    "a list at the top": (b"- a\n", "1:1", "must be a mapping"),
    "text at the top": (b"a\n", "1:1", "must be a mapping"),
    "an open bracket": (b"a: [1,\n", "", "not YAML"),
    "an open quote": (b"a: 'x\n", "", "not YAML"),
    "a million-digit number": (b"a: " + b"9" * 200_000, "1:4", "quote it"),
    "unknown directive": (b"%FOO x\n---\na: b: c\n", "", ""),
    "quotes without end": (b"a: " + b"'" * 200_001, "", "not YAML"),
    "a long line without a colon": (b"[" + b"a " * 100_000, "", "not YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_line_with_a_place_within_a_second(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, position, says = HOSTILE[name]
    Path("p.yaml").write_bytes(data)
    started = time.process_time()
    with pytest.raises(PipelineError) as caught:
        read_yaml(Path("p.yaml"))
    assert time.process_time() - started < 1
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 300
    assert says in text
    if position:
        assert text.startswith(f"p.yaml:{position}")
    elif "larger" not in text:
        assert re.match(r"p\.yaml:\d+:\d+: ", text)
    assert list(tmp_path.iterdir()) == [tmp_path / "p.yaml"]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    with pytest.raises(PipelineError, match="is not a file"):
        read_yaml(tmp_path / "p.yaml")


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    with path.open("wb") as file:
        file.truncate(4 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(PipelineError, match="larger than"):
            read_yaml(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
