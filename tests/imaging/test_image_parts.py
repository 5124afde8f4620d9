from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from vidstyle.imaging.image_parts import is_cut_short, orientation, turn_upright


def _image(seed: int = 0, size: tuple[int, int] = (40, 56)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def _encoded(image: np.ndarray, kind: str, number: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    target = io.BytesIO()
    Image.fromarray(image).save(target, kind, exif=exif, lossless=True)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("number", range(1, 9))
def test_images_are_turned_as_pillow_turns_them(kind, number):
    image = _image(number)
    data = _encoded(image, kind, number)
    assert orientation(data) == number
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert np.array_equal(turn_upright(image, orientation(data)), wanted)


def test_formats_that_decoders_turn_themselves_are_left_to_them():
    assert orientation(_encoded(_image(), "JPEG", 6)) == 1
    assert orientation(b"II*\0") == 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_wrong_orientation_is_none(value):
    assert orientation(_encoded(_image(), "PNG", value)) == 1


def _jpeg(*flags: int) -> bytes:
    return cv2.imencode(".jpg", _image(), list(flags))[1].tobytes()


JPEGS = {
    "baseline": _jpeg(),
    "progressive": _jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "with restart marks": _jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
}


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("behind", [b"", b"\0" * 100, b"\xff\xd9" * 5, bytes(range(256)) * 400])
def test_a_whole_jpeg_is_whole_whatever_follows(name, behind):
    assert not is_cut_short(JPEGS[name] + behind)


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_jpeg_without_its_end_is_cut_short(name, part):
    assert is_cut_short(JPEGS[name][: int(len(JPEGS[name]) * part)])


def test_the_end_of_a_preview_is_not_that_of_the_image():
    preview = b"\xff\xe1" + (len(JPEGS["baseline"]) + 2).to_bytes(2) + JPEGS["baseline"]
    whole = JPEGS["baseline"][:2] + preview + JPEGS["baseline"][2:]
    assert not is_cut_short(whole)
    assert is_cut_short(whole[:-200])


def test_a_png_is_whole_with_its_last_chunk():
    data = cv2.imencode(".png", _image())[1].tobytes()
    assert not is_cut_short(data + b"more" * 2000)
    assert is_cut_short(data[:-20])
