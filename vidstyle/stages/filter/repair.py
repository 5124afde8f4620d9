"""Find damage in stylized images, report it, and repair it."""

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
    action: Literal["repair", "report"] = Field(
        "repair", description="report only counts, and leaves every frame unchanged."
    )
    jump: float = Field(
        JUMP,
        gt=0,
        le=1,
        description="A pixel is dead if it differs from the median around it by more than this.",
    )
    stable: float = Field(
        STABLE,
        ge=0,
        le=1,
        description="Where the source differs by more than this, no pixel counts as dead.",
    )
    strokes: Strokes = Field(
        "spared",
        description="spared: points of a stroke, as sharp as their surroundings, do not count"
        " as dead.",
    )
    blob_area: int = Field(
        BLOB_AREA,
        ge=2,
        le=1_000_000,
        description="Size of the smallest black or white blob that counts, in pixels.",
    )
    allowed_fraction: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Fraction of the image that may be black or white because the style image is.",
    )


class Repair(BaseStage[RepairOptions]):
    """Finds dead pixels and black or white blobs that the source does not have, and repairs them.

    A frame without damage passes bit for bit. A note at the end of the run says what was found.
    NaN does not arrive here: the run fails at the stage that writes it.
    """

    Options = RepairOptions
    needs = Needs(reads={"image": NOW, "source": NOW}, writes=("image",))

    def __init__(self, options: RepairOptions) -> None:
        super().__init__(options)
        self._count = _RepairCount()

    @property
    def notes(self) -> Sequence[Note]:
        """What was found since the stage was opened."""
        text = self._count.text("repaired" if self.options.action == "repair" else "found")
        return (Note("dead-pixels", text),) if text else ()

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._count = _RepairCount()

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
        self._count.add(window.now.index, dead)
        repaired = repair(image, dead, source) if options.action == "repair" else image
        return {"image": repaired}, None


@dataclass(slots=True)
class _RepairCount:
    """Counts for the user; no image depends on them."""

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
        """One line; empty where nothing was found."""
        parts = [
            _plural(self.pixels, "dead pixel"),
            _plural(self.blobs, "dead blob"),
            _plural(self.not_finite, "pixel", " of NaN"),
        ]
        listed = ", ".join(part for part in parts if part)
        frames = _plural(self.frames, "frame")
        return f"{verb} {listed} in {frames}, first in frame {self.first}" if frames else ""


def _plural(count: int, thing: str, more: str = "") -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}{more}" if count else ""


STAGE = Repair
