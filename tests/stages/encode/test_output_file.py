from __future__ import annotations

from fractions import Fraction

import pytest

from vidstyle.core.errors import OutputError
from vidstyle.stages.encode.output_file import verify_file

TIMES = [Fraction(number, 25) for number in range(8)]


@pytest.fixture
def written(encode, moving):
    return encode("out.mp4", moving(8)).path


def test_a_good_file_passes(written):
    verify_file(written, TIMES, (160, 128))


@pytest.mark.parametrize(
    ("times", "size", "message"),
    [
        (TIMES[:-1], (160, 128), "8 frames, not 7"),
        (TIMES, (160, 120), "160x128, not 160x120"),
        ([*TIMES[:-1], Fraction(1)], (160, 128), "frame 7 is at"),
    ],
)
def test_what_disagrees_is_named(written, times, size, message):
    with pytest.raises(OutputError, match=message):
        verify_file(written, times, size)


def test_a_file_that_is_cut_short_is_found(encode, moving):
    path = encode("out.mkv", moving(8), codec="ffv1").path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(OutputError, match="was written but"):
        verify_file(path, TIMES, (160, 128))


def test_images_that_do_not_decode_are_found(written):
    data = bytearray(written.read_bytes())
    at = data.index(b"mdat")
    data[at + 4 :] = bytes(len(data) - at - 4)
    written.write_bytes(data)
    with pytest.raises(OutputError, match=r"does not decode|cannot be read back"):
        verify_file(written, TIMES, (160, 128))


def test_a_file_without_images_is_found(tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(OutputError, match="cannot be read back"):
        verify_file(tmp_path / "out.mp4", TIMES, (160, 128))
