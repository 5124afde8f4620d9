"""What is needed to go on at a frame, gathered while that frame passes the stages.

A checkpoint is a cut through frame numbers, not through time: stages with look-ahead are further
on than later ones, so each is saved when it meets the frame that begins a chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from vidstyle.core.source import Mark
from vidstyle.core.state import State

if TYPE_CHECKING:
    from vidstyle.runner.execution.parcel import Parcel


@dataclass(frozen=True, slots=True)
class Held:
    """What a stage must be given back to go on: its state and the inputs behind it."""

    state: State
    shot: int | None
    behind: tuple[Parcel, ...]
    """Nearest first."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """Where the numbering of shots and chunks stood."""

    shot: int
    chunk: int
    in_chunk: int


@dataclass(frozen=True, slots=True)
class Clock:
    """When a run's first frames are shown, in seconds on the file's clock."""

    origin: Fraction
    """The first frame of the file."""
    start: Fraction
    """The first one wanted."""


@dataclass(slots=True)
class Edge:
    """Travels with a frame; whoever it passes notes what was before it.

    Every frame has one up to the numbering of chunks, which keeps those of frames that begin one,
    and now and then another: only then is it known which they are.
    """

    mark: Callable[[], Mark]
    """The source's place before the frame."""
    clock: Clock
    held: dict[str, Held] = field(default_factory=dict)
    """By the name of the stage."""
    stamped: Stamped | None = None
