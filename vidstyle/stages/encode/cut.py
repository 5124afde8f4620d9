"""Which part of the original's time is kept, and where it begins in the output."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Cut:
    """Seconds on the original's clock."""

    start: Fraction = Fraction(0)
    """What becomes 0 in the output; may be negative."""
    end: Fraction | None = None
    """Nothing from here on is kept."""
    exact: bool = False
    """False: everything is kept and only moved."""

    def moved(self, time: int, time_base: Fraction) -> int:
        """A time in ticks on the output's clock."""
        return time - round(self.start / time_base)

    def keeps(self, begin: Fraction, end: Fraction) -> bool:
        """Whether any of the span is kept."""
        if not self.exact:
            return True
        return end > self.start and (self.end is None or begin < self.end)
