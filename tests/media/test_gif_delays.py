from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stages.decode.conftest import Opened
from vidstyle.media.gif_delays import read_with_delays

SIDE = 16
COLORS = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255))


def _image(color: int) -> bytes:
    """One image of one color: codes of 3 bits, with a clear code before every second one."""
    codes = [code for n in range(SIDE * SIDE) for code in ((4, color) if n % 2 == 0 else (color,))]
    bits = "".join(f"{code:03b}"[::-1] for code in [*codes, 5])
    data = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    blocks = b"".join(
        bytes((len(data[at : at + 255]),)) + data[at : at + 255] for at in range(0, len(data), 255)
    )
    return b"," + struct.pack("<4HB", 0, 0, SIDE, SIDE, 0) + b"\x02" + blocks + b"\0"


def write_gif(
    path: Path, colors: list[int], *, sign: bytes = b"GIF87a", between: bytes = b""
) -> Path:
    """Images of one color each."""
    header = sign + struct.pack("<HHBBB", SIDE, SIDE, 0x91, 0, 0)
    table = bytes(value for color in COLORS for value in color)
    path.write_bytes(header + table + b"".join(between + _image(c) for c in colors) + b";")
    return path


@pytest.mark.parametrize("sign", [b"GIF87a", b"GIF89a"])
@pytest.mark.parametrize("between", [b"", b"!\xfe\x02hi\0"])
def test_images_without_delays_are_frames(tmp_path, sign, between):
    path = write_gif(tmp_path / "in.gif", [1, 2, 3], sign=sign, between=between)
    with Image.open(path) as pillow:
        # Otherwise it would not be such a file.
        assert pillow.n_frames == 3
    clip = Opened(path)
    assert [tuple(np.rint(image[0, 0] * 255)) for image in clip.images] == list(COLORS[1:])
    assert clip.durations == [10, 10, 10]


def test_other_files_are_left_alone(tmp_path):
    assert read_with_delays(write_gif(tmp_path / "one.gif", [1])) is None
    delay = b"!\xf9\x04\0\x05\0\0\0"
    assert read_with_delays(write_gif(tmp_path / "timed.gif", [1, 2], between=delay)) is None
    other = tmp_path / "in.txt"
    other.write_bytes(b"no GIF")
    assert read_with_delays(other) is None


@pytest.mark.parametrize("length", range(6, 60, 7))
def test_a_file_that_ends_early_is_left_to_the_decoder(tmp_path, length):
    path = write_gif(tmp_path / "in.gif", [1, 2])
    path.write_bytes(path.read_bytes()[:length])
    assert read_with_delays(path) is None
