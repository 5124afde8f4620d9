"""Reads YAML from strangers: bounded, without code, each value with its line and column.

PyYAML composes the nodes; this module bounds them while they are composed and turns them into
plain values. Anchors, aliases and merge keys are refused: a pipeline needs none, and with them a
small file can become a large value. Scalars follow the core schema of YAML 1.2 (section 10.3.2):
``no`` and ``1:30`` are text, ``1e3`` is a number.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.runner.config.yaml_values import Where, YamlList, YamlMap, YamlScalar, YamlValue

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000

# Characters that YAML 1.2 does not allow (section 5.1).
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_NUMBER = 64
_TAG = "tag:yaml.org,2002:"
_FORMS = {
    f"{_TAG}{kind}": re.compile(rf"(?:{form})\Z")
    for kind, form in {
        "null": r"(~|null|Null|NULL)?",
        "bool": r"true|True|TRUE|false|False|FALSE",
        "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
        "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "str": r"(?s:.*)",
    }.items()
}
_NODES = {
    **dict.fromkeys(_FORMS, yaml.ScalarNode),
    f"{_TAG}map": yaml.MappingNode,
    f"{_TAG}seq": yaml.SequenceNode,
}


def read_yaml(path: Path) -> YamlMap:
    """The file's one mapping. Raises PipelineError with file:line:column and one line of text."""
    value = _parse(_text(path), str(path), lines=True)
    if value is None:
        raise Where(str(path), 1, 1).error("the file is empty; begin with `version: 1`")
    if not isinstance(value, YamlMap):
        raise value.where.error(f"the file must be a mapping such as `version: 1`, got {value}")
    return value


def parse_value(text: str, where: Where) -> YamlValue:
    """One value as it stands on a command line. Raises PipelineError that begins with where."""
    value = _parse(text, where.file, lines=False)
    return YamlScalar(None, where) if value is None else value


def _text(path: Path) -> str:
    position = Where(str(path))
    data = _bytes(path, position)
    if len(data) > MAX_BYTES:
        raise position.error(f"is larger than {MAX_BYTES // 1024} KiB, so it is no pipeline")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise _position_after(before, position.file).error(
            "the file is not UTF-8 text; save it as UTF-8"
        ) from None


def _bytes(path: Path, position: Where) -> bytes:
    try:
        status = path.stat()
        # Opening a pipe or a device may wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise position.error("is not a file; name a pipeline file such as temporal.yaml")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise position.error(f"there is no such file.{_neighbors(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise position.error(f"cannot be read ({reason}); check its name and permissions") from None


def _neighbors(path: Path) -> str:
    names = [near.name for near in path.parent.glob("[!.]*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, names) if names else " Check the name and the folder."


def _position_after(before: str, file: str) -> Where:
    return Where(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _parse(text: str, file: str, *, lines: bool) -> YamlValue | None:
    """The value of a text; ``lines`` says whether its lines and columns are shown."""
    if bad := _UNPRINTABLE.search(text):
        position = _position_after(text[: bad.start()], file) if lines else Where(file)
        raise position.error(f"holds the control character {bad[0]!a}; remove it")
    composer = _Composer(text, file, lines=lines)
    try:
        node = composer.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise composer.where(mark).error(_syntax(error, text, mark)) from None
    return None if node is None else composer.value(node)


def _syntax(error: yaml.MarkedYAMLError, text: str, mark: Any) -> str:
    """The parser's message, in plain words where its cause is known."""
    lines = text.split("\n")
    line = lines[min(mark.line, len(lines) - 1)] if mark else ""
    problem = abbreviate(str(error.problem or error.context))
    if "another document" in problem:
        return "a second document starts here; keep one in a file"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab stands at the start of the line; indent with spaces"
    if "mapping values are not allowed" in problem:
        return "a second `:` on the line; put text that holds `: ` in quotes, or check the indent"
    return f"this is not YAML ({problem}); check the indent, quotes and brackets here"


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's parts in Python, with bounds and with the scalars of YAML 1.2."""

    def __init__(self, text: str, file: str, *, lines: bool) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.yaml_implicit_resolvers = {None: list(_FORMS.items())}
        self._file, self._lines = file, lines
        self._depth = self._nodes = 0

    def where(self, mark: yaml.Mark | None) -> Where:
        """The position that messages show."""
        if mark is None or not self._lines:
            return Where(self._file)
        return Where(self._file, mark.line + 1, mark.column + 1)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As PyYAML does, once the event is known to be within the bounds."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # stubs lack it
        self._check(event, is_key=isinstance(parent, yaml.MappingNode) and index is None)
        if isinstance(event, yaml.ScalarEvent) and event.tag == "!":
            # The non-specific tag makes text of everything; PyYAML still looks at its form.
            event.implicit = (False, True)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _check(self, event: Any, *, is_key: bool) -> None:
        where = self.where(event.start_mark)
        if event.anchor is not None:
            raise where.error(
                f"anchors and aliases (here {abbreviate(event.anchor)}) are not supported; write"
                " the value out, and quote text that begins with & or *"
            )
        if event.tag not in (None, "!", *_NODES):
            raise where.error(f"the tag {abbreviate(event.tag)} is not supported; remove it")
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise where.error(f"more than {MAX_NODES} values; a pipeline is smaller")
        if isinstance(event, yaml.CollectionStartEvent):
            if is_key:
                raise where.error("a key must be text, got a list or a mapping; put it in quotes")
            if self._depth >= MAX_DEPTH:
                raise where.error(f"nested deeper than {MAX_DEPTH} levels; a pipeline is flatter")

    def value(self, node: yaml.Node) -> YamlValue:
        """The node as a value with its position. Raises PipelineError for a bad one."""
        where = self.where(node.start_mark)
        if not isinstance(node, _NODES[node.tag]):
            raise where.error(f"the tag {abbreviate(node.tag)} does not fit its value; remove it")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return YamlList(tuple(map(self.value, node.value)), where)
        return YamlScalar(_scalar(node, where), where)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> YamlMap:
        items: dict[str, YamlValue] = {}
        keys: dict[str, Where] = {}
        for key_node, item in node.value:
            position = self.where(key_node.start_mark)
            key = _key(key_node, position)
            if key in keys:
                raise position.error(
                    f"the key {abbreviate(key)} occurs twice, first in line"
                    f" {keys[key].line or 1}; keep one"
                )
            keys[key], items[key] = position, self.value(item)
        return YamlMap(items, keys, where)


def _key(node: yaml.ScalarNode, where: Where) -> str:
    key = _scalar(node, where)
    if not isinstance(key, str):
        raise where.error(
            f"a key must be text, got {abbreviate(node.value) or 'nothing'}; put it in quotes"
            " (for a time, write its unit: 2s)"
        )
    if key == "<<" and node.style is None:
        raise where.error(
            "merge keys (<<) are not supported; write the entries out, or use extends"
        )
    return key


def _scalar(node: yaml.Node, where: Where) -> str | int | float | bool | None:
    """By the core schema of YAML 1.2 (section 10.3.2), or by the tag."""
    text, kind = str(node.value), node.tag.removeprefix(_TAG)
    if bad := _UNPRINTABLE.search(text):
        raise where.error(f"the text holds the control character {bad[0]!a}; remove it")
    form = _FORMS.get(node.tag)
    if form is None or not form.match(text):
        raise where.error(f"the tag {abbreviate(node.tag)} does not fit its value; remove it")
    if kind in ("int", "float") and len(text) > _LONGEST_NUMBER:
        raise where.error(f"a number of {len(text)} characters; quote it if it is meant as text")
    if kind == "int":
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    if kind == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if kind == "bool":
        return text.lower() == "true"
    return text if kind == "str" else None
