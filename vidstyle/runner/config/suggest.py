"""Help for a mistyped word in an error message: the nearest name and the available ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# Characters of a user's text that a message repeats.
LONGEST = 60
# Names that a message lists.
MOST = 40


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The end of an error message: `` Did you mean X? Available: X, Y.`` Starts with a space.

    The guess is missing where no name is near. The list is always there.
    """
    available = sorted({abbreviate(choice) for choice in choices})
    if not available:
        return " None is available."
    near = get_close_matches(word[:LONGEST], available, n=1) or _names_with_part(word, available)
    guess = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(available) - MOST} more" if len(available) > MOST else ""
    return f"{guess} Available: {', '.join(available[:MOST])}{more}."


def _names_with_part(word: str, available: Iterable[str]) -> list[str]:
    """Names of which the word is one part: ``dis`` of ``flow/dis``."""
    return [name for name in available if word and word in name.split("/")]


def abbreviate(text: str) -> str:
    """A user's text for a message: one line, printable, at most ``LONGEST`` characters or so."""
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return short if short.isprintable() else repr(short)[1:-1]
