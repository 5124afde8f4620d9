"""What a stage reads and writes, how far it sees and how long it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

from vidstyle.core.layers import Home

Scope = Literal["none", "shot", "clip"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many frames before and after the current one a stage reads a layer of."""

    behind: int = 0
    ahead: int = 0
    optional: bool = False
    """True: read where it is there, and no error where nobody writes it."""
    changed: bool = False
    """True for an image that must not be the source itself: a stage or a side input gives it."""

    def __post_init__(self) -> None:
        if self.behind < 0 or self.ahead < 0:
            raise ValueError(f"a reach is at least 0, got {self.behind} and {self.ahead}")


NOW = Reach()
"""The current frame alone."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A stage's declaration. The runner shows it these layers and takes those, no others."""

    reads: Mapping[str, Reach] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    scope: Scope = "none"
    """How long the state lives: not at all, for a shot, for the clip."""
    home: Home = "host"
    """Whether layers arrive as numpy arrays or as tensors on the run's device."""
    geometry: bool = False
    """True where ``describe`` may change width, height or aspect."""
    restores: bool = False
    """True for a geometry stage that gives back the full size: layers of the size before it end."""
    span: int | None = None
    """Frames that a ``SpanStage`` gets at once at most; None for a stage of single steps."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", MappingProxyType(dict(self.reads)))
        if self.span is not None and self.span < 1:
            raise ValueError(f"a span is at least 1 frame, got {self.span}")
        if self.span is not None and (self.behind or self.ahead):
            raise ValueError("a span shows its own frames alone; what is behind it is state")
        if len(set(self.writes)) != len(self.writes):
            raise ValueError(f"a layer is written twice: {self.writes}")

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only mapping cannot be pickled.
        values = [getattr(self, field.name) for field in fields(self)]
        return type(self), (dict(self.reads), *values[1:])

    @property
    def behind(self) -> int:
        """The farthest that any layer is read into the past."""
        return max((reach.behind for reach in self.reads.values()), default=0)

    @property
    def ahead(self) -> int:
        """The farthest that any layer is read into the future."""
        return max((reach.ahead for reach in self.reads.values()), default=0)
