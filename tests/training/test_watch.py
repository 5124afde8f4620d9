"""Several watchers are called as one."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.training.watch import Image, TrainingStep, Watchers

STEP = TrainingStep(3, 10, {"style": 0.5}, 1e-3, 0.2)


class Recorder:
    def __init__(self, calls: list[object], name: str, *, broken: bool = False) -> None:
        self.steps, self.name, self.broken = calls, name, broken

    def step(self, progress: TrainingStep) -> None:
        self.steps.append((self.name, progress))

    def image(self, iteration: int, name: str, image: Image) -> None:
        self.steps.append((self.name, iteration, name, image.shape))

    def close(self) -> None:
        self.steps.append((self.name, "closed"))
        if self.broken:
            raise OSError(self.name)


def test_all_are_called_in_order() -> None:
    calls: list[object] = []
    watchers = Watchers(Recorder(calls, "a"), Recorder(calls, "b"))
    watchers.step(STEP)
    watchers.image(3, "photo-1", np.zeros((2, 4, 3), np.uint8))
    watchers.close()
    image = (3, "photo-1", (2, 4, 3))
    assert calls[:2] == [("a", STEP), ("b", STEP)]
    assert calls[2:4] == [("a", *image), ("b", *image)]
    assert calls[4:] == [("a", "closed"), ("b", "closed")]


def test_all_are_closed_where_one_cannot_be() -> None:
    calls: list[object] = []
    watchers = Watchers(Recorder(calls, "a", broken=True), Recorder(calls, "b"))
    with pytest.raises(OSError, match="a"):
        watchers.close()
    assert calls == [("a", "closed"), ("b", "closed")]
