"""Cross-hatching: tone becomes strokes, closer and crossing in more directions as it darkens.

After Winkenbach and Salesin, Computer-Generated Pen-and-Ink Illustration (1994).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .fields import Field, Image, Mask, noise, ramp
from .ink import InkCanvas, pressed, wobbled
from .palette import plain
from .streamlines import Growth, Line, shuffled_seeds, streamlines

PAPER = (243, 228, 196)
SEPIA = (46, 28, 20)
SANGUINE = (158, 62, 30)


@dataclass(frozen=True, slots=True)
class Hatching:
    """One set of strokes: where it begins to be needed, and how it lies."""

    from_tone: float
    turn: float
    """Radians from the direction of the ground."""
    widest: float
    """Pixels between strokes where the set begins."""
    closest: float
    """Pixels between strokes where it is darkest."""
    width: float
    """Of a stroke, in pixels."""


SETS = (
    Hatching(0.08, 0.0, 11.5, 5.5, 3.3),
    Hatching(0.46, 0.62, 12.0, 6.5, 2.9),
    Hatching(0.64, -0.55, 11.0, 6.5, 2.7),
    Hatching(0.80, 1.25, 9.0, 6.0, 2.7),
)
HALO = 5
"""Pixels of paper left bare around what stands in front."""


class Ground:
    """What the pen follows: tone in [0, 1], direction in radians, and what is in front."""

    def __init__(self, height: int, width: int) -> None:
        self.tone: Field = np.zeros((height, width), np.float32)
        self.direction: Field = np.zeros((height, width), np.float32)
        self.length: Field = np.zeros((height, width), np.float32)
        self.crossing: Field = np.ones((height, width), np.float32)
        self.red: Field = np.zeros((height, width), np.float32)
        self.region = np.zeros((height, width), np.int32)
        self.edges: list[tuple[int, Line]] = []

    def put(
        self,
        where: Mask,
        tone: Field,
        direction: Field,
        *,
        length: float,
        crossing: float = 1.0,
        red: float = 0.08,
    ) -> int:
        """Lays a thing in front of all before it, and gives its number.

        Its strokes are about ``length`` pixels long, cross by ``crossing`` times the angle of
        their set, and ``red`` of them are.
        """
        number = int(self.region.max()) + 1
        self.tone[where] = np.clip(tone, 0, 1)[where]
        self.direction[where] = direction[where]
        self.length[where], self.crossing[where], self.red[where] = length, crossing, red
        self.region[where] = number
        return number

    def clear(self, around: Mask) -> None:
        """Leaves paper bare around a thing that is put next."""
        size = (2 * HALO + 1, 2 * HALO + 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
        self.tone[cv2.dilate(around.astype(np.uint8), disc) > 0] = 0

    def edge(self, number: int, line: Line) -> None:
        """A contour of thing ``number``, drawn where nothing hides it."""
        self.edges.append((number, line))


def hatch(
    ground: Ground,
    hatching: Hatching,
    random: np.random.Generator,
    sepia: InkCanvas,
    sanguine: InkCanvas,
) -> None:
    """Draws one set of strokes into the inks, as close as the tone asks for."""
    height, width = ground.tone.shape
    dark = np.sqrt(ramp(ground.tone, hatching.from_tone, 1.0))
    spacing = hatching.widest + (hatching.closest - hatching.widest) * dark
    growth = Growth(
        direction=ground.direction + np.float32(hatching.turn) * ground.crossing,
        spacing=np.where(ground.tone > hatching.from_tone, spacing, 0).astype(np.float32),
        region=ground.region,
        shortest=12,
        longest=ground.length * random.uniform(0.5, 1.3, (height, width)).astype(np.float32),
    )
    for line in streamlines(growth, shuffled_seeds(random, height, width, 3)):
        x, y = line[len(line) // 2].astype(int)
        wide = hatching.width * (0.75 + 0.5 * float(ground.tone[y, x])) * random.uniform(0.75, 1.2)
        canvas = sanguine if random.random() < ground.red[y, x] else sepia
        widths = pressed(random, len(line), wide)
        canvas.stroke(wobbled(random, line, 0.9), widths, random.uniform(0.7, 0.97))


def contour(
    ground: Ground, number: int, edge: Line, random: np.random.Generator, canvas: InkCanvas
) -> None:
    """Goes over an edge in overlapping strokes, where nothing hides the thing it belongs to."""
    for part in _seen(ground, number, edge):
        start = 0
        while start < len(part) - 12:
            stretch = part[start : start + int(random.uniform(60, 190)) : 2]
            widths = pressed(random, len(stretch), random.uniform(2.6, 4.6))
            canvas.stroke(wobbled(random, stretch, 1.6), widths, 0.92)
            start += int(random.uniform(40, 150))


def _seen(ground: Ground, number: int, edge: Line) -> list[Line]:
    """The stretches of an edge just below which the thing ``number`` is in front."""
    height, width = ground.tone.shape
    inside = (edge[:, 1] >= 0) & (edge[:, 1] < height - 3)
    rows = np.clip(edge[:, 1].astype(int) + 2, 0, height - 1)
    columns = np.clip(edge[:, 0].astype(int), 0, width - 1)
    seen = inside & (ground.region[rows, columns] == number)
    breaks = np.flatnonzero(np.diff(seen)) + 1
    parts = zip(np.split(edge, breaks), np.split(seen, breaks), strict=True)
    return [part for part, visible in parts if visible[0]]


def on_paper(sepia: Field, sanguine: Field, random: np.random.Generator) -> Image:
    """The inks on paper with its fibers and stains."""
    height, width = sepia.shape
    specks = random.normal(0, 1, (height, width)).astype(np.float32)
    fibers = 5 * cv2.GaussianBlur(specks, (0, 0), 1.4)
    stains = noise(random, height, width, height / 3)
    paper = plain(PAPER) + (2.2 * fibers + 4 * stains)[..., np.newaxis]
    grain = 1 - 0.10 * np.clip(fibers, 0, 2)
    for ink, light in ((SANGUINE, sanguine), (SEPIA, sepia)):
        covered = ((1 - light) * grain)[..., np.newaxis]
        paper = paper * (1 - covered) + plain(ink) * covered
    return np.clip(np.rint(paper), 0, 255).astype(np.uint8)
