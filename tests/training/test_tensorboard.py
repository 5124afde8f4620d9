"""TensorBoard reads each step once, however often a training was stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.training.tensorboard import TensorBoard
from vidstyle.training.watch import STYLE_IMAGE, TrainingStep

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def step(iteration: int, style: float = 1.0) -> TrainingStep:
    return TrainingStep(iteration, 9, {"style": style, "content": 2.0}, 1e-3 * iteration, 0.5)


def train(folder: Path, first: int, last: int, *, style: float = 1.0) -> None:
    """What happens from one step to another; the first shows the style image."""
    watcher = TensorBoard(folder)
    watcher.image(first - 1, STYLE_IMAGE, np.full((8, 8, 3), 90, np.uint8))
    for iteration in range(first, last + 1):
        watcher.image(iteration, "photo-1", np.full((8, 8, 3), iteration, np.uint8))
        watcher.step(step(iteration, style))
    watcher.close()


def read(folder: Path) -> Any:
    return event_accumulator.EventAccumulator(str(folder), {"images": 0, "scalars": 0}).Reload()


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(folder).Scalars(name)]


def test_losses_rate_and_speed_are_curves(tmp_path: Path) -> None:
    train(tmp_path, 1, 3)
    assert scalars(tmp_path, "loss/style") == [(1, 1), (2, 1), (3, 1)]
    assert scalars(tmp_path, "loss/content") == [(1, 2), (2, 2), (3, 2)]
    assert scalars(tmp_path, "training/steps a second") == [(1, 2), (2, 2), (3, 2)]
    rates = [value for _, value in scalars(tmp_path, "training/learning rate")]
    assert rates == pytest.approx([1e-3, 2e-3, 3e-3])


def test_images_are_there_with_their_steps(tmp_path: Path) -> None:
    train(tmp_path, 1, 2)
    log = read(tmp_path)
    assert [event.step for event in log.Images(STYLE_IMAGE)] == [0]
    assert [event.step for event in log.Images("photo-1")] == [1, 2]
    assert {(event.width, event.height) for event in log.Images("photo-1")} == {(8, 8)}


def test_a_resumed_training_continues_without_a_step_twice(tmp_path: Path) -> None:
    train(tmp_path, 1, 5, style=1.0)
    # Stopped after step 5, taken up again from the checkpoint of step 3.
    train(tmp_path, 4, 6, style=2.0)
    assert scalars(tmp_path, "loss/style") == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]
    log = read(tmp_path)
    assert [event.step for event in log.Images("photo-1")] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in log.Images(STYLE_IMAGE)] == [0]


def test_a_new_training_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    train(tmp_path, 1, 5, style=1.0)
    train(tmp_path, 1, 2, style=3.0)
    assert scalars(tmp_path, "loss/style") == [(1, 3), (2, 3)]
    assert [event.step for event in read(tmp_path).Images(STYLE_IMAGE)] == [0]


def test_a_training_that_took_no_step_writes_nothing(tmp_path: Path) -> None:
    watcher = TensorBoard(tmp_path)
    watcher.image(0, STYLE_IMAGE, np.zeros((8, 8, 3), np.uint8))
    watcher.close()
    assert not list(tmp_path.iterdir())


def test_large_images_are_reduced(tmp_path: Path) -> None:
    watcher = TensorBoard(tmp_path)
    watcher.step(step(1))
    watcher.image(1, "photo-1", np.zeros((600, 1200, 3), np.uint8))
    watcher.close()
    [event] = read(tmp_path).Images("photo-1")
    assert (event.width, event.height) == (512, 256)


def test_without_tensorboard_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError, match=r"pip install 'vidstyle\[tensorboard\]'"):
        TensorBoard(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        TensorBoard(tmp_path / "file" / "folder")
