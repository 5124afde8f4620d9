from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.stages.decode.conftest import Opened, write
from vidstyle.core.errors import InputError
from vidstyle.media.container_crop import Crop

WIDTH, HEIGHT = 128, 96
TAGS = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}


def _image() -> np.ndarray:
    """Black, with a white field that the crop leaves over."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[8 : HEIGHT - 24, 16 : WIDTH - 32] = 255
    return image


def _matroska(folder: Path, crop: Crop) -> Path:
    """A file whose color element, of 19 bytes, is made a crop: the stream has the colors, too."""
    path = write(folder / "in.mkv", [_image()] * 5, codec="libx264", pixels="yuv420p", **TAGS)
    data = path.read_bytes()
    at = data.index(b"\x55\xb0\x90")
    sides = ((0x54BB, crop.top), (0x54AA, crop.bottom), (0x54CC, crop.left), (0x54DD, crop.right))
    elements = b"".join(struct.pack(">HBB", name, 0x81, value) for name, value in sides)
    path.write_bytes(data[:at] + elements + b"\xec\x81\0" + data[at + 19 :])
    return path


def _quicktime(folder: Path, crop: Crop, name: str = "in.mov") -> Path:
    """A file whose sample description gets a clean aperture."""
    path = write(folder / name, [_image()] * 5, codec="libx264", pixels="yuv420p", **TAGS)
    data = path.read_bytes()
    width, height = crop.size(WIDTH, HEIGHT)
    # Offsets of the aperture's center from the frame's, in halves.
    offsets = (crop.left - crop.right, 2, crop.top - crop.bottom, 2)
    clap = struct.pack(">I4s8i", 40, b"clap", width, 1, height, 1, *offsets)
    start = data.index(b"avc1", data.index(b"stsd")) - 4
    end = start + int.from_bytes(data[start : start + 4])
    changed = bytearray(data[:end] + clap + data[end:])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = changed.index(box, data.index(b"moov")) - 4
        size = int.from_bytes(changed[at : at + 4]) + len(clap)
        changed[at : at + 4] = size.to_bytes(4)
    path.write_bytes(changed)
    return path


@pytest.mark.parametrize("make", [_matroska, _quicktime])
def test_what_the_container_cuts_off_is_cut_off(tmp_path, make):
    clip = Opened(make(tmp_path, Crop(left=16, top=8, right=32, bottom=24)))
    assert (clip.clip.width, clip.clip.height) == (80, 64)
    assert clip.images.shape[1:3] == (64, 80)
    assert clip.images.min() > 0.9


def test_the_clean_aperture_of_an_mp4_counts_too(tmp_path):
    clip = Opened(_quicktime(tmp_path, Crop(left=16, top=8, right=32, bottom=24), "in.mp4"))
    assert (clip.clip.width, clip.clip.height) == (80, 64)


def test_a_crop_of_everything_is_ignored(tmp_path):
    clip = Opened(_quicktime(tmp_path, Crop(left=100, top=8, right=100, bottom=24)))
    assert (clip.clip.width, clip.clip.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("make", [_matroska, _quicktime])
@pytest.mark.parametrize("seed", range(5))
def test_damaged_headers_never_raise_what_is_not_ours(tmp_path, make, seed):
    path = make(tmp_path, Crop(left=16, top=8, right=32, bottom=24))
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), 40):
        data[at] = random.integers(0, 256)
    path.write_bytes(data)
    with suppress(InputError):
        Opened(path)


def test_a_real_cropped_file(shared_data):
    clip = Opened(shared_data / "reports" / "cropped.mkv")
    assert (clip.clip.width, clip.clip.height) == (280, 160)
    assert clip.clip.sample_aspect.limit_denominator() == pytest.approx(64 / 63)
