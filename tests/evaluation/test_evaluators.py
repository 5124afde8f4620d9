"""Evaluators: which is chosen, what it computes, and memory that runs out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import DeviceError, UsageError, WeightsError
from vidstyle.evaluation.evaluators import (
    EVALUATORS,
    EvaluatorName,
    choose_evaluator,
    enough_memory,
)
from vidstyle.models.flow import raft_setup
from vidstyle.models.flow.raft import load_raft
from vidstyle.models.weights import safetensors_file
from vidstyle.testing import pan


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any weights."""
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights of raft-small."""
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    network = raft_small(weights=None, progress=False)
    safetensors_file.write(folder / "raft_small_torchvision.safetensors", network.state_dict(), {})
    return folder


def check_pan(name: EvaluatorName, weights: Path | None, *, tolerance: float) -> None:
    evaluator = choose_evaluator(name, weights=weights, device="cpu")
    assert evaluator.name == name
    first, second = (frame.host("source") for frame in pan(frames=2, step=(2, -1)).frames)
    forward, backward = evaluator.flow(first, second)
    assert forward.shape == backward.shape == (*first.shape[:2], 2)
    inside = slice(20, -20)
    for flow, step in ((forward, (2, -1)), (backward, (-2, 1))):
        mean = flow[inside, inside].mean(axis=(0, 1))
        np.testing.assert_allclose(mean, step, atol=tolerance)


@pytest.mark.parametrize("name", ["farneback", "dis"])
def test_classic_evaluators_see_a_pan_both_ways(name: EvaluatorName) -> None:
    check_pan(name, None, tolerance=0.1)


@pytest.mark.slow
def test_raft_sees_a_pan_both_ways(shared_data: Path) -> None:
    check_pan("raft-small", shared_data / "weights", tolerance=0.3)


@pytest.mark.slow
def test_raft_evaluates_by_default_where_its_weights_are(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(shared_data / "weights"))
    evaluator = choose_evaluator(device="cpu")
    assert (evaluator.name, evaluator.notes) == ("raft-small", ())


@pytest.mark.usefixtures("bare")
def test_without_weights_farneback_evaluates_and_notes_why() -> None:
    evaluator = choose_evaluator()
    assert evaluator.name == "farneback"
    assert "its weights are not on this machine" in evaluator.notes[0]


@pytest.mark.usefixtures("bare")
def test_the_flow_of_the_blend_is_skipped() -> None:
    evaluator = choose_evaluator(blended_with="farneback")
    assert evaluator.name == "dis"
    assert "farneback does not evaluate: the clip was blended with it" in evaluator.notes


@pytest.mark.parametrize("name", EVALUATORS)
def test_no_flow_evaluates_its_own_blend(name: EvaluatorName) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot evaluate what was blended with it"):
        choose_evaluator(name, blended_with=name)


def test_a_missing_folder_of_weights_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not there"):
        choose_evaluator("raft-small", weights=tmp_path / "none")


@pytest.mark.slow
def test_raft_sees_large_images_reduced(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As 1280x720 is to a larger image: RAFT would take seconds over those.
    monkeypatch.setattr(raft_setup, "MOST_PIXELS", 160 * 128)
    evaluator = choose_evaluator("raft-small", weights=untrained, device="cpu", size=(320, 256))
    (note,) = evaluator.notes
    assert "320x256 reduced to 160x128 (0.50 times)" in note
    pair = [frame.host("source") for frame in pan(frames=2, width=320, height=256).frames]
    halves = [
        torch.nn.functional.interpolate(
            torch.from_numpy(image.copy()).permute(2, 0, 1)[None],
            (128, 160),
            mode="bilinear",
            antialias=True,
        )[0]
        .permute(1, 2, 0)
        .numpy()
        for image in pair
    ]
    small = load_raft("small", weights=untrained / "raft_small_torchvision.safetensors")
    for flow, there in zip(evaluator.flow(*pair), small.flows(*halves), strict=True):
        expected = cv2.resize(there, (320, 256), interpolation=cv2.INTER_LINEAR) * 2
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(flow, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "words"),
    [((1920, 1080), "reduced to 1280x720 (0.67 times)"), ((1280, 720), ""), ((96, 80), "")],
)
def test_notes_say_whether_raft_sees_less(
    untrained: Path, size: tuple[int, int], words: str
) -> None:
    evaluator = choose_evaluator("raft-small", weights=untrained, device="cpu", size=size)
    assert words in " ".join(evaluator.notes)
    assert bool(evaluator.notes) == bool(words)
    assert choose_evaluator("farneback", size=size).notes == ()


@pytest.mark.slow
def test_raft_without_memory_is_a_device_error(untrained: Path) -> None:
    flow = choose_evaluator("raft-small", weights=untrained, device="cpu").flow
    side = 2**23
    endless = np.broadcast_to(np.float32(0), (side, side, 3))
    with pytest.raises(DeviceError, match=f"raft-small on images of {side}x{side}: out of mem"):
        flow(endless, endless)


SIDE = 2**23
"""Of images that are larger than what a process can address."""


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.empty((SIDE, SIDE, 3), np.float32),
        lambda: torch.empty(SIDE, SIDE, 3),
        lambda: cv2.resize(np.zeros((2, 2, 3), np.float32), (SIDE, SIDE)),
    ],
    ids=["numpy", "torch", "opencv"],
)
def test_a_failed_allocation_is_a_device_error(allocate: Callable[[], object]) -> None:
    with (
        pytest.raises(DeviceError, match=r"^the work: out of memory; do less$"),
        enough_memory("the work", "do less"),
    ):
        allocate()


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.zeros(2, 3) @ torch.zeros(2, 3),
        lambda: cv2.resize(np.zeros((2, 2), np.float32), (0, 0)),
    ],
    ids=["torch", "opencv"],
)
def test_other_faults_stay_what_they_are(fail: Callable[[], object]) -> None:
    with pytest.raises((RuntimeError, cv2.error)), enough_memory("the work", "do less"):
        fail()
