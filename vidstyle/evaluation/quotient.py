"""How figures add up: over the frames of a clip, and frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from vidstyle.evaluation.evaluation import Series


@dataclass(slots=True)
class Quotient:
    """A sum over a sum, such as errors over pixels, and the two of each frame."""

    top: float = 0.0
    bottom: float = 0.0
    frames: list[float | None] = field(default_factory=list)

    def add(self, top: float, bottom: float = 1.0) -> None:
        """Take in one more frame; with ``bottom`` left at 1 the value is a mean over frames."""
        self.top += top
        self.bottom += bottom
        self.frames.append(top / bottom if bottom else None)

    def skip(self) -> None:
        """One more frame, for which the figure is not defined."""
        self.frames.append(None)

    @property
    def value(self) -> float | None:
        """None where there was nothing to divide by."""
        return self.top / self.bottom if self.bottom else None

    @property
    def series(self) -> Series:
        return tuple(self.frames)
