"""Patterns of paths, written as in a .gitignore file.

A pattern without a slash is held against every part of a path, one with a slash against the path
from its beginning. ``*`` and ``?`` stand for letters but a slash, ``[a-z]`` for one of some, ``**``
for any folders. What matches a folder matches all that is in it; with a slash at its end a pattern
matches folders alone.

References:
    gitignore(5) in the Git manual, "Pattern format"; without ``!`` and without escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from vidstyle.core.errors import UsageError


class PathPattern:
    """One pattern.

    Args:
        text: As it was given.

    Raises:
        UsageError: It has a range such as ``[z-a]``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._folders_only = text.endswith("/")
        bare = text.strip("/")
        self._anchored = "/" in text.rstrip("/")
        try:
            self._regex = re.compile("".join(_translated(bare)), re.DOTALL)
        except re.error as error:
            raise UsageError(f"the pattern {text} is not one: {error}") from error

    def matches(self, path: PurePath, *, is_folder: bool = False) -> bool:
        """Whether it matches a relative path, or a folder that the path is in.

        Args:
            path: Below the folder that is searched.
            is_folder: Whether the path itself is one.

        Returns:
            Whether it does.
        """
        parts = path.parts
        for count in range(1, len(parts) + 1):
            if self._folders_only and count == len(parts) and not is_folder:
                continue
            tried = "/".join(parts[:count]) if self._anchored else parts[count - 1]
            if self._regex.fullmatch(tried):
                return True
        return False


def _translated(pattern: str) -> Iterator[str]:
    """The pattern as pieces of a regular expression."""
    for piece in re.findall(r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^]]*\]|.", pattern, re.DOTALL):
        if piece == "**/":
            yield "(?:.*/)?"
        elif piece == "/**":
            yield "/.*"
        elif piece[0] == "*":
            yield "[^/]*"
        elif piece == "?":
            yield "[^/]"
        elif len(piece) > 1:
            negated = piece[1] in "!^"
            letters = piece[2 if negated else 1 : -1].replace("\\", r"\\").replace("[", r"\[")
            yield f"(?!/)[{'^' if negated else ''}{letters.replace(']', chr(92) + ']')}]"
        else:
            yield re.escape(piece)
