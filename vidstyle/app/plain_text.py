"""Names and messages of anybody's files where Streamlit would read Markdown."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")
"""All of ASCII's punctuation: what Markdown, and Streamlit's own signs in it, are made of."""
_LONGEST = 60


def plain(text: str) -> str:
    """Markdown that shows the text as it is, on one line: no markup, no links, no images."""
    return _MARKS.sub(r"\\\1", on_one_line(text))


def on_one_line(text: str) -> str:
    """The text with what cannot be seen, breaks the line or turns it written as an escape."""
    return "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else ascii(letter)[1:-1]
        for letter in text
    )


def shortened(name: str) -> str:
    """A file's name, short enough for a line."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
