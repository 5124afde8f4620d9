"""What is handed over is kept under our names, or refused."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.app.desk import UploadFolder
from vidstyle.core.errors import InputError

PNG = cv2.imencode(".png", np.zeros((8, 9, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/x.mp4", "a\0b.mp4", "<img>.mp4", ""])
def test_no_letter_of_a_name_reaches_a_path(tmp_path: Path, name: str) -> None:
    folder = UploadFolder(tmp_path)
    upload = folder.keep(name, io.BytesIO(b"clip"), kind="clip", most_bytes=10)
    assert upload.path.read_bytes() == b"clip"
    first, second, last = upload.path.relative_to(tmp_path).parts
    assert (len(first), len(second), last) == (32, 32, "original")


def test_only_the_owner_can_look_into_it(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    assert folder.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.png is empty"),
        (b"x" * 2000, "a.png is larger than 0 MiB"),
        (b"no image", "a.png is not an image"),
        (PNG[:16] + b"\0\1\0\0\0\1\0\0" + PNG[24:], "a.png is 65536x65536"),
    ],
)
def test_what_is_refused_leaves_nothing(tmp_path: Path, content: bytes, message: str) -> None:
    folder = UploadFolder(tmp_path)
    with pytest.raises(InputError, match=message):
        folder.keep("a.png", io.BytesIO(content), kind="image", most_bytes=1000)
    assert not list(folder.path.iterdir())


def test_an_image_is_kept_as_it_is(tmp_path: Path) -> None:
    upload = UploadFolder(tmp_path).keep("a.png", io.BytesIO(PNG), kind="image", most_bytes=1000)
    assert upload.path.read_bytes() == PNG
