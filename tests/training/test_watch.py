"""Several watchers are told as one."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.training.watch import Image, TrainingStep, Watchers

STEP = TrainingStep(3, 10, {"style": 0.5}, 1e-3, 0.2)


class Recorder:
    def __init__(self, told: list[object], name: str, *, broken: bool = False) -> None:
        self.told, self.name, self.broken = told, name, broken

    def step(self, progress: TrainingStep) -> None:
        self.told.append((self.name, progress))

    def image(self, iteration: int, name: str, image: Image) -> None:
        self.told.append((self.name, iteration, name, image.shape))

    def close(self) -> None:
        self.told.append((self.name, "closed"))
        if self.broken:
            raise OSError(self.name)


def test_all_are_told_in_order() -> None:
    told: list[object] = []
    watchers = Watchers(Recorder(told, "a"), Recorder(told, "b"))
    watchers.step(STEP)
    watchers.image(3, "photo-1", np.zeros((2, 4, 3), np.uint8))
    watchers.close()
    image = (3, "photo-1", (2, 4, 3))
    assert told[:2] == [("a", STEP), ("b", STEP)]
    assert told[2:4] == [("a", *image), ("b", *image)]
    assert told[4:] == [("a", "closed"), ("b", "closed")]


def test_all_are_closed_where_one_cannot_be() -> None:
    told: list[object] = []
    watchers = Watchers(Recorder(told, "a", broken=True), Recorder(told, "b"))
    with pytest.raises(OSError, match="a"):
        watchers.close()
    assert told == [("a", "closed"), ("b", "closed")]
