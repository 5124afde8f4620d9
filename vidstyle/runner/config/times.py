"""Times as users write them, in keyframes and in ``--frames``: ``1.5s``, ``1m30s``, ``1:30``."""

from __future__ import annotations

import re
from fractions import Fraction

_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
# Hours, minutes, seconds and milliseconds by their units, at least one of them.
_UNITS = rf"(?=[0-9.])(?:([0-9]+)h)?(?:([0-9]+)m)?(?:({_NUMBER})s)?(?:({_NUMBER})ms)?"
# As a clock shows them: minutes and seconds, or hours before these.
_CLOCK = r"(?:([0-9]+):)?([0-9]+):([0-9]{1,2}(?:\.[0-9]+)?)"
TIME = f"^(?:{_UNITS}|{_CLOCK})$"
"""Pattern of a time; valid in Python and in a JSON Schema."""
TIME_EXAMPLES = "2s, 1.5s, 100ms, 1m30s or 1:30"
"""For messages."""
# Characters: what is longer was not meant as a time.
_LONGEST = 32


def seconds_of(text: str) -> Fraction | None:
    """Read a time.

    Args:
        text: Such as ``2s``, ``1.5s``, ``100ms``, ``1h2m3.5s``, ``1:30`` (minutes) or
            ``1:02:03.5`` (hours).

    Returns:
        Seconds, exact; None where the text is not a time.
    """
    # Where a line ends, Python's $ matches before its end.
    if len(text) > _LONGEST or text.endswith("\n"):
        return None
    match = re.match(TIME, text, re.ASCII)
    if match is None:
        return None
    parts = [Fraction(part or 0) for part in match.groups()]
    hours, minutes, seconds = (parts[at] + parts[at + 4] for at in range(3))
    return hours * 3600 + minutes * 60 + seconds + parts[3] / 1000
