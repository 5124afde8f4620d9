"""A photo in a trained style: what the command line gives for it, and nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.app.conftest import photo_choices, run_task
from vidstyle.app.choices import PageSettings
from vidstyle.app.photo_task import photo_task
from vidstyle.app.tasks import IMAGE
from vidstyle.cli.main import run_command

pytestmark = pytest.mark.slow


def stylized(folder: Path, settings: PageSettings, **changes: Any) -> npt.NDArray[np.uint8]:
    folder.mkdir()
    task = photo_task(folder, photo_choices(settings, **changes))
    status = run_task(task)
    assert (status.state, status.notes) == ("done", ()), status.error
    assert task.result() == folder / IMAGE
    return np.asarray(cv2.imread(str(folder / IMAGE)), np.uint8)


def test_it_is_what_the_command_line_gives(settings: PageSettings, tmp_path: Path) -> None:
    image = stylized(tmp_path / "page", settings, stroke_size=1.0)
    assert image.shape == (100, 160, 3)
    (tmp_path / "clip").mkdir()
    assert settings.images
    photo = (settings.images / "sea.png").read_bytes()
    (tmp_path / "clip" / "0.png").write_bytes(photo)
    pipeline = tmp_path / "mine.yaml"
    pipeline.write_text(
        "version: 1\nstages:\n  - use: decode/images\n"
        "  - {use: stylize/feedforward, style: great-wave}\n  - use: encode/images\n"
    )
    command = ["run", str(pipeline), str(tmp_path / "clip"), "-o", str(tmp_path / "out")]
    assert run_command(command) == 0
    expected = cv2.imread(str(tmp_path / "out" / "000000.png"))
    assert np.array_equal(image, expected)


def test_the_settings_count(settings: PageSettings, tmp_path: Path) -> None:
    assert settings.images
    photo = cv2.imread(str(settings.images / "sea.png")).astype(float)
    whole = stylized(tmp_path / "whole", settings)
    half = stylized(tmp_path / "half", settings, strength=0.5, keep_colors=True)
    small = stylized(tmp_path / "small", settings, size=50)
    assert abs(half - photo).mean() < 0.7 * abs(whole - photo).mean()
    assert small.shape == (50, 80, 3)


def test_a_damaged_photo_is_one_line(settings: PageSettings, tmp_path: Path) -> None:
    photo = tmp_path / "broken.jpg"
    photo.write_bytes(b"no image")
    (tmp_path / "work").mkdir()
    task = photo_task(tmp_path / "work", photo_choices(settings, content=photo))
    status = run_task(task)
    assert status.state == "failed"
    assert status.error.startswith(f"{photo}: not an image")
