"""Files whose container cuts something off the coded frames."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tests.stages.decode.conftest import write
from vidstyle.media.container_crop import Crop

WIDTH, HEIGHT = 128, 96
TAGS = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}


def _image() -> np.ndarray:
    """Black, with a white field that the crop leaves over."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[8 : HEIGHT - 24, 16 : WIDTH - 32] = 255
    return image


def write_matroska(folder: Path, crop: Crop) -> Path:
    """A file whose color element, of 19 bytes, is made a crop: the stream has the colors, too."""
    path = write(folder / "in.mkv", [_image()] * 5, codec="libx264", pixels="yuv420p", **TAGS)
    data = path.read_bytes()
    at = data.index(b"\x55\xb0\x90")
    sides = ((0x54BB, crop.top), (0x54AA, crop.bottom), (0x54CC, crop.left), (0x54DD, crop.right))
    elements = b"".join(struct.pack(">HBB", name, 0x81, value) for name, value in sides)
    path.write_bytes(data[:at] + elements + b"\xec\x81\0" + data[at + 19 :])
    return path


def write_quicktime(folder: Path, crop: Crop, name: str = "in.mov") -> Path:
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
