"""A world to learn a style in while a test waits: images, and a VGG19 of two blocks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.models.gatys_world import vgg_weights
from vidstyle.models.weights import safetensors_file
from vidstyle.training import learn_style
from vidstyle.training.settings import TrainingSettings

STEPS = 4
SETTINGS = TrainingSettings(
    iterations=STEPS,
    backbone="vgg19",
    crop=32,
    style_image_side=64,
    style_layers=("relu1_1", "relu2_1"),
    style_scales=(1.0,),
    content_layers=("relu1_2",),
)


def make_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripes and spots as style images, weights, an empty cache, and few steps to learn."""
    write_stripes(folder / "stripes.png")
    write_stripes(folder / "bands.png", period=17, color=(40, 160, 90))
    (folder / "weights").mkdir()
    weights = folder / "weights" / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(weights, vgg_weights(), {"input": "torchvision-rgb"})
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder / "weights"))
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    monkeypatch.setattr(learn_style, "ON_THE_SPOT", SETTINGS)
    monkeypatch.setattr(learn_style, "_SCENES", 2)
    monkeypatch.setattr(learn_style, "_CHECKPOINT_EVERY", 1)


def write_stripes(
    path: Path, *, period: int = 10, color: tuple[int, int, int] = (120, 60, 20)
) -> Path:
    """An image of 96x80 pixels of stripes in two colors."""
    image = np.full((80, 96, 3), (200, 220, 230), np.uint8)
    image[np.arange(80) // (period // 2) % 2 == 0] = color
    cv2.imwrite(str(path), image)
    return path
