"""Flow files: OpenCV reads what is written and the other way round, and damage is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError, OutputError
from vidstyle.imaging.flow_file import known_flow, read_flow, write_flow


@pytest.fixture
def flow() -> HostArray:
    return np.random.default_rng(0).normal(0, 30, (7, 11, 2)).astype(np.float32)


def test_opencv_reads_what_is_written(flow: HostArray, tmp_path: Path) -> None:
    write_flow(tmp_path / "some.flo", flow)
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(tmp_path / "some.flo")), flow)
    assert [each.name for each in tmp_path.iterdir()] == ["some.flo"]


def test_what_opencv_writes_is_read(flow: HostArray, tmp_path: Path) -> None:
    assert cv2.writeOpticalFlow(str(tmp_path / "some.flo"), flow)
    found = read_flow(tmp_path / "some.flo")
    np.testing.assert_array_equal(found, flow)
    assert found.dtype == np.float32


def test_the_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    path = tmp_path / "one.flo"
    write_flow(path, np.array([[[1.5, -2]]], np.float32))
    assert path.read_bytes() == b"PIEH\x01\0\0\0\x01\0\0\0" + b"\0\0\xc0\x3f\0\0\0\xc0"


def test_unknown_flow_is_marked(flow: HostArray) -> None:
    flow[0, 0] = 1.67e9
    flow[1, 2, 1] = np.nan
    flow[2, 3, 0] = -np.inf
    known = known_flow(flow)
    assert sorted(map(tuple, np.argwhere(~known).tolist())) == [(0, 0), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a flow file"),
        (b"P6\n11 7\n255\n" + bytes(99), "is not a flow file"),
        (b"PIEH\x01\0\0\0\x01\0\0\0" + bytes(7), "says 1x1 pixels, and 7 bytes follow"),
        (b"PIEH\x01\0\0\0\x01\0\0\0" + bytes(9), "says 1x1 pixels, and 9 bytes follow"),
        (b"PIEH\0\0\0\0\x01\0\0\0", "says 0x1 pixels"),
        (b"PIEH" + b"\xff" * 8 + bytes(8), "says -1x-1 pixels"),
        (b"PIEH" + b"\xff\xff\xff\x7f" * 2, "says 2147483647x2147483647 pixels"),
    ],
)
def test_other_files_and_damaged_ones_are_named(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "some.flo").write_bytes(content)
    with pytest.raises(InputError, match=f"some.flo.*{words}"):
        read_flow(tmp_path / "some.flo")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.flo: No such file"):
        read_flow(tmp_path / "none.flo")


def test_a_folder_that_is_not_there_is_named(flow: HostArray, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*some\.flo: No such file"):
        write_flow(tmp_path / "none" / "some.flo", flow)


def test_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"flow is \(H, W, 2\)"):
        write_flow(tmp_path / "some.flo", np.zeros((4, 4, 3), np.float32))
    assert not list(tmp_path.iterdir())
