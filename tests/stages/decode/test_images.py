"""Folders of images in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.stages.decode.images import STAGE


def save(path: Path, image: np.ndarray) -> np.ndarray:
    """Write RGB, RGBA or gray."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    stored = image if image.ndim == 2 else image[..., order[image.shape[2]]]
    assert cv2.imwrite(str(path), stored)
    return image


def random(*shape: int, kind=np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, shape, kind)


def read(folder: Path, **options):
    source = STAGE(STAGE.Options(**options))
    clip = source.open(folder, ExecutionContext())
    return clip, list(source.frames()), source


@pytest.fixture
def folder(tmp_path):
    """Ten images, 1.png to 10.png."""
    for number in range(1, 11):
        save(tmp_path / f"{number}.png", random(24, 32, 3, seed=number))
    return tmp_path


def test_images_come_in_natural_order(folder):
    clip, frames, _ = read(folder)
    assert (clip.width, clip.height, clip.frame_count) == (32, 24, 10)
    for number, frame in enumerate(frames, 1):
        wanted = random(24, 32, 3, seed=number) / 255
        np.testing.assert_allclose(frame.host("source"), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "rate"),
    [(25, 25), ("24", 24), (12.5, Fraction(25, 2)), ("30000/1001", Fraction(30000, 1001))],
)
def test_times_follow_the_frame_rate_exactly(folder, given, rate):
    clip, frames, _ = read(folder, frame_rate=given)
    assert (clip.frame_rate, clip.time_base) == (rate, 1 / Fraction(rate))
    assert [(frame.index, frame.pts, frame.duration) for frame in frames] == [
        (index, index, 1) for index in range(10)
    ]


@pytest.mark.parametrize("rate", [0, -25, "fast", "1/0", True, None, 5000, "1e9999999999"])
def test_a_frame_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValidationError, match="frame rate"):
        STAGE.Options(frame_rate=rate)


def test_sixteen_bits_keep_their_depth(tmp_path):
    image = save(tmp_path / "deep.png", random(24, 32, 3, kind=np.uint16))
    clip, frames, _ = read(tmp_path)
    assert clip.bit_depth == 16
    np.testing.assert_allclose(frames[0].host("source"), image / 65535, atol=1e-7)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_alpha_is_kept_or_dropped(tmp_path, kind):
    image = save(tmp_path / "1.png", random(24, 32, 4, kind=kind))
    clip, frames, _ = read(tmp_path)
    assert clip.alpha
    wanted = image[..., 3] / np.iinfo(kind).max
    np.testing.assert_allclose(frames[0].host("alpha"), wanted, atol=1e-6)
    clip, frames, _ = read(tmp_path, alpha="drop")
    assert not clip.alpha
    assert set(frames[0].layers) == {"source"}


def test_an_image_without_alpha_among_others_is_opaque(tmp_path):
    save(tmp_path / "1.png", random(24, 32, 4))
    save(tmp_path / "2.png", random(24, 32, 3))
    assert read(tmp_path)[1][1].host("alpha").min() == 1


def test_gray_is_the_same_in_all_channels(tmp_path):
    image = save(tmp_path / "1.png", random(24, 32))
    source = read(tmp_path)[1][0].host("source")
    np.testing.assert_allclose(source, np.repeat(image[..., None], 3, 2) / 255, atol=1e-6)


def test_a_jpeg_is_turned_as_its_camera_says(tmp_path):
    image = np.zeros((24, 32, 3), np.uint8)
    image[:, :16] = 255
    save(tmp_path / "plain.jpg", image)
    data = (tmp_path / "plain.jpg").read_bytes()
    # Orientation 6: to be turned by 90 degrees clockwise.
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\0\0MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\0\0\0\0"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "plain.jpg").write_bytes(data[:2] + segment + data[2:])
    clip, frames, _ = read(tmp_path)
    assert (clip.width, clip.height) == (24, 32)
    source = frames[0].host("source")
    assert source[:12].mean() > 0.9
    assert source[20:].mean() < 0.1


def test_layers_are_read_only(folder):
    with pytest.raises(ValueError, match="read-only"):
        read(folder)[1][0].host("source")[:] = 0


def test_other_files_are_left_out(folder):
    (folder / "manifest.json").write_text("{}")
    (folder / ".hidden.png").write_text("")
    (folder / "sub.png").mkdir()
    assert len(read(folder)[1]) == 10


def test_a_gap_in_the_numbers_is_noted(folder):
    (folder / "4.png").unlink()
    clip, _, _ = read(folder)
    (note,) = clip.notes
    assert note.kind == "missing-images"
    assert note.text == "1 number is missing between 1.png and 10.png"


def test_another_size_is_refused_by_name(folder):
    save(folder / "5.png", random(24, 30, 3))
    with pytest.raises(InputError, match=r"5\.png: is 30x24, the first image is 32x24"):
        read(folder)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_an_unreadable_image_is_refused_by_name(folder, content):
    (folder / "3.png").write_bytes(content)
    with pytest.raises(InputError, match=r"3\.png"):
        read(folder)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_an_image_that_is_cut_short_is_refused(tmp_path, suffix):
    path = tmp_path / f"1.{suffix}"
    save(path, random(200, 200, 3))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="cut short"):
        read(tmp_path)


def test_float_samples_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "1.tif"), np.zeros((8, 8, 3), np.float32))
    with pytest.raises(InputError, match="float32 samples"):
        read(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"in it; for a folder of clips use vidstyle batch\. Looked for \.png"
    ):
        read(tmp_path)


def test_the_file_of_one_image_is_a_clip_of_one_frame(folder):
    _, [frame], _ = read(folder / "1.png")
    assert np.array_equal(frame.host("source"), read(folder)[1][0].host("source"))


def test_a_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(InputError, match="reads a folder"):
        read(tmp_path / "clip.mp4")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "absent")


def test_a_percent_sign_is_a_name(tmp_path):
    inner = tmp_path / "take%03d"
    inner.mkdir()
    save(inner / "1.png", random(8, 8, 3))
    assert len(read(inner)[1]) == 1


def test_every_mark_is_found(folder):
    source = STAGE(STAGE.Options())
    source.open(folder, ExecutionContext())
    marks = []
    for _ in source.frames():
        marks.append(source.mark()())
    for mark in marks:
        rest = list(source.frames(mark))
        assert [frame.index for frame in rest] == list(range(mark.index + 1, 10))


def test_a_changed_folder_is_noticed(folder):
    source = STAGE(STAGE.Options())
    source.open(folder, ExecutionContext())
    frames = source.frames()
    for _ in range(5):
        next(frames)
    mark = source.mark()()
    save(folder / "5.png", random(24, 32, 3, seed=99))
    with pytest.raises(InputError, match="the folder has changed"):
        next(source.frames(mark))
