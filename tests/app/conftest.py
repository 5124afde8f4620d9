"""A page's folders with small images, clips, and a loss network of two blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.models.gatys_world import vgg_weights
from vidstyle.app.choices import PageSettings
from vidstyle.app.job_queue import JobQueue
from vidstyle.app.status import Status
from vidstyle.app.studio import Studio, open_studio
from vidstyle.app.tasks import ClipChoices, ImageChoices, PhotoChoices, Task
from vidstyle.models.style.styles import find_style
from vidstyle.models.weights import safetensors_file
from vidstyle.runner.config.shipped import shipped_folder

WriteClip = Callable[..., Path]


def image_choices(settings: PageSettings, **changes: Any) -> ImageChoices:
    """The second photo and style image of ``make_settings``, at 100 pixels."""
    assert settings.images
    assert settings.style_images
    chosen = ImageChoices(
        content=settings.images / "sea.png",
        content_name="Sea",
        style_image=settings.style_images / "oil.png",
        style_name="Oil",
        steps=20,
        size=100,
        backbone="vgg19",
        layer_weights=(1.0, 1.0, 1.0, 1.0),
        weights={"style_weight": 1.0, "variation_weight": 0.01},
        strength=1.0,
    )
    return replace(chosen, **changes)


def photo_choices(settings: PageSettings, **changes: Any) -> PhotoChoices:
    """The second photo of ``make_settings`` in the style of the Great Wave."""
    assert settings.images
    chosen = PhotoChoices(
        content=settings.images / "sea.png",
        content_name="Sea",
        style=find_style("great-wave"),
        style_name="The Great Wave",
        strength=1.0,
        stroke_size="auto",
        keep_colors=False,
        size=1080,
    )
    return replace(chosen, **changes)


def clip_choices(clip: Path, style: str = "great-wave", name: str = "clip.mp4") -> ClipChoices:
    """A clip in a style, temporally consistent."""
    return ClipChoices(
        clip=clip,
        clip_name=name,
        pipeline=shipped_folder() / "temporal.yaml",
        pipeline_name="Temporally consistent",
        style=find_style(style),
        style_name=style,
    )


def run_task(task: Task) -> Status:
    """What becomes of a task that nothing else waits for."""
    queue = JobQueue(most_waiting=1)
    job = queue.submit(task)
    job.ended.wait()
    queue.close()
    return job.status


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageSettings:
    return make_settings(tmp_path, monkeypatch)


def make_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> PageSettings:
    """Two photos, two style images, the shipped pipelines, and weights of VGG19's first layers."""
    _write_images(folder / "photos", ("hills", "sea"), spots=(3, 5))
    _write_images(folder / "style_images", ("ink", "oil"), spots=(25, 40))
    (folder / "weights").mkdir()
    weights = folder / "weights" / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(weights, vgg_weights(), {"input": "torchvision-rgb"})
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder / "weights"))
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    return PageSettings(
        pipelines=shipped_folder(),
        images=folder / "photos",
        style_images=folder / "style_images",
        max_upload=2**20,
        grace_seconds=0.0,
    )


def _write_images(folder: Path, names: tuple[str, ...], *, spots: tuple[int, int]) -> None:
    """Images of 160x100 pixels, of so many spots of color down and across."""
    folder.mkdir()
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (*spots, 3), np.uint8)
        image = cv2.resize(pixels, (160, 100), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{name}.png"), image)


@pytest.fixture
def studio(settings: PageSettings) -> Iterator[Studio]:
    with open_studio(settings) as studio:
        yield studio


@pytest.fixture
def jobs() -> Iterator[JobQueue]:
    queue = JobQueue(most_waiting=8)
    yield queue
    queue.close()


@pytest.fixture
def write_clip() -> WriteClip:
    """Writes a small clip: a gradient that moves."""

    def write(path: Path, *, count: int = 12, width: int = 160, height: int = 128) -> Path:
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, width=width, height=height)
            stream.pix_fmt = "yuv420p"
            for index in range(count):
                level = (x * 2 + y + 3 * index) % 256
                image = np.stack([level, 255 - level, level // 2 + 60], -1).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))
        return path

    return write
