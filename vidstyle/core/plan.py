"""The resolved plan: every choice of a run as a value, fixed before the first frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vidstyle.core.clip import Clip
from vidstyle.core.context import ExecutionContext
from vidstyle.core.needs import Needs


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage with all that its pixels depend on."""

    name: str
    """Its name in the pipeline: ``as``, or the kind."""
    use: str
    """``kind/name``."""
    options: Mapping[str, Any]
    """As JSON values, defaults included."""
    needs: Needs
    context: ExecutionContext
    clip: Clip
    """What leaves the stage."""
    keeps: tuple[str, ...]
    """Layers that somebody after it still reads; the others are dropped."""
    memory: int
    """Bytes that it, its frames and the queue behind it take at most."""

    def identity(self) -> str:
        """What its pixels depend on, as JSON."""
        facts = {"use": self.use, "options": dict(self.options), "context": asdict(self.context)}
        return json.dumps(facts, sort_keys=True)


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """An image, folder or video that becomes a layer beside the clip's own."""

    name: str
    """Of the layer."""
    path: str
    width: int
    height: int
    """As it lies there; the layer has the clip's size."""
    digest: str
    """Hash of the content."""
    color: bool = False
    """Whether the layer is (H, W, 3) RGB, or (H, W)."""
    pad: bool = False
    """Whether a file of another shape gets black edges, or is refused."""


@dataclass(frozen=True, slots=True)
class Split:
    """How long shots are cut into parts that are computed apart."""

    frames: int
    """Of a part; the last one of a shot may have fewer."""
    overlap: int
    """Frames before a part that are computed with it and dropped: with them its stages start."""

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.overlap < self.frames:
            raise ValueError(f"a part has more frames than twice its overlap, got {self}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run will do; runs of equal plans on equal input give equal frames."""

    source: PlannedStage
    stages: tuple[PlannedStage, ...]
    sink: PlannedStage
    device: str
    queue: int
    """Frames that may wait between two stages; 0: one frame goes through one stage at a time."""
    chunk: tuple[int, int]
    """A chunk ends at the first cut after so many frames, or at so many."""
    frames: tuple[int, int | None]
    """Half-open interval of source indices."""
    memory: int
    """Bytes that the whole process takes at most."""
    savings: int = 0
    """How far memory is saved: 0 is the fastest choice of ``runner.memory``."""
    plugins: tuple[str, ...] = ()
    """Folders in which stages are found besides the built-in and the installed ones."""
    inputs: tuple[PlannedInput, ...] = ()
    """Side inputs, in the order of their reading."""
    split: Split | None = None
    """None: shots are computed whole."""

    @property
    def every(self) -> tuple[PlannedStage, ...]:
        """Source, stages and sink in order."""
        return (self.source, *self.stages, self.sink)

    @property
    def frame_total(self) -> int | None:
        """Frames that there will be, where that is known; an estimate."""
        first, stop = self.frames
        count = self.source.clip.frame_count
        if count is None:
            return None if stop is None else stop - first
        return max((count if stop is None else min(stop, count)) - first, 0)

    def digest(self) -> str:
        """Hash of what the pixels depend on."""
        facts = {
            "stages": [stage.identity() for stage in self.every],
            "chunk": self.chunk,
            "frames": self.frames,
            "inputs": {
                side.name: [side.digest, side.pad] if side.pad else side.digest
                for side in self.inputs
            },
            "split": None if self.split is None else asdict(self.split),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
