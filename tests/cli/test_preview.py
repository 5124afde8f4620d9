"""``run --preview``: one image, and nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command
from vidstyle.cli.run_preview import time_labels


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


def test_a_broken_photo_is_left_out_with_a_note(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "photos").mkdir()
    for name in ("cat", "dog"):
        cv2.imwrite(str(folder / "photos" / f"{name}.png"), np.full((48, 64, 3), 90, np.uint8))
    (folder / "photos" / "broken.png").write_bytes(b"no image")
    assert run_command(["run", "identity.yaml", "photos", "--preview", "3"]) == 0
    error = capfd.readouterr().err
    assert "note: left out: photos/broken.png: not an image that can be read" in error
    assert "wrote photos-identity-preview.png: 2 frames" in error
    for name in ("cat", "dog"):
        (folder / "photos" / f"{name}.png").write_bytes(b"no image")
    assert run_command(["run", "identity.yaml", "photos", "--preview", "3", "-o", "n.png"]) == 3
    assert "none of 3 inputs can be read" in capfd.readouterr().err
    assert not (folder / "n.png").exists()


def test_the_plan_of_a_preview_is_that_of_its_image(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=4)
    command = ["run", "identity.yaml", "in.mp4", "--preview", "2", "--dry-run"]
    assert run_command(command) == 0
    out = capfd.readouterr().out
    assert "2 of in.mp4 at 0:00.0, 0:00.1." in out
    assert "in-identity-preview.png" in out
    assert run_command([*command, "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "event": "preview",
        "output": "in-identity-preview.png",
        "frames": 2,
        "planned": True,
    }
    write_clip(folder / "other.mp4", count=3)
    assert run_command([*command, "other.mp4"]) == 0
    assert "one each of in.mp4, other.mp4." in capfd.readouterr().out
    assert not (folder / "in-identity-preview.png").exists()


def test_times_have_as_many_decimals_as_tell_them_apart() -> None:
    assert time_labels([Fraction(1), Fraction(5)]) == ["0:01.0", "0:05.0"]
    assert time_labels([Fraction(1, 50), Fraction(3, 50)]) == ["0:00.0", "0:00.1"]
    assert time_labels([Fraction(1, 50), Fraction(2, 50)]) == ["0:00.02", "0:00.04"]
    assert time_labels([Fraction(3723), Fraction(3723001, 1000)]) == ["1:02:03.000", "1:02:03.001"]
    assert time_labels([Fraction(1), Fraction(1)]) == ["0:01.000"] * 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--preview", "0"], 2, "--preview': wanted 1 or more"),
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
