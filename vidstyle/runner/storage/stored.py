"""What a store holds of frames and units, as values."""

from __future__ import annotations

from dataclasses import dataclass

from vidstyle.core.sink import FrameTime
from vidstyle.runner.storage.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """What is kept of a frame beside its packets."""

    index: int
    time: FrameTime
    digest: str


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A frame of an unfinished chunk, with what the encoder was given."""

    frame: StoredFrame
    planes: bytes


@dataclass(frozen=True, slots=True)
class UnitStart:
    """A chunk where a run can start without the state of any stage: at a cut, or at a part."""

    chunk: int
    first: int
    """Index of its first frame."""
    start: Checkpoint
    """Some frames earlier, for the overlap and those that finding the cut takes; without states."""
    overlap: int = 0
    """Frames before it that are computed and dropped, where a long shot is cut; 0 at a cut."""
