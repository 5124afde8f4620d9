"""Plain values that were read from YAML, each with its position in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.suggest import abbreviate


@dataclass(frozen=True, slots=True)
class Where:
    """A position in a file, or an argument of the command line; error messages begin with it."""

    file: str
    """The file as the user named it, or the whole argument."""
    line: int | None = None
    """Counted from 1; None for the file or the argument as a whole."""
    column: int | None = None
    """Counted from 1, in characters."""

    def error(self, text: str) -> PipelineError:
        """The error to raise about the value at this position."""
        return PipelineError(f"{self}: {text}")

    @property
    def folder(self) -> Path:
        """The folder that relative paths at this position count from."""
        return Path(self.file).parent if self.line else Path()

    def __str__(self) -> str:
        name = self.file if self.file.isprintable() else repr(self.file)[1:-1]
        return name if self.line is None else f"{name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class YamlScalar:
    """Text, a number, true, false or null."""

    value: str | int | float | bool | None
    where: Where

    def __str__(self) -> str:
        if self.value is None:
            return "nothing (null)"
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, str):
            return f"the text '{abbreviate(self.value)}'"
        return f"the number {self.value}"


@dataclass(frozen=True, slots=True)
class YamlList:
    """A sequence."""

    items: tuple[YamlValue, ...]
    where: Where

    def __str__(self) -> str:
        return f"a list of {len(self.items)}"


@dataclass(frozen=True, slots=True)
class YamlMap:
    """A mapping with keys of text, in the order of the file."""

    items: Mapping[str, YamlValue]
    keys: Mapping[str, Where]
    """The position of each key."""
    where: Where

    def with_item(self, key: str, value: YamlValue, where: Where) -> YamlMap:
        """A copy with this item; an earlier one of the same key is replaced."""
        return YamlMap({**self.items, key: value}, {**self.keys, key: where}, self.where)

    def without(self, *keys: str) -> YamlMap:
        """A copy without these items; a key that is missing is ignored."""
        items = {key: value for key, value in self.items.items() if key not in keys}
        return YamlMap(items, {key: self.keys[key] for key in items}, self.where)

    def __str__(self) -> str:
        return f"a mapping with {', '.join(map(abbreviate, list(self.items)[:4])) or 'no keys'}"


YamlValue: TypeAlias = YamlScalar | YamlList | YamlMap


def to_plain(value: YamlValue) -> Any:
    """The value as dicts, lists and scalars. The reader bounds its depth."""
    if isinstance(value, YamlMap):
        return {key: to_plain(item) for key, item in value.items.items()}
    if isinstance(value, YamlList):
        return [to_plain(item) for item in value.items]
    return value.value


def from_plain(value: Any, where: Where) -> YamlValue:
    """Dicts, lists and scalars as if they were read from one position. Other values become text."""
    if isinstance(value, Mapping):
        items = {str(key): from_plain(item, where) for key, item in value.items()}
        return YamlMap(items, dict.fromkeys(items, where), where)
    if isinstance(value, (list, tuple)):
        return YamlList(tuple(from_plain(item, where) for item in value), where)
    is_scalar = value is None or isinstance(value, (str, int, float))
    return YamlScalar(value if is_scalar else str(value), where)
