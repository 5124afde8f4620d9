"""Which frames flicker most."""

from __future__ import annotations

import math

from vidstyle.evaluation.scores import Series


def worst_frames(series: Series, *, count: int = 4, apart: int = 5) -> tuple[int, ...]:
    """Indices of the highest values, the worst first, each ``apart`` frames or more from others.

    Values that are None or not finite do not count; of equal ones the first is taken.
    """
    known = [at for at, value in enumerate(series) if value is not None and math.isfinite(value)]
    chosen: list[int] = []
    for index in sorted(known, key=lambda at: -(series[at] or 0.0)):
        if len(chosen) == count:
            break
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
    return tuple(chosen)
