"""The shape of frames as an option."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

_ASPECT = re.compile(r"(\d+(?:\.\d+)?)[:/](\d+(?:\.\d+)?)")


def aspect_of(text: str) -> Fraction:
    """Read a shape.

    Args:
        text: Such as ``16:9``.

    Returns:
        Width divided by height.

    Raises:
        ValueError: It is none, or frames would be more than 20 times as long as high.
    """
    found = _ASPECT.fullmatch(text.strip())
    if found is None or not Fraction(found[2]) or not Fraction(found[1]):
        raise ValueError("must be width:height, as in 16:9")
    aspect = Fraction(found[1]) / Fraction(found[2])
    if not Fraction(1, 20) <= aspect <= 20:
        raise ValueError("must be from 1:20 to 20:1")
    return aspect


def _check(text: str | None) -> str | None:
    if text is not None:
        aspect_of(text)
    return text


Aspect: TypeAlias = Annotated[str | None, AfterValidator(_check)]
