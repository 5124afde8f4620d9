"""Where text meets the terminal: names, tags and errors come from anybody's files."""

from __future__ import annotations

import logging
import os
import sys
import unicodedata
from typing import TextIO

_PIPE_WIDTH = 1000
"""Columns where nobody's window ends."""


def visible(text: str) -> str:
    r"""The text on one line, with what a terminal would obey written as an escape.

    Control characters (C0, DEL, C1), line and paragraph separators, and what is invisible or
    turns the direction of writing become ``\x1b``, ``\n`` or ``\u202e``, as in a Python string;
    so do bytes of a file name that are no text. Everything else stays as it is.
    """
    return "".join(letter if _is_plain(letter) else _escaped(letter) for letter in text)


def say(text: str) -> None:
    """Print a line for people, on standard error."""
    print(visible(text), file=sys.stderr, flush=True)


def answer(text: str) -> None:
    """Print a line that was asked for, on standard output."""
    print(visible(text))


def table_width(stream: TextIO) -> int | None:
    """Columns that a table may take there; None for as many as rich finds.

    Those are of the terminal, or of ``COLUMNS``; a pipe without it has no end of a line.
    """
    return None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH


class VisibleFormatter(logging.Formatter):
    """Log records as lines of visible text; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))


def visible_lines(text: str) -> str:
    """Text that has lines of its own, such as a traceback, each of them visible."""
    return "\n".join(map(visible, text.split("\n")))


def _is_plain(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
