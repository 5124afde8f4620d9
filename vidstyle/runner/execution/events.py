"""What a run reports while it works. Listeners print it, keep it or draw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vidstyle.core.clip import Note
from vidstyle.core.plan import Plan


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is resolved; decoding starts."""

    plan: Plan
    output: Path


@dataclass(frozen=True, slots=True)
class StyleStep:
    """A step of learning a style from images, before the run."""

    images: tuple[Path, ...]
    step: int
    """Counted from 1."""
    steps: int
    losses: Mapping[str, float]
    seconds: float
    """That the step took."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run resumes where an earlier one was interrupted."""

    frames: int
    """How many are done already."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The run is interrupted, and a later one can resume it."""

    frames: int
    store: Path
    """The file that holds them."""


@dataclass(frozen=True, slots=True)
class FrameDone:
    """A frame was given to the encoder."""

    index: int
    done: int
    total: int | None
    """Frames that there will be, where that is known; an estimate."""
    digest: str
    """Hash of the pixel planes given to the encoder."""
    behind: float | None = None
    """Seconds since the frame had arrived, of a run that reads from a pipe."""


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """Something was guessed, repaired or dropped."""

    note: Note


@dataclass(frozen=True, slots=True)
class Latency:
    """From a frame's arrival through a pipe to when it was written."""

    frames: int
    """That had arrived behind it by then, at most."""
    seconds: float
    """On average."""
    most_seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """The destination is complete."""

    output: Path
    frames: int
    digest: str
    """Hash of all frames' hashes, in order: equal runs have equal ones."""
    seconds: float
    stage_seconds: Mapping[str, float]
    """Time inside each stage, source and sink included; threads overlap."""
    latency: Latency | None = None
    """Of a run that reads from a pipe."""


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The output is what the run would make; it is left as it is."""

    output: Path
    frames: int
    digest: str
    """As in ``Result``."""

    @property
    def result(self) -> Result:
        """As of a run that took no time."""
        return Result(self.output, self.frames, self.digest, 0.0, {})


Event: TypeAlias = (
    StyleStep | Planned | Resumed | FrameDone | NoteEvent | Kept | AlreadyDone | Result
)
Listener: TypeAlias = Callable[[Event], None]
