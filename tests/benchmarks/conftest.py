"""Benchmarks as modules, and a world small enough to run them in."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch

from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.models.weights import safetensors_file

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def always_one_thread(one_thread: None) -> None:
    """For every test of this folder."""


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a benchmark as a script finds itself: its folder comes first."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of eight photos, 40x36 to 47x36: blurred noise."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(8):
        write(folder / f"{index}.png", smooth(index, 36, 40 + index))
    return folder


@pytest.fixture
def style_images(tmp_path: Path) -> Path:
    """A folder of two small style images, one fine and one coarse."""
    folder = tmp_path / "style_images"
    folder.mkdir()
    for name, period in (("the_blue_night_someone", 3), ("day_nobody", 12)):
        stripes = np.full((64, 80, 3), (200, 220, 230), np.uint8)
        stripes[(np.arange(64) // period) % 2 == 0] = (120, 60, 20)
        write(folder / f"{name}.png", stripes)
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A weights folder whose VGG19 ends at relu1_2 and was never trained."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for number, inputs in ((0, 3), (2, 64)):
        weight = torch.randn(64, inputs, 3, 3, generator=generator)
        tensors[f"features.{number}.weight"] = weight * (2 / (9 * inputs)) ** 0.5
        tensors[f"features.{number}.bias"] = torch.zeros(64)
    folder = tmp_path / "weights"
    folder.mkdir()
    name = "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(folder / name, tensors, {})
    return folder


@pytest.fixture
def style(tmp_path: Path) -> Callable[..., Path]:
    """Writes a style that was never trained."""

    def made(
        name: str, architecture: ArchitectureName = "fast", *, width: int = 2, seed: int = 0
    ) -> Path:
        network = empty_network(architecture, width)
        network.initialize(torch.Generator().manual_seed(seed))
        path = tmp_path / f"{name}.safetensors"
        settings = {"crop": 32, "style_image_side": 64}
        save_style(path, StyleInfo(name, Credit(), architecture, width, settings), network)
        return path

    return made


def smooth(seed: int, height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


def write(path: Path, image: np.ndarray) -> None:
    assert cv2.imwrite(str(path), image)
