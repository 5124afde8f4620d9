"""Patterns of paths, written as in a .gitignore file.

A list of patterns means what those lines would mean there: the last one that matches a path
decides, and ``!`` takes back what a pattern before it has matched. What is in a folder that they
match is matched, whatever follows.

References:
    gitignore(5) in the Git manual, "Pattern format". The library pathspec reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from pathspec import GitIgnoreSpec

from vidstyle.core.errors import UsageError


class PathPatterns:
    """Patterns in their order.

    Args:
        texts: As they were given.

    Raises:
        UsageError: One of them is no pattern, such as ``[z-a]``.
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._each = {text: _spec([text.removeprefix("!")], text) for text in texts}
        self._all = _spec(texts, ", ".join(texts))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._each)

    def matches(self, path: PurePath, *, is_folder: bool = False) -> bool:
        """Whether they match a relative path, or a folder that the path is in.

        Args:
            path: Below the folder that is searched.
            is_folder: Whether the path itself is one.

        Returns:
            Whether they do.
        """
        # As git does, which does not look into such a folder: the library would take files back.
        around = (_text(parent, True) for parent in path.parents if parent.parts)
        return any(map(self._all.match_file, (*around, _text(path, is_folder))))

    def unused(self, paths: Iterable[tuple[PurePath, bool]]) -> list[str]:
        """The patterns that match none of the paths, whatever the others do.

        Args:
            paths: Relative ones, and whether each is a folder.

        Returns:
            The patterns as they were given.
        """
        texts = [_text(path, is_folder) for path, is_folder in paths]
        return [
            pattern for pattern, spec in self._each.items() if not any(map(spec.match_file, texts))
        ]


def _text(path: PurePath, is_folder: bool) -> str:
    return f"{path.as_posix()}/" if is_folder else path.as_posix()


def _spec(texts: Sequence[str], named: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(texts)
    except (ValueError, re.error) as error:
        raise UsageError(f"the pattern {named} is not one: {error}") from error
