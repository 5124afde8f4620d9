"""A world small enough to train in: few photos, a style image, and a VGG19 of two blocks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.models.weights import safetensors_file
from vidstyle.training.settings import TrainingSettings


@pytest.fixture(autouse=True)
def always_one_thread(one_thread: None) -> None:
    """For every test of this folder."""


@pytest.fixture
def settings() -> TrainingSettings:
    return TrainingSettings(
        iterations=6,
        backbone="vgg19",
        second_backbone="none",
        width=2,
        crop=32,
        style_image_side=64,
        style_layers=("relu1_1", "relu2_1"),
        style_scales=(1.0, 0.5),
        content_layers=("relu1_2",),
        initial_weights="random",
    )


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of eight photos, 48x40 to 48x61: blurred noise."""
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for index in range(8):
        noise = generator.integers(0, 256, (48, 40 + 3 * index, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), cv2.GaussianBlur(noise, (0, 0), 2))
    return folder


@pytest.fixture
def style_image(tmp_path: Path) -> Path:
    """Coarse stripes of two colors."""
    image = np.full((80, 96, 3), (200, 220, 230), np.uint8)
    image[(np.arange(80) // 5) % 2 == 0] = (120, 60, 20)
    path = tmp_path / "waves.png"
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A weights folder whose VGG19 ends at relu2_1 and was never trained."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for number, (inputs, outputs) in {0: (3, 64), 2: (64, 64), 5: (64, 128)}.items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        tensors[f"features.{number}.weight"] = weight * (2 / (9 * inputs)) ** 0.5
        tensors[f"features.{number}.bias"] = torch.zeros(outputs)
    folder = tmp_path / "weights"
    folder.mkdir()
    name = "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(folder / name, tensors, {})
    return folder
