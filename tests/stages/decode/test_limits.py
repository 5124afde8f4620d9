"""A small file cannot ask for a whole machine: limits of size, length and rate."""

from __future__ import annotations

import os
import resource
import struct
import time

import cv2
import numpy as np
import pytest

from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.stages.decode.images import DecodeImages


def peak_mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def patched(path, at, kind, *values):
    data = bytearray(path.read_bytes())
    struct.pack_into(kind, data, at if isinstance(at, int) else data.index(at[0]) + at[1], *values)
    path.write_bytes(data)
    return path


def open_images(folder, **options):
    source = DecodeImages(DecodeImages.Options(**options))
    source.open(folder, ExecutionContext())
    return list(source.frames())


@pytest.mark.parametrize("side", [16_000, 65_535])
def test_a_header_that_promises_a_huge_canvas_takes_no_memory(write_clip, square, opened, side):
    path = patched(
        write_clip("clip.gif", square(2), codec="gif", pixels="rgb8"), 6, "<HH", *[side] * 2
    )
    before = peak_mebibytes()
    with pytest.raises(InputError, match=r"67108864 pixels; raise .* max_pixels"):
        opened(path)
    assert peak_mebibytes() - before < 64


def small_then_large(write_clip, square, suffix, codec, pixels):
    small = write_clip(f"small.{suffix}", square(4), codec=codec, pixels=pixels)
    large = write_clip(f"large.{suffix}", square(4, 640, 480), codec=codec, pixels=pixels)
    both = small.with_name(f"both.{suffix}")
    both.write_bytes(small.read_bytes() + large.read_bytes())
    return both


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stream_that_grows_beyond_the_limit_midway_is_refused(
    write_clip, square, opened, threads
):
    path = small_then_large(write_clip, square, "h264", "libx264", "yuv420p")
    assert len(opened(path, threads=threads).frames) == 8
    with pytest.raises(InputError, match=r"640x480, more than 100000 pixels; raise .* max_pixels"):
        opened(path, threads=threads, max_pixels=100_000)


@pytest.mark.parametrize("threads", [1, 2])
def test_frames_whose_size_the_decoder_forgets_count_as_damage(write_clip, square, opened, threads):
    path = small_then_large(write_clip, square, "mjpeg", "mjpeg", "yuvj420p")
    assert len(opened(path, threads=threads).frames) == 8
    clip = opened(path, threads=threads, max_pixels=100_000)
    assert len(clip.frames) == 4
    assert "undecodable: 4" in clip.notes["damage"]


def test_a_rate_that_is_absurd_is_refused(write_clip, square, opened):
    path = write_clip("clip.mkv", square(8))
    assert len(opened(path, max_frame_rate=25).frames) == 8
    with pytest.raises(InputError, match=r"25 frames a second, more than 24.5; raise .* max_frame"):
        opened(path, max_frame_rate=24.5)


@pytest.mark.parametrize(
    ("written", "hours"), [("99:00:00", 24), ("00:30:00", 0.4)], ids=["by default", "by option"]
)
def test_a_header_that_promises_too_much_is_refused(write_clip, square, opened, written, hours):
    path = write_clip("clip.mkv", square(4))
    path.write_bytes(path.read_bytes().replace(b"00:00:00.1", written.encode() + b".1"))
    with pytest.raises(InputError, match=rf"hours, more than {hours}; raise .* option max_hours"):
        opened(path, max_hours=hours)
    assert len(opened(path, max_hours=1000).frames) == 4


def test_a_header_that_promises_eternity_is_passed_over_at_once(write_clip, square, opened):
    path = write_clip("clip.mkv", square(4))
    tag = b"00:00:00.160000000"
    assert tag in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(tag, b"1e9999999999:01:01"))
    started = time.process_time()
    assert len(opened(path).frames) == 4
    assert time.process_time() - started < 2


@pytest.mark.timeout(30)
def test_an_index_of_millions_in_a_tiny_file_costs_no_time(write_clip, square, opened):
    path = write_clip("clip.mp4", square(4), codec="mpeg4", pixels="yuv420p")
    count = 2_000_000
    # One size for all samples, all of them in one chunk (ISO/IEC 14496-12, 8.7.3.2 and 8.7.4).
    patched(path, (b"stsz", 8), ">II", 1, count)
    patched(path, (b"stsc", 16), ">I", count)
    patched(path, (b"stts", 12), ">I", count)
    started = time.process_time()
    # Its frames are of one byte.
    with pytest.raises(InputError):
        opened(path)
    assert time.process_time() - started < 4


def test_times_that_run_away_midway_are_refused(write_clip, square, opened):
    path = write_clip("clip.mkv", square(3), times=[0, 25, 25 * 3600 * 30])
    with pytest.raises(InputError, match=r"reach over 30 hours, more than 24; raise .* max_hours"):
        opened(path)


def test_a_late_start_is_no_length(write_clip, square, opened):
    start = 25 * 3600 * 30
    path = write_clip("clip.mkv", square(3), times=[start, start + 1, start + 2])
    assert len(opened(path).frames) == 3


def test_more_frames_than_allowed_are_refused_whether_or_not_the_header_counts_them(
    write_clip, square, opened
):
    counted = write_clip("clip.mp4", square(8), codec="libx264", pixels="yuv420p")
    uncounted = write_clip("clip.h264", square(8), codec="libx264", pixels="yuv420p")
    for path in (counted, uncounted):
        assert len(opened(path, max_frames=8).frames) == 8
        with pytest.raises(InputError, match=r"8 frames or more, more than 7; raise .* max_frames"):
            opened(path, max_frames=7)


def test_an_image_that_promises_too_many_pixels_is_not_decoded(tmp_path):
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.zeros((24, 32, 3), np.uint8))
    assert len(open_images(tmp_path, max_pixels=24 * 32)) == 1
    with pytest.raises(InputError, match=r"32x24, more than 767 pixels; raise .* max_pixels"):
        open_images(tmp_path, max_pixels=24 * 32 - 1)
    before = peak_mebibytes()
    with pytest.raises(InputError, match="30000x30000, more than 67108864 pixels"):
        open_images(patched(path, 16, ">II", 30_000, 30_000).parent)
    assert peak_mebibytes() - before < 64


def test_an_image_file_that_is_larger_than_its_pixels_is_not_read(tmp_path):
    with (tmp_path / "1.ppm").open("wb") as file:
        file.write(b"P6 32 24 255\n")
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="the file is larger than an image of 768 pixels can be"):
        open_images(tmp_path, max_pixels=24 * 32)


def test_a_folder_of_more_images_than_allowed_is_refused(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((8, 8, 3), np.uint8))
    assert len(open_images(tmp_path, max_frames=3)) == 3
    with pytest.raises(InputError, match=r"3 frames or more, more than 2; raise .* max_frames"):
        open_images(tmp_path, max_frames=2)


def test_a_pipe_among_images_is_not_waited_for(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((8, 8, 3), np.uint8))
    os.mkfifo(tmp_path / "2.png")
    assert len(open_images(tmp_path)) == 1
