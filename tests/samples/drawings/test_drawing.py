"""Every drawing is the same for its seed, has the size asked for, and is full of strokes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from samples.drawings import DRAWINGS, write_drawings
from samples.drawings.__main__ import main
from vidstyle.core.errors import OutputError, UsageError

EACH = pytest.mark.parametrize("name", DRAWINGS)


@EACH
def test_a_drawing_has_the_size_asked_for_and_is_the_same_again(name: str) -> None:
    first, again, other = (DRAWINGS[name].draw(160, 200, seed) for seed in (3, 3, 4))
    assert first.shape == (160, 200, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 3


@EACH
@pytest.mark.parametrize(("height", "width"), [(97, 131), (200, 120)])
def test_a_drawing_may_be_of_any_shape(name: str, height: int, width: int) -> None:
    assert DRAWINGS[name].draw(height, width).shape == (height, width, 3)


@EACH
@pytest.mark.slow
def test_no_part_of_a_drawing_is_empty(name: str) -> None:
    gray = cv2.cvtColor(DRAWINGS[name].draw(), cv2.COLOR_RGB2GRAY).astype(np.float64)
    assert gray.shape == (1024, 1280)
    parts = gray.reshape(8, 128, 10, 128).std(axis=(1, 3))
    assert parts.min() > 8


def test_the_drawings_differ_in_their_colors() -> None:
    means = [drawing.draw(160, 200).mean(axis=(0, 1)) for drawing in DRAWINGS.values()]
    for index, mean in enumerate(means):
        assert all(np.abs(mean - other).max() > 15 for other in means[index + 1 :])


def test_drawings_are_written_as_they_are_drawn(tmp_path: Path) -> None:
    (file,) = write_drawings(tmp_path / "new", ["mosaic"], height=120, width=150, seed=2)
    assert file == tmp_path / "new" / "mosaic.png"
    stored = cv2.imread(str(file))
    assert stored is not None
    np.testing.assert_array_equal(stored[..., ::-1], DRAWINGS["mosaic"].draw(120, 150, 2))


def test_an_unknown_name_stops_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no drawing 'fresco'; there are pen-hatching, mosaic"):
        write_drawings(tmp_path / "new", ["mosaic", "fresco"])
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*taken: .*; name another folder"):
        write_drawings(taken, ["mosaic"])


def test_an_image_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "mosaic.png").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*mosaic\.png"):
        write_drawings(tmp_path, ["mosaic"], height=100, width=100)


def test_the_command_ends_in_one_line_where_it_cannot_go_on(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^there is no drawing 'fresco'.*$"):
        main([str(tmp_path), "fresco"])


def test_the_command_without_a_folder_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match=r"samples\.drawings FOLDER"):
        main([])
