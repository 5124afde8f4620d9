"""Reads YAML that nobody vouches for: bounded, without code, each value with its place."""

from __future__ import annotations

import stat
from pathlib import Path

import yaml

from vidstyle.runner.config.suggest import did_you_mean, shown
from vidstyle.runner.config.yaml_builder import UNPRINTABLE, Builder, Mark
from vidstyle.runner.config.yaml_values import Where, YamlMap, YamlScalar, YamlValue

MAX_BYTES = 256 * 1024

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        raise _place_after(before, position.file).error(
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
    names = [near.name for near in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, names) if names else " Check the name and the folder."


def _place_after(before: str, file: str) -> Where:
    return Where(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _parse(text: str, file: str, *, lines: bool) -> YamlValue | None:
    bad = UNPRINTABLE.search(text)
    builder = Builder(file, lines)
    if bad:
        position = _place_after(text[: bad.start()], file) if lines else Where(file)
        raise position.error(f"holds the control character {bad[0]!a}; remove it")
    try:
        return builder.build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise builder.where(mark).error(_syntax(error, text, mark)) from None


def _syntax(error: yaml.MarkedYAMLError, text: str, mark: Mark | None) -> str:
    """The parser's complaint, in words for who does not know parsers where one is known."""
    lines = text.split("\n")
    line = lines[min(mark.line, len(lines) - 1)] if mark else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab stands at the start of the line; indent with spaces"
    problem = shown(str(error.problem or error.context))
    if "mapping values are not allowed" in problem:
        return "a second `:` on the line; put text that holds `: ` in quotes, or check the indent"
    return f"this is not YAML ({problem}); check the indent, quotes and brackets here"
