"""Photos become the same crops for the same seed, and bad files do not stop a training."""

from __future__ import annotations

import logging
import os
import resource
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import InputError
from vidstyle.training.photos import (
    PhotoCrops,
    add_noise,
    hold_out,
    list_photos,
    read_photo,
    read_squares,
    resize_photo,
    to_tensor,
)


def crops(photos: Path, seed: int = 0) -> PhotoCrops:
    return PhotoCrops(list_photos(photos), 32, np.random.default_rng(seed))


def test_crops_have_their_size_and_range(photos: Path) -> None:
    drawn = crops(photos).draw(5)
    assert drawn.shape == (5, 3, 32, 32)
    assert drawn.dtype == torch.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_the_same_seed_draws_the_same_crops(photos: Path) -> None:
    assert torch.equal(crops(photos).draw(6), crops(photos).draw(6))
    assert not torch.equal(crops(photos).draw(6), crops(photos, seed=1).draw(6))


def test_crops_are_of_several_scales_and_both_hands(tmp_path: Path) -> None:
    # Red counts columns and green counts rows, so that a crop shows where it is from.
    down, across = np.mgrid[0:200, 0:200]
    steps = np.stack([np.full_like(down, 100), down, across], axis=2)
    ramp = (60 + 0.4 * steps).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    drawn = 255 * crops(tmp_path).draw(40)
    # Gray counts both together, whatever the saturation.
    gray = drawn.mean(1) * 3
    across_by, down_by = (gray[:, 16, 28] - gray[:, 16, 4], gray[:, 28, 16] - gray[:, 4, 16])
    torch.testing.assert_close(across_by.abs(), down_by, rtol=0.05, atol=2)
    assert {float(value) for value in across_by.sign()} == {-1, 1}
    assert down_by.min() < 0.4 * 2 * 24
    assert down_by.max() > 0.4 * 5 * 24


def test_crops_are_of_several_saturations(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((40, 40, 3), (80, 80, 120), np.uint8))
    drawn = 255 * crops(tmp_path).draw(40)[:, :, 0, 0]
    color = drawn[:, 0] - drawn[:, 1]
    torch.testing.assert_close(drawn[:, 1], drawn[:, 2])
    torch.testing.assert_close(drawn.mean(1), torch.full((40,), 280 / 3), rtol=0, atol=1)
    assert 19 <= color.min() < 30
    assert 50 < color.max() <= 61


def test_a_photo_smaller_than_the_crop_is_enlarged(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.full((9, 12, 3), 80, np.uint8))
    torch.testing.assert_close(crops(tmp_path).draw(1), torch.full((1, 3, 32, 32), 80 / 255))


def test_an_unreadable_photo_is_skipped_with_one_line(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (photos / "0.png").write_text("not an image")
    (photos / "1.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        crops(photos).draw(60)
    assert sorted(record.message.count("0.png") for record in caplog.records) == [0, 1]


def test_a_folder_of_unreadable_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only.jpg").write_text("not an image")
    with pytest.raises(InputError, match="none of the 1 photos can be read"):
        crops(tmp_path).draw(1)
    with pytest.raises(InputError, match="none of the 1 photos can be read"):
        read_squares(list_photos(tmp_path), 32)


def png_that_says(width: int, height: int) -> bytes:
    """A PNG of a few bytes that is sound up to its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        total = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", total)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [20_000, 100_000])
def test_a_bomb_is_skipped_in_one_line_and_takes_no_memory(
    photos: Path, caplog: pytest.LogCaptureFixture, side: int
) -> None:
    (photos / "0.png").write_bytes(png_that_says(side, side))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with caplog.at_level(logging.WARNING):
        crops(photos).draw(60)
    (line,) = [record.message for record in caplog.records]
    assert f"0.png is {side}x{side}, more than" in line
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_what_is_no_photo_by_its_file_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match=r"pipe\.png is not a regular file"):
        read_photo(tmp_path / "pipe.png")
    (tmp_path / "vast.png").touch()
    os.truncate(tmp_path / "vast.png", 1 << 40)
    with pytest.raises(InputError, match=r"vast\.png has more than 1073741824 bytes"):
        read_photo(tmp_path / "vast.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_every_format_of_photos_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wide{suffix}"
    cv2.imwrite(str(path), np.full((24, 40, 3), (200, 100, 50), np.uint8))
    image = read_photo(path)
    assert image.shape == (24, 40, 3)
    np.testing.assert_allclose(image[12, 20], (50, 100, 200), atol=3)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="has no photos"):
        list_photos(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        list_photos(tmp_path / "notes.txt")


@pytest.mark.parametrize(("there", "wanted", "out"), [(288, 12, 12), (8, 12, 2), (4, 12, 1)])
def test_some_photos_are_held_out(there: int, wanted: int, out: int) -> None:
    paths = [Path(f"{index:03}.jpg") for index in range(there)]
    training, measuring = hold_out(paths, wanted)
    assert len(measuring) == out
    assert sorted((*training, *measuring)) == paths


def test_a_folder_of_three_photos_is_trained_and_measured_on() -> None:
    paths = tuple(Path(f"{index}.jpg") for index in range(3))
    assert hold_out(paths, 12) == (paths, paths)


def test_squares_are_the_middles(tmp_path: Path) -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, 16:48] = 255
    cv2.imwrite(str(tmp_path / "wide.png"), image)
    (square,) = read_squares(list_photos(tmp_path), 32)
    assert square.min() == 1


def test_images_are_read_as_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((4, 4, 3), (250, 20, 10), np.uint8))
    assert to_tensor(read_photo(tmp_path / "blue.png"))[0, :, 0, 0].tolist() == pytest.approx(
        [10 / 255, 20 / 255, 250 / 255]
    )


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.png: No such file"):
        read_photo(tmp_path / "none.png")


def test_resizing_keeps_a_flat_image_flat() -> None:
    flat = np.full((20, 30, 3), 77, np.uint8)
    assert resize_photo(flat, 20, 30) is flat
    for height, width in ((10, 15), (40, 60)):
        assert (resize_photo(flat, height, width) == 77).all()


def test_noise_has_its_deviation() -> None:
    noise = add_noise(torch.zeros(1, 3, 128, 128), 0.1, np.random.default_rng(0))
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)
