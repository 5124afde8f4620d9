"""A page's folders with small images, clips, and a loss network of two blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.models.gatys_world import vgg_weights
from vidstyle.app.job_queue import JobQueue
from vidstyle.app.settings import Settings
from vidstyle.app.studio import Studio, opened
from vidstyle.models.weights import safetensors_file
from vidstyle.runner.config.shipped import shipped_folder

WriteClip = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return make_settings(tmp_path, monkeypatch)


def make_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two photos, two paintings, the shipped pipelines, and weights of VGG19's beginning."""
    _stylize(folder / "photos", ("hills", "sea"), spots=(3, 5))
    _stylize(folder / "paintings", ("ink", "oil"), spots=(25, 40))
    (folder / "weights").mkdir()
    weights = folder / "weights" / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(weights, vgg_weights(), {"input": "torchvision-rgb"})
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder / "weights"))
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    return Settings(
        pipelines=shipped_folder(),
        images=folder / "photos",
        style_images=folder / "paintings",
        max_upload=2**20,
        grace_seconds=0.0,
    )


def _stylize(folder: Path, names: tuple[str, ...], *, spots: tuple[int, int]) -> None:
    """Images of 160x100 pixels, of so many spots of color down and across."""
    folder.mkdir()
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (*spots, 3), np.uint8)
        image = cv2.resize(pixels, (160, 100), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{name}.png"), image)


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    with opened(settings) as studio:
        yield studio


@pytest.fixture
def jobs() -> Iterator[JobQueue]:
    queue = JobQueue(most_waiting=8)
    yield queue
    queue.close()


@pytest.fixture
def write_clip() -> WriteClip:
    """Writes a small clip: a gradient that moves."""

    def write(path: Path, *, count: int = 12) -> Path:
        x, y = np.meshgrid(np.arange(160), np.arange(128))
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, width=160, height=128)
            stream.pix_fmt = "yuv420p"
            for index in range(count):
                level = (x * 2 + y + 3 * index) % 256
                image = np.stack([level, 255 - level, level // 2 + 60], -1).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))
        return path

    return write
