"""Builds values of a YAML parser's events, and refuses what a pipeline has no use for.

The stack is our own, so that no file can exhaust Python's. Anchors, aliases and merge keys
are refused: a pipeline needs none, and they are how a small file becomes a large one.
Scalars mean what the core schema of YAML 1.2 says: ``no`` and ``1:30`` are text, ``1e3`` is
a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from vidstyle.runner.config.suggest import shown
from vidstyle.runner.config.yaml_values import Where, YamlList, YamlMap, YamlScalar, YamlValue

MAX_DEPTH = 32
MAX_NODES = 20_000
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML 1.2 does not allow (section 5.1)."""

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 64
_TAGS = {
    f"tag:yaml.org,2002:{name}": kind
    for name, kind in {
        "str": str,
        "int": int,
        "float": float,
        "bool": bool,
        "null": type(None),
        "map": YamlMap,
        "seq": YamlList,
    }.items()
}


class Mark(Protocol):
    """What both of PyYAML's parsers say of a place, counted from 0."""

    line: int
    column: int


@dataclass
class _Open:
    """A collection that is not complete yet."""

    where: Where
    is_map: bool
    items: list[YamlValue] = field(default_factory=list)
    entries: dict[str, YamlValue] = field(default_factory=dict)
    keys: dict[str, Where] = field(default_factory=dict)
    key: str | None = None

    def closed(self) -> YamlMap | YamlList:
        if self.is_map:
            return YamlMap(self.entries, self.keys, self.where)
        return YamlList(tuple(self.items), self.where)


class Builder:
    """Makes the value of one document's events; raises PipelineError with the place."""

    def __init__(self, file: str, lines: bool) -> None:
        self._file, self._lines = file, lines
        self._stack: list[_Open] = []
        self._root: YamlValue | None = None
        self._nodes = self._documents = 0

    def build(self, events: Iterable[yaml.Event]) -> YamlValue | None:
        for event in events:
            self._take(event)
        return self._root

    def where(self, mark: Mark | None) -> Where:
        if mark is None or not self._lines:
            return Where(self._file)
        return Where(self._file, mark.line + 1, mark.column + 1)

    def _take(self, event: yaml.Event) -> None:
        where = self.where(event.start_mark)
        if isinstance(event, yaml.NodeEvent):
            self._admit(event, where)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise where.error("a second document starts here; keep one in a file")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, where)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, where)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._position(self._stack.pop().closed())

    def _admit(self, event: yaml.NodeEvent, where: Where) -> None:
        if event.anchor is not None:
            raise where.error(
                f"anchors and aliases (here {shown(event.anchor)}) are not read; write the value"
                " out, and quote text that begins with & or *"
            )
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise where.error(f"more than {MAX_NODES} values; a pipeline is smaller")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _TAGS:
            raise where.error(f"the tag {shown(tag)} is not read; remove it")

    def _open(self, event: yaml.CollectionStartEvent, where: Where) -> None:
        is_map = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            raise where.error("a key must be text, got a list or a mapping; put it in quotes")
        if len(self._stack) >= MAX_DEPTH:
            raise where.error(f"nested deeper than {MAX_DEPTH} levels; a pipeline is flatter")
        if _TAGS.get(event.tag or "", wanted := YamlMap if is_map else YamlList) is not wanted:
            raise where.error(f"the tag {shown(event.tag or '')} does not fit its value; remove it")
        self._stack.append(_Open(where, is_map))

    def _scalar(self, event: yaml.ScalarEvent, where: Where) -> None:
        bad = UNPRINTABLE.search(event.value)
        if bad:
            raise where.error(f"the text holds the control character {bad[0]!a}; remove it")
        value = _meaning(event, where)
        if self._wants_key():
            self._key(value, event, where)
        else:
            self._position(YamlScalar(value, where))

    def _wants_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_map and self._stack[-1].key is None

    def _key(self, key: object, event: yaml.ScalarEvent, where: Where) -> None:
        top = self._stack[-1]
        if not isinstance(key, str):
            raise where.error(
                f"a key must be text, got {shown(event.value) or 'nothing'}; put it in quotes"
                " (for a time, write its unit: 2s)"
            )
        if key == "<<" and event.implicit[0]:
            raise where.error("merge keys (<<) are not read; write the entries out, or use extends")
        if key in top.keys:
            raise where.error(
                f"the key {shown(key)} is there twice, first in line {top.keys[key].line or 1};"
                " keep one"
            )
        top.key, top.keys[key] = key, where

    def _position(self, value: YamlValue) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        if top.key is None:
            top.items.append(value)
        else:
            top.entries[top.key] = value
            top.key = None


def _meaning(event: yaml.ScalarEvent, where: Where) -> str | int | float | bool | None:
    """The scalar by the core schema of YAML 1.2 (section 10.3.2), or by its tag."""
    if event.tag is None and not event.implicit[0]:
        return event.value
    wanted = str if event.tag == "!" else _TAGS.get(event.tag or "")
    if wanted is str:
        return event.value
    value = _resolved(event.value, where)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is not None and type(value) is not wanted:
        raise where.error(f"the tag {shown(event.tag or '')} does not fit its value; remove it")
    return value


def _resolved(text: str, where: Where) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    integer, real = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
    if (integer or real) and len(text) > _LONGEST_NUMBER:
        raise where.error(f"a number of {len(text)} characters; quote it if it is meant as text")
    if integer:
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")) if real else text
