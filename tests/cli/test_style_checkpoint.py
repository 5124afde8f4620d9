"""A training that is stopped says what is kept and how it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidstyle.cli.main import INTERRUPTED, TERMINATED
from vidstyle.cli.style_checkpoint import resumable
from vidstyle.core.errors import DeviceError, VidstyleError
from vidstyle.models.weights import safetensors_file


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "s.checkpoint"
    safetensors_file.write(path, {"x": torch.zeros(1)}, {"iteration": "750"})
    return path


@pytest.mark.parametrize(
    ("leaving", "code", "word"),
    [
        (KeyboardInterrupt(), INTERRUPTED, "interrupted"),
        (SystemExit(TERMINATED), TERMINATED, "terminated"),
    ],
)
def test_a_stop_names_the_checkpoint_and_the_way_on(
    checkpoint: Path, leaving: BaseException, code: int, word: str
) -> None:
    with pytest.raises(VidstyleError) as raised, resumable(checkpoint):
        raise leaving
    assert raised.value.exit_code == code
    kept = f"{checkpoint} keeps the state after 750 steps"
    assert str(raised.value) == f"{word}; {kept}: run the same command with --resume to go on"


def test_before_the_first_checkpoint_nothing_is_promised(tmp_path: Path) -> None:
    message = "interrupted; no state was kept yet: run the same command to start from the beginning"
    with pytest.raises(VidstyleError, match=message), resumable(tmp_path / "s.checkpoint"):
        raise KeyboardInterrupt


def test_other_ways_out_are_left_alone(checkpoint: Path) -> None:
    with pytest.raises(SystemExit, match="3"), resumable(checkpoint):
        raise SystemExit(3)
    with pytest.raises(ZeroDivisionError), resumable(checkpoint):
        raise ZeroDivisionError


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_running_out_of_memory_says_what_to_make_smaller(
    checkpoint: Path, error: Exception
) -> None:
    message = "out of memory: give a smaller --crop, --batch or --width"
    with pytest.raises(DeviceError, match=message), resumable(checkpoint):
        raise error
