"""Previews lie in their folder, and the sheet shows how they grew."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core.errors import OutputError
from vidstyle.training.photos import read_photo
from vidstyle.training.previews import LATEST, PreviewImages, fit_image, write_image
from vidstyle.training.watch import STYLE_IMAGE, Image, TrainingStep


def step(iteration: int) -> TrainingStep:
    return TrainingStep(iteration, 100, {"style": 1.0}, 1e-3, 0.1)


def flat(level: int, side: int = 120) -> Image:
    return np.full((side, side, 3), (level, 0, 255 - level), np.uint8)


def train(folder: Path, first: int, last: int, *, every: int = 2, name: str = "photo-1") -> None:
    """What happens between two steps; an image's red is its step."""
    watcher = PreviewImages(folder)
    for iteration in range(first, last + 1):
        if iteration % every == 0:
            watcher.image(iteration, name, flat(iteration))
        watcher.step(step(iteration))
    watcher.close()


def shown_steps(folder: Path) -> list[int]:
    """The steps of the images in the sheet, left to right."""
    sheet = read_photo(folder / LATEST).astype(int)
    ours = (sheet[..., 0] + sheet[..., 2] == 255) & (sheet[..., 1] == 0)
    row = int(ours.sum(axis=1).argmax())
    reds = sheet[row, ours[row], 0]
    return [int(red) for red in dict.fromkeys(reds)]


def test_each_image_becomes_a_file_that_names_its_step(tmp_path: Path) -> None:
    watcher = PreviewImages(tmp_path / "made" / "here")
    watcher.image(500, "photo-1", flat(7))
    watcher.close()
    path = tmp_path / "made" / "here" / "step-000500-photo-1.png"
    np.testing.assert_array_equal(read_photo(path), flat(7))


def test_the_sheet_shows_the_steps_in_order(tmp_path: Path) -> None:
    train(tmp_path, 1, 8)
    assert shown_steps(tmp_path) == [2, 4, 6, 8]


def test_many_steps_are_thinned_evenly_and_the_last_is_there(tmp_path: Path) -> None:
    train(tmp_path, 1, 42)
    assert shown_steps(tmp_path) == [2, 10, 18, 26, 34, 42]


def test_the_sheet_grows_while_the_training_runs(tmp_path: Path) -> None:
    watcher = PreviewImages(tmp_path)
    watcher.image(2, "photo-1", flat(2))
    watcher.step(step(2))
    assert shown_steps(tmp_path) == [2]


def test_a_resumed_training_continues_the_sheet(tmp_path: Path) -> None:
    train(tmp_path, 1, 7)
    # From a checkpoint of step 4: step 6 has not happened.
    train(tmp_path, 5, 5)
    train(tmp_path, 5, 8, every=4)
    assert shown_steps(tmp_path) == [2, 4, 8]


def test_a_new_training_shows_nothing_of_an_old_one(tmp_path: Path) -> None:
    train(tmp_path, 1, 8)
    train(tmp_path, 1, 5)
    assert shown_steps(tmp_path) == [2, 4]


def test_each_photo_has_a_row_and_the_style_image_stands_first(tmp_path: Path) -> None:
    watcher = PreviewImages(tmp_path)
    style_image = np.full((300, 1200, 3), (10, 200, 90), np.uint8)
    watcher.image(0, STYLE_IMAGE, style_image)
    for number in (1, 2):
        watcher.image(5, f"photo-{number}", flat(number))
    watcher.close()
    assert read_photo(tmp_path / "style_image.png").shape == (128, 512, 3)
    sheet = read_photo(tmp_path / LATEST)
    left = int(np.flatnonzero((sheet == (10, 200, 90)).all(axis=2).any(axis=0))[0])
    tops = []
    for number in (1, 2):
        there = np.argwhere((sheet == flat(number)[0, 0]).all(axis=2))
        assert len(there) == 120 * 120
        assert there[0][1] > left + 256
        tops.append(int(there[0][0]))
    assert tops[1] >= tops[0] + 120


def test_previews_that_were_removed_or_damaged_do_not_stop_a_training(tmp_path: Path) -> None:
    train(tmp_path, 1, 6)
    (tmp_path / "step-000002-photo-1.png").unlink()
    (tmp_path / "step-000004-photo-1.png").write_bytes(b"no image")
    (tmp_path / "step-x-photo-1.png").write_bytes(b"nobody's")
    train(tmp_path, 7, 8)
    assert shown_steps(tmp_path) == [6, 8]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        PreviewImages(tmp_path / "file" / "folder")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_a_written_image_reads_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    write_image(path, flat(200))
    found = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert np.abs(found.astype(int) - flat(200)).max() <= (0 if suffix == ".png" else 3)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_image_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_image(tmp_path / "none" / "x.png", flat(1))
    with pytest.raises(OutputError, match="cannot write"):
        write_image(tmp_path / "x.unknown", flat(1))
    assert not list(tmp_path.iterdir())


def test_images_are_reduced_to_fit_and_never_enlarged() -> None:
    tall = np.zeros((300, 100, 3), np.uint8)
    assert fit_image(tall, 150).shape == (150, 50, 3)
    assert fit_image(tall, 300) is tall
    assert fit_image(np.zeros((1, 1000, 3), np.uint8), 100).shape == (1, 100, 3)
