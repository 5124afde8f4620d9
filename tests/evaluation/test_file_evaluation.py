"""Clips in files: what a first reading finds, and memory that runs out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import DeviceError, InputError
from vidstyle.evaluation.evaluators import Evaluator
from vidstyle.evaluation.file_evaluation import ClipPaths, check_clips, evaluate_files, name_clips


@pytest.fixture
def clips(tmp_path: Path) -> ClipPaths:
    """Two folders of three images, 24x16."""
    for name in ("source", "stylized"):
        (tmp_path / name).mkdir()
        for index in range(3):
            image = np.full((16, 24, 3), 40 + index, np.uint8)
            assert cv2.imwrite(str(tmp_path / name / f"{index}.png"), image)
    return name_clips(tmp_path / "source", None, [tmp_path / "stylized"])


def greedy(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    side = 2**23
    flow = np.empty((side, side, 2), np.float32)
    return flow, flow


def test_a_check_finds_the_size_of_the_source(clips: ClipPaths) -> None:
    assert check_clips(clips).source_size == (24, 16)


def test_memory_that_runs_out_is_a_device_error(clips: ClipPaths) -> None:
    with pytest.raises(
        DeviceError, match="evaluating 2 clips of 24x16: out of memory; evaluate fewer"
    ):
        evaluate_files(clips, check_clips(clips), Evaluator("dis", greedy))


@pytest.mark.parametrize("resize", [False, True])
@pytest.mark.parametrize("odd", [(23, 15), (24, 15), (23, 16)])
def test_the_edge_of_a_clip_that_was_made_even_is_left_out(
    tmp_path: Path, odd: tuple[int, int], resize: bool
) -> None:
    width, height = odd
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    for name, content in (("source", image), ("stylized", even)):
        (tmp_path / name).mkdir()
        assert cv2.imwrite(str(tmp_path / name / "0.png"), content)
    clips = name_clips(tmp_path / "source", None, [tmp_path / "stylized"])
    check = check_clips(clips, resize=resize)
    (frame,) = check.read(tmp_path / "stylized")
    np.testing.assert_array_equal(np.rint(frame[..., ::-1] * 255), image)
    (note,) = check.notes
    assert "the repeated edge is left out" in note


def test_a_clip_of_another_size_is_refused_as_before(tmp_path: Path) -> None:
    for name, width in (("source", 24), ("stylized", 26)):
        (tmp_path / name).mkdir()
        assert cv2.imwrite(str(tmp_path / name / "0.png"), np.zeros((16, width, 3), np.uint8))
    with pytest.raises(InputError):
        check_clips(name_clips(tmp_path / "source", None, [tmp_path / "stylized"]))
