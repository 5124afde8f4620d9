"""Moved photos: truth that holds, draws that repeat, and no image sharper than the other."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from vidstyle.core.errors import InputError
from vidstyle.training.motion import MovedPhotos, blob
from vidstyle.training.pairs import Pair
from vidstyle.training.photos import list_photos


def moved(photos: Path, seed: int = 0, side: int = 32) -> MovedPhotos:
    return MovedPhotos(list_photos(photos), side, np.random.default_rng(seed))


def equal(first: Pair, second: Pair) -> bool:
    names = ("previous", "current", "flow", "visible")
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in names)


def warped(pair: Pair) -> torch.Tensor:
    """The previous images on the current grid, by torch."""
    side = pair.flow.shape[-1]
    places = torch.arange(side, dtype=torch.float32)
    columns, rows = pair.flow[:, 0] + places, pair.flow[:, 1] + places[:, None]
    grid = 2 * torch.stack([columns, rows], -1) / (side - 1) - 1
    return functional.grid_sample(
        pair.previous, grid, padding_mode="border", align_corners=True, mode="bilinear"
    )


def test_pairs_are_as_many_and_as_large_as_wanted(photos: Path) -> None:
    pair = moved(photos).draw(3)
    assert pair.previous.shape == pair.current.shape == (3, 3, 32, 32)
    assert pair.flow.shape == (3, 2, 32, 32)


def test_the_same_seed_draws_the_same_pairs(photos: Path) -> None:
    assert equal(moved(photos).draw(4), moved(photos).draw(4))
    assert not equal(moved(photos).draw(4), moved(photos, seed=1).draw(4))


def test_draws_follow_from_the_generators_state_alone(photos: Path) -> None:
    (photos / "3.png").write_text("not an image")
    generator = np.random.default_rng(0)
    source = MovedPhotos(list_photos(photos), 32, generator)
    source.draw(7)
    state = generator.bit_generator.state
    ahead = source.draw(5)
    initial_state = np.random.default_rng(99)
    resumed = MovedPhotos(list_photos(photos), 32, initial_state)
    initial_state.bit_generator.state = state
    assert equal(resumed.draw(5), ahead)


def test_the_flow_is_the_motion_of_the_images(photos: Path) -> None:
    pair = moved(photos, side=48).draw(40)
    still = (pair.previous - pair.current).abs() * pair.visible
    error = (warped(pair) - pair.current).abs() * pair.visible
    seen = 3 * pair.visible.sum()
    assert float(error.sum() / seen) < 0.01
    assert float(still.sum() / seen) > 4 * float(error.sum() / seen)
    assert float(pair.visible.mean()) > 0.7


def test_what_is_not_visible_is_not_explained_by_the_flow(photos: Path) -> None:
    pair = moved(photos, side=48).draw(40)
    error = (warped(pair) - pair.current).abs().mean(1, keepdim=True)
    hidden = 1 - pair.visible
    seen_error = float((error * pair.visible).sum() / pair.visible.sum())
    assert float((error * hidden).sum() / hidden.sum()) > 5 * seen_error


def test_motion_is_small_large_and_none(photos: Path) -> None:
    pair = moved(photos, side=96).draw(120)
    lengths = pair.flow.square().sum(1).sqrt().amax((1, 2))
    still = lengths == 0
    assert 0.07 < float(still.float().mean()) < 0.25
    assert torch.equal(pair.previous[still], pair.current[still])
    assert (pair.visible[still] == 1).all()
    assert float(lengths.median()) < 8
    assert 12 < float(lengths.max()) < 40
    # Half the images of a still camera have a corner that the foreground does not reach.
    corner = pair.flow[:, :, 0, 0].abs().amax(1)
    assert float((corner == 0).float().mean()) > 0.2


def test_both_images_are_equally_sharp(photos: Path) -> None:
    pair = moved(photos, side=64).draw(80)

    def sharpness(images: torch.Tensor) -> torch.Tensor:
        down = images[:, :, 2:] - 2 * images[:, :, 1:-1] + images[:, :, :-2]
        return down.square().mean((1, 2, 3)).log()

    differences = sharpness(pair.current) - sharpness(pair.previous)
    deviation = float(differences.std()) / len(differences) ** 0.5
    assert abs(float(differences.mean())) < max(3 * deviation, 0.02)
    assert float(differences.abs().max()) < 0.7


def test_photos_keep_the_sharpness_that_crops_have(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.GaussianBlur(noise, (0, 0), 1.5))
    image = moved(tmp_path, side=400).draw(1).previous
    texture = cv2.imread(str(tmp_path / "photo.png")) / 255
    found = (image[:, :, 1:] - image[:, :, :-1]).square().mean() / image.var()
    there = np.square(texture[1:] - texture[:-1]).mean() / texture.var()
    assert float(found) > 0.8 * there


def test_an_unreadable_photo_is_skipped_with_one_line(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (photos / "0.png").write_text("not an image")
    with caplog.at_level(logging.WARNING):
        moved(photos).draw(60)
    assert [record.message.count("0.png") for record in caplog.records] == [1]


def test_a_folder_of_unreadable_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only.jpg").write_text("not an image")
    with pytest.raises(InputError, match="none of the 1 photos can be read"):
        moved(tmp_path).draw(1)


def test_a_blob_is_solid_smooth_and_as_wide_as_wanted() -> None:
    for seed in range(8):
        shape = blob(101, 45, np.random.default_rng(seed))
        assert shape[50, 50] == 1
        y, x = np.nonzero(shape)
        assert 43 < np.hypot(y - 50, x - 50).max() < 47
        assert cv2.connectedComponents((shape > 0.5).astype(np.uint8))[0] == 2
        soft = (shape > 0) & (shape < 1)
        assert 60 < soft.sum() < 900
    assert not np.array_equal(shape, blob(101, 45, np.random.default_rng(0)))
