"""Float maps as the format's description has them, and every way in which one can be broken."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core.errors import InputError
from vidstyle.training.sceneflow import read_pfm


@pytest.mark.parametrize(("scale", "order"), [(b"-1.0", "<"), (b"1", ">"), (b"2.5e-1", ">")])
@pytest.mark.parametrize("kind", [b"PF", b"Pf"])
@pytest.mark.parametrize("gap", [b"\n", b"\r\n", b" "])
def test_a_map_is_read_from_its_bytes(
    tmp_path: Path, scale: bytes, order: str, kind: bytes, gap: bytes
) -> None:
    shape = (2, 3, 3) if kind == b"PF" else (2, 3)
    pixels = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) - 4.25
    path = tmp_path / "map.pfm"
    ending = b"\r\n" if gap == b"\r\n" else b"\n"
    # The file begins with the bottom row.
    rows = pixels[1].tobytes() + pixels[0].tobytes()
    data = rows if order == "<" else np.frombuffer(rows, "<f4").astype(">f4").tobytes()
    path.write_bytes(kind + gap + b"3 2" + gap + scale + ending + data)
    found = read_pfm(path)
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


def test_data_that_begins_like_white_space_is_data(tmp_path: Path) -> None:
    data = b"\n\n \n" * 2
    (tmp_path / "map.pfm").write_bytes(b"Pf\n2 1\n-1\n" + data)
    np.testing.assert_array_equal(read_pfm(tmp_path / "map.pfm")[0], np.frombuffer(data, "<f4"))


def test_a_map_that_opencv_wrote_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).normal(size=(7, 5, 3)).astype(np.float32)
    path = tmp_path / "map.pfm"
    # OpenCV stores BGR images as RGB.
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    scale = float(path.read_bytes().split(b"\n")[2])
    np.testing.assert_allclose(read_pfm(path) * abs(scale), pixels, rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not a PFM file"),
        (b"PF\n2 2\n-1.0", "is not a PFM file"),
        (b"P6\n2 2\n255\n" + bytes(12), "is not a PFM file"),
        (b"PF\n-2 2\n-1.0\n", "is not a PFM file"),
        (b"PF\n2 2\n0\n" + bytes(48), "its scale is 0"),
        (b"PF\n2 2\n1e999\n" + bytes(48), "its scale is 1e999"),
        (b"PF\n2 2\n-.-\n" + bytes(48), "its scale is -.-"),
        (b"PF\n2 2\n-1.0\n" + bytes(47), "2x2 pixels take 48 bytes, and 47 follow"),
        (b"Pf\n2 2\n-1.0\n" + bytes(17), "2x2 pixels take 16 bytes, and 17 follow"),
        (b"PF\n999999999 999999999\n-1.0\n" + bytes(48), "and 48 follow"),
        (b"PF\n0 2\n-1.0\n", "is damaged"),
    ],
)
def test_a_broken_map_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "map.pfm"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as raised:
        read_pfm(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_missing_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.pfm: No such file"):
        read_pfm(tmp_path / "none.pfm")
