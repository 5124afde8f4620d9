"""Hatching shows tone, and things in front hide the edges of those behind."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from samples.drawings.fields import Field, Mask
from samples.drawings.hatching import HALO, SETS, Ground, contour, hatch, on_paper
from samples.drawings.ink import InkCanvas

SIZE = 160


def blank() -> Field:
    return np.zeros((SIZE, SIZE), np.float32)


def half() -> Mask:
    return np.broadcast_to(np.arange(SIZE) < SIZE // 2, (SIZE, SIZE))


def hatched(tone: float, red: float = 0.0) -> tuple[float, float]:
    """Light of both inks, on average."""
    ground = Ground(SIZE, SIZE)
    ground.put(blank() == 0, blank() + tone, blank() + 0.3, length=50, red=red)
    sepia, sanguine = InkCanvas(SIZE, SIZE), InkCanvas(SIZE, SIZE)
    for strokes in SETS:
        hatch(ground, strokes, np.random.default_rng(0), sepia, sanguine)
    return float(sepia.light().mean()), float(sanguine.light().mean())


def test_darker_tones_get_more_ink() -> None:
    lights = [hatched(tone)[0] for tone in (0.0, 0.2, 0.5, 0.7, 0.95)]
    assert lights[0] == 1
    assert all(a - b > 0.03 for a, b in pairwise(lights))
    assert lights[-1] < 0.5


def test_red_strokes_are_drawn_in_the_other_ink() -> None:
    sepia, sanguine = hatched(0.5, red=1)
    assert sepia == 1
    assert sanguine < 0.9


def test_what_is_put_last_is_in_front() -> None:
    ground = Ground(SIZE, SIZE)
    back = ground.put(blank() == 0, blank() + 0.4, blank(), length=50)
    front = ground.put(half(), blank() + 2, blank() + 1, length=20)
    assert (ground.region[0, 0], ground.region[0, -1]) == (front, back)
    assert (ground.tone[0, 0], ground.length[0, 0], ground.direction[0, 0]) == (1, 20, 1)


def test_paper_is_bare_around_what_stands_in_front() -> None:
    ground = Ground(SIZE, SIZE)
    ground.put(blank() == 0, blank() + 0.5, blank(), length=50)
    ground.clear(half())
    edge = SIZE // 2 - 1
    assert ground.tone[50, edge + HALO] == 0
    assert ground.tone[50, edge + HALO + 1] == 0.5


def test_a_hidden_edge_is_not_drawn() -> None:
    ground = Ground(SIZE, SIZE)
    behind = ground.put(blank() == 0, blank(), blank(), length=50)
    ground.put(half(), blank(), blank(), length=50)
    canvas = InkCanvas(SIZE, SIZE)
    line = np.stack([np.arange(SIZE), np.full(SIZE, 60)], axis=1).astype(np.float32)
    contour(ground, behind, line, np.random.default_rng(0), canvas)
    light = canvas.light()
    assert light[:, : SIZE // 2 - 6].min() == 1
    assert light[55:66, SIZE // 2 + 10 : -20].min(axis=0).max() < 0.5


def test_full_ink_is_dark_and_bare_paper_is_warm() -> None:
    ink = np.where(half(), 0, 1).astype(np.float32)
    image = on_paper(ink, np.ones_like(ink), np.random.default_rng(0)).astype(float)
    covered, bare = image[half()].mean(axis=0), image[~half()].mean(axis=0)
    assert covered.max() < 75
    assert bare[0] > bare[1] > bare[2] > 170
