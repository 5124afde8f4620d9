"""Clips in files: what a first reading finds, and memory that runs out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import DeviceError
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
