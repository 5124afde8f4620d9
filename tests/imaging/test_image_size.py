"""The size by an image's header is the size that OpenCV decodes."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from vidstyle.imaging.image_size import image_size

ENCODINGS = {
    "png": (".png", 3, []),
    "png with alpha": (".png", 4, []),
    "jpeg": (".jpg", 3, []),
    "progressive jpeg": (".jpg", 3, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "bmp": (".bmp", 3, []),
    "bmp with alpha": (".bmp", 4, []),
    "tiff": (".tiff", 3, []),
    "lossy webp": (".webp", 3, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "lossless webp": (".webp", 3, [cv2.IMWRITE_WEBP_QUALITY, 101]),
    "lossy webp with alpha": (".webp", 4, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "ppm": (".ppm", 3, []),
    "pgm": (".pgm", 1, []),
    "pbm": (".pbm", 1, []),
    "ppm as text": (".ppm", 3, [cv2.IMWRITE_PXM_BINARY, 0]),
}


def encoded(name: str, width: int, height: int) -> bytes:
    suffix, channels, flags = ENCODINGS[name]
    noise = np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)
    made, data = cv2.imencode(suffix, noise, flags)
    assert made
    return data.tobytes()


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize(("width", "height"), [(37, 21), (300, 7), (1, 1), (5, 700)])
def test_the_header_says_what_opencv_decodes(name: str, width: int, height: int) -> None:
    data = encoded(name, width, height)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image_size(data) == (width, height) == decoded.shape[1::-1]


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_either_order_and_generation(order: str) -> None:
    start = b"II" if order == "<" else b"MM"
    small = start + struct.pack(order + "HIH", 42, 8, 2)
    small += struct.pack(order + "HHIHxx", 256, 3, 1, 640)
    small += struct.pack(order + "HHII", 257, 4, 1, 480)
    large = start + struct.pack(order + "HHHQQ", 43, 8, 0, 16, 2)
    large += struct.pack(order + "HHQQ", 256, 16, 1, 640)
    large += struct.pack(order + "HHQI", 257, 4, 1, 480) + bytes(4)
    assert image_size(small) == image_size(large) == (640, 480)


def test_a_bitmap_whose_rows_go_downwards() -> None:
    data = bytearray(encoded("bmp", 37, 21))
    data[22:26] = struct.pack("<i", -21)
    assert image_size(bytes(data)) == (37, 21)


def test_remarks_in_a_pnm_header_are_passed_over() -> None:
    assert image_size(b"P6 # a remark\n# 9 9\n 64\n# more\n48 255\n" + bytes(9)) == (64, 48)


@pytest.mark.parametrize("start", [b"", b"GIF89a", b"\0\0\0\x0cjP  ", b"#?RADIANCE\n", b"v/1\x01"])
def test_other_formats_have_no_size(start: bytes) -> None:
    assert image_size(start + bytes(64)) is None


@pytest.mark.parametrize("name", ENCODINGS)
def test_damaged_headers_end_in_a_size_or_none(name: str) -> None:
    data, random = encoded(name, 37, 21), np.random.default_rng(2)
    for cut in range(min(len(data), 200)):
        image_size(data[:cut])
    for _ in range(200):
        damaged = bytearray(data)
        for position in random.integers(2, min(len(data), 64), 4):
            damaged[position] = random.integers(256)
        image_size(bytes(damaged))
