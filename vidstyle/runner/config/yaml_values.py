"""What was read from YAML: plain values that know where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.suggest import shown


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file, or an argument of the command line; prints as messages begin."""

    file: str
    """The file as the user named it, or the argument whole."""
    line: int | None = None
    """Counted from 1; None where the file or the argument is meant as a whole."""
    column: int | None = None
    """Counted from 1, in characters."""

    def error(self, text: str) -> PipelineError:
        """The error to raise about what stands here."""
        return PipelineError(f"{self}: {text}")

    @property
    def folder(self) -> Path:
        """What relative paths written here are relative to."""
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
            return f"the text '{shown(self.value)}'"
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
    """A mapping whose keys are text, in the order of the file."""

    items: Mapping[str, YamlValue]
    keys: Mapping[str, Where]
    """Where each key stands."""
    where: Where

    def having(self, key: str, value: YamlValue, where: Where) -> YamlMap:
        """With this entry, in place of an earlier one of the same key."""
        return YamlMap({**self.items, key: value}, {**self.keys, key: where}, self.where)

    def without(self, *keys: str) -> YamlMap:
        """Without these entries, whether they were there or not."""
        items = {key: value for key, value in self.items.items() if key not in keys}
        return YamlMap(items, {key: self.keys[key] for key in items}, self.where)

    def __str__(self) -> str:
        return f"a mapping with {', '.join(map(shown, list(self.items)[:4])) or 'no keys'}"


YamlValue: TypeAlias = YamlScalar | YamlList | YamlMap


def plain(value: YamlValue) -> Any:
    """The value alone, of dicts, lists and scalars. Depth is bounded by the reader."""
    if isinstance(value, YamlMap):
        return {key: plain(item) for key, item in value.items.items()}
    if isinstance(value, YamlList):
        return [plain(item) for item in value.items]
    return value.value
