"""Style images are checked by their header, and read as OpenCV reads them."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core.errors import InputError
from vidstyle.models.optimization.style_image_file import (
    check_style_image,
    read_style_image,
    style_image_pixels,
)


def written(path: Path, kind: type[np.uint8 | np.uint16] = np.uint8) -> np.ndarray:
    """A style image of 40x30 pixels; its samples, BGR."""
    samples = np.random.default_rng(3).integers(0, np.iinfo(kind).max, (30, 40, 3), kind)
    assert cv2.imwrite(str(path), samples)
    return samples


@pytest.mark.parametrize(("kind", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_a_style_image_is_rgb_from_0_to_1(
    tmp_path: Path, kind: type[np.uint8 | np.uint16], top: int
) -> None:
    samples = written(tmp_path / "waves.png", kind)
    image = read_style_image(tmp_path / "waves.png")
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, samples[..., ::-1] / top, atol=1e-6)
    assert style_image_pixels(tmp_path / "waves.png") == 30 * 40


@pytest.mark.parametrize("read", [check_style_image, read_style_image])
def test_a_header_that_promises_too_much_is_refused_before_decoding(
    tmp_path: Path, read: object
) -> None:
    path = tmp_path / "huge.png"
    written(path)
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, 16, 16_000, 16_000)
    path.write_bytes(data)
    assert callable(read)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="is 16000x16000, more than 67108864 pixels"):
            read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(99)])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.png").write_bytes(content)
    for read in (check_style_image, read_style_image):
        with pytest.raises(InputError, match=r"p\.png is not an image that can be read"):
            read(tmp_path / "p.png")


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("none.png", "pipe", ""):
        with pytest.raises(InputError, match="is not there, or is not a file"):
            check_style_image(tmp_path / name)
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(InputError, match="larger than 1 GiB; make it smaller"):
        check_style_image(tmp_path / "long.png")
