"""Find what is broken in a painting, say so, and mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Layers,
    Needs,
    Note,
    StageOptions,
    State,
    Window,
)
from vidstyle.imaging.dead_pixels import BLOB_AREA, JUMP, STABLE, Dead, Strokes, find_dead
from vidstyle.imaging.repair import repair


class RepairOptions(StageOptions):
    action: Literal["mend", "report"] = Field(
        "mend", description="'report' counts, and leaves every frame as it is."
    )
    jump: float = Field(
        JUMP, gt=0, le=1, description="A dead pixel differs from the median around it by more."
    )
    stable: float = Field(
        STABLE, ge=0, le=1, description="Where the source differs by more, nothing counts as dead."
    )
    strokes: Strokes = Field(
        "spared",
        description="Whether points of strokes, as sharp as what is around them, are dead as well.",
    )
    blob_area: int = Field(
        BLOB_AREA, ge=2, le=1_000_000, description="Pixels of the smallest black or white blob."
    )
    allowed_fraction: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the image that may be black or white, as it is in the painting"
        " that the style was made from.",
    )


class Repair(BaseStage[RepairOptions]):
    """Mends dead pixels and black or white blobs of ``image`` that its ``source`` has not.

    A frame in which nothing is dead passes bit for bit. What was found is said at the end. NaN
    never gets here: the run ends at the stage that made it, which is where to look.
    """

    Options = RepairOptions
    needs = Needs(reads={"image": NOW, "source": NOW}, writes=("image",))

    def __init__(self, options: RepairOptions) -> None:
        super().__init__(options)
        self._tally = _Tally()

    @property
    def notes(self) -> Sequence[Note]:
        """What was found since the stage was opened."""
        text = self._tally.text("mended" if self.options.action == "mend" else "found")
        return (Note("dead-pixels", text),) if text else ()

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._tally = _Tally()

    def step(self, window: Window[RepairOptions], state: State) -> tuple[Layers, State]:
        image, source = window.now.host("image"), window.now.host("source")
        options = window.options
        dead = find_dead(
            image,
            source,
            strokes=options.strokes,
            jump=options.jump,
            stable=options.stable,
            blob_area=options.blob_area,
            allowed_fraction=options.allowed_fraction,
        )
        self._tally.add(window.now.index, dead)
        repaired = repair(image, dead, source) if options.action == "mend" else image
        return {"image": repaired}, None


@dataclass(slots=True)
class _Tally:
    """Counts for the user alone; no image depends on them."""

    frames: int = 0
    pixels: int = 0
    blobs: int = 0
    not_finite: int = 0
    first: int | None = None

    def add(self, index: int, dead: Dead) -> None:
        if not dead.found:
            return
        self.first = index if self.first is None else self.first
        self.frames += 1
        self.pixels += dead.pixel_count
        self.blobs += dead.blob_count
        self.not_finite += dead.not_finite_count

    def text(self, verb: str) -> str:
        """One line for a person; empty where nothing was found."""
        parts = [
            _counted(self.pixels, "dead pixel"),
            _counted(self.blobs, "dead blob"),
            _counted(self.not_finite, "pixel", " of NaN"),
        ]
        listed = ", ".join(part for part in parts if part)
        frames = _counted(self.frames, "frame")
        return f"{verb} {listed} in {frames}, first in frame {self.first}" if frames else ""


def _counted(count: int, thing: str, more: str = "") -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}{more}" if count else ""


STAGE = Repair
