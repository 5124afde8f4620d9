"""A style is learned from images alone, resumes bit for bit, and refuses what is no image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.training.learning_world import SETTINGS, STEPS, make_world, write_stripes
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.style.style_file import StyleInfo, read_style_info
from vidstyle.models.weights.safetensors_file import read_tensors
from vidstyle.training.learn_style import ON_THE_SPOT, check_images, join_images, learn_style
from vidstyle.training.watch import TrainingStep


class Steps:
    """Counts steps, and stops a training after some."""

    def __init__(self, stop_after: int = 1000) -> None:
        self.taken: list[int] = []
        self._stop_after = stop_after

    def step(self, step: TrainingStep) -> None:
        self.taken.append(step.iteration)
        if len(self.taken) == self._stop_after:
            raise KeyboardInterrupt

    def image(self, iteration: int, name: str, image: object) -> None:
        return None

    def close(self) -> None:
        return None


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_world(tmp_path, monkeypatch)
    return tmp_path


def learn(world: Path, name: str, images: Sequence[str], steps: Steps) -> StyleInfo:
    paths = [world / image for image in images]
    destination = world / f"{name}.safetensors"
    return learn_style(paths, destination=destination, settings=SETTINGS, watcher=steps)


def alike(world: Path, one: str, other: str) -> bool:
    """Whether two styles have the same weights, bit for bit."""
    first, second = (read_tensors(world / f"{name}.safetensors") for name in (one, other))
    assert first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.slow
def test_the_file_is_a_style_of_the_settings(world: Path) -> None:
    steps = Steps()
    info = learn(world, "s", ["stripes.png"], steps)
    assert read_style_info(world / "s.safetensors") == info
    assert steps.taken == list(range(1, STEPS + 1))
    assert info.settings["crop"] == SETTINGS.crop
    assert not (world / "s.checkpoint").exists()


def test_an_interrupted_one_resumes_and_gives_the_same_bits(world: Path) -> None:
    learn(world, "whole", ["stripes.png"], Steps())
    with pytest.raises(KeyboardInterrupt):
        learn(world, "parts", ["stripes.png"], Steps(stop_after=2))
    resumed = Steps()
    learn(world, "parts", ["stripes.png"], resumed)
    assert resumed.taken == [3, 4]
    assert alike(world, "whole", "parts")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["damaged", "of another image"])
def test_a_checkpoint_that_does_not_serve_is_replaced(world: Path, kind: str) -> None:
    if kind == "damaged":
        (world / "s.checkpoint").write_bytes(b"no checkpoint")
    else:
        with pytest.raises(KeyboardInterrupt):
            learn(world, "s", ["bands.png"], Steps(stop_after=2))
    steps = Steps()
    learn(world, "s", ["stripes.png"], steps)
    assert steps.taken == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_several_images_are_learned_as_one_style(world: Path) -> None:
    chosen = {"a": ["stripes.png"], "b": ["bands.png"], "both": ["stripes.png", "bands.png"]}
    for name, images in chosen.items():
        learn(world, name, images, Steps())
    assert not alike(world, "a", "both")
    assert not alike(world, "b", "both")
    assert not alike(world, "a", "b")


def test_joined_images_have_one_height_and_keep_their_pixels(tmp_path: Path) -> None:
    small = write_stripes(tmp_path / "small.png")
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.full((160, 100, 3), (10, 20, 30), np.uint8))
    joined = join_images([small, large], 80)
    assert joined.shape == (80, 96 + 50, 3)
    np.testing.assert_array_equal(joined[:, :96], cv2.imread(str(small))[..., ::-1])
    assert (joined[:, 96:] == (30, 20, 10)).all()


def test_the_shorter_side_of_a_single_image_is_scaled(tmp_path: Path) -> None:
    tall = tmp_path / "tall.png"
    cv2.imwrite(str(tall), np.zeros((200, 50, 3), np.uint8))
    assert join_images([tall], 100).shape == (400, 100, 3)


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    thread = tmp_path / "thread.png"
    cv2.imwrite(str(thread), np.zeros((4, 200, 3), np.uint8))
    with pytest.raises(UsageError, match=r"thread.png: more than 16 times as long.*crop it"):
        check_images([thread])
    square = write_stripes(tmp_path / "square.png")
    with pytest.raises(UsageError, match="give fewer style images"):
        check_images([square] * 14)
    check_images([square] * 13)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("a list of colors")
    with pytest.raises(InputError, match=r"text\.jpg is not an image"):
        check_images([text])


def test_learning_on_the_spot_starts_at_the_nearest_style() -> None:
    assert ON_THE_SPOT.initial_weights == "nearest"
    assert ON_THE_SPOT.iterations <= 1000
