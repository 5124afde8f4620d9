"""``run --preview``: one image, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command


def test_a_preview_is_one_image_and_its_path_is_printed(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=12)
    before = {path.name for path in folder.iterdir()}
    command = ["run", "temporal", "in.mp4", "--preview", "4"]
    assert run_command(command) == 0
    written = "in-temporal-preview.png"
    assert f"wrote {written}: 4 frames, each stylized by itself" in capfd.readouterr().err
    assert {path.name for path in folder.iterdir()} == before | {written}
    assert cv2.imread(str(folder / written)).shape[1] <= 1920
    assert run_command(command) == 6
    assert f"{written} exists; pass --overwrite" in capfd.readouterr().err
    assert run_command([*command, "-o", "sheet.jpg", "--frames", "0.1s:0.3s", "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1]) == {
        "event": "preview",
        "output": "sheet.jpg",
        "frames": 4,
    }


def test_photos_are_previewed_one_frame_each(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "photos").mkdir()
    for number, name in enumerate(("cat", "dog", "owl")):
        image = np.full((48 + number, 64, 3), 40 * number + 40, np.uint8)
        cv2.imwrite(str(folder / "photos" / f"{name}.png"), image)
    assert run_command(["run", "identity.yaml", "photos", "--preview", "2"]) == 0
    assert "wrote photos-identity-preview.png: 2 frames" in capfd.readouterr().err
    assert run_command(["run", "identity.yaml", "photos/cat.png", "--preview", "2"]) == 0
    assert "wrote cat-identity-preview.png: 1 frame," in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--preview", "0"], 2, "--preview"),
        (["--preview", "3", "-o", "out.mp4"], 2, "--preview writes one image: name it out.png"),
        (["--preview", "3", "-o", "gone/a.png"], 6, "the folder gone does not exist"),
        (["--preview", "3", "--frames", "90:"], 2, "--frames starts at 3.6s, but the input ends"),
    ],
)
def test_a_preview_that_cannot_be_is_one_line(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd, arguments, code, message
) -> None:
    write_clip(folder / "in.mp4", count=3)
    assert run_command(["run", "identity.yaml", "in.mp4", *arguments]) == code
    assert message in capfd.readouterr().err.splitlines()[-1]
