"""Printing: lines and tables, safe for a terminal whatever a file name or tag contains."""

from __future__ import annotations

import logging
import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import TextIO

# Columns of a table in a pipe, which has no window.
_PIPE_WIDTH = 1000


def visible(text: str) -> str:
    r"""The text on one line, with escapes for characters that control a terminal.

    Control characters (C0, DEL, C1), line and paragraph separators, invisible characters and those
    that change the direction of writing become ``\x1b``, ``\n`` or ``\u202e``, as in a Python
    string; so do bytes of a file name that are no text.
    """
    return "".join(letter if _is_plain(letter) else _escaped(letter) for letter in text)


def say(text: str) -> None:
    """Print a line for people, on standard error."""
    print(visible(text), file=sys.stderr, flush=True)


def say_note(text: str) -> None:
    """Print a note on standard error: what is not as somebody may think."""
    say(f"note: {text}")


_quiet = False


def set_quiet(wanted: bool) -> None:
    """With True this process prints no progress and no results from now on: ``--quiet``."""
    global _quiet
    _quiet = wanted


def is_quiet() -> bool:
    """Whether ``set_quiet`` wants it."""
    return _quiet


def say_unless_quiet(text: str) -> None:
    """Print a line about progress or a result; notes and errors are for ``say``."""
    if not _quiet:
        say(text)


def answer(text: str) -> None:
    """Print a line of the result, on standard output."""
    print(visible(text))


def time_text(seconds: float) -> str:
    """``0:09``, ``12:30`` or ``3:05:00``."""
    whole = round(seconds)
    minutes, rest = whole // 60 % 60, whole % 60
    hours = f"{whole // 3600}:{minutes:02}" if whole >= 3600 else str(minutes)
    return f"{hours}:{rest:02}"


def table_width(stream: TextIO) -> int | None:
    """Columns that a table may use there; None for the width that rich finds.

    rich finds the width of the terminal, or ``COLUMNS``. A pipe without ``COLUMNS`` has no limit.
    """
    return None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()
) -> None:
    """Print a table on standard output; ``right`` are the titles of columns of numbers.

    Cells are folded to the width of the terminal. They are no markup.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold", justify="right" if title in right else "left")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(width=table_width(sys.stdout), highlight=False).print(table, crop=False)


class VisibleFormatter(logging.Formatter):
    """Log records as lines of visible text; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))


def visible_lines(text: str) -> str:
    """``visible`` for each line of a text, such as a traceback."""
    return "\n".join(map(visible, text.split("\n")))


def _is_plain(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
