"""What an error says about a word that is not there: the nearest one, and all that are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 60
"""Characters of a user's text that a message repeats."""
MOST = 40
"""Names that a message lists."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The end of an error message: `` Did you mean X? Available: X, Y.`` Starts with a space.

    The guess is left out where nothing is near, the list never is.
    """
    available = sorted({shown(choice) for choice in choices})
    if not available:
        return " None is available."
    near = get_close_matches(word[:LONGEST], available, n=1) or _parts(word, available)
    guess = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(available) - MOST} more" if len(available) > MOST else ""
    return f"{guess} Available: {', '.join(available[:MOST])}{more}."


def _parts(word: str, available: Iterable[str]) -> list[str]:
    """Names that hold the word whole: ``dis`` is meant to be ``flow/dis``."""
    return [name for name in available if word and word in name.split("/")]


def shown(text: str) -> str:
    """A user's text as a message repeats it: on one line, printable and not too long."""
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return short if short.isprintable() else repr(short)[1:-1]
