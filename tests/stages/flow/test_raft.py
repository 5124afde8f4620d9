"""RAFT as a stage: the contract, known motion, reduced sizes, and weights that are missing."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Window
from vidstyle.core.errors import WeightsError
from vidstyle.models.flow.raft import load_raft
from vidstyle.models.weights import safetensors_file
from vidstyle.stages.flow.raft import Raft, RaftOptions
from vidstyle.testing import failed, occluder, pan, run_checks

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = "raft_small_torchvision.safetensors"


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights: any motion they find is wrong, and nothing else about them is."""
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / SMALL
    safetensors_file.write(path, raft_small(weights=None, progress=False).state_dict(), {})
    return path


@pytest.fixture
def trained(shared_data: Path) -> Path:
    return shared_data / "weights" / SMALL


def run(now: HostArray, previous: HostArray | None, **options: object) -> dict[str, HostArray]:
    stage = Raft(RaftOptions.model_validate(options))
    clip = Clip(now.shape[1], now.shape[0], time_base=Fraction(1))
    stage.open(clip, ExecutionContext())
    behind = () if previous is None else (Frame(0, 0, 1, {"source": on_device(previous)}),)
    window = Window(Frame(1, 1, 1, {"source": on_device(now)}), stage.options, behind)
    layers, _ = stage.step(window, None)
    return {name: np.asarray(layer) for name, layer in layers.items()}


def on_device(image: HostArray) -> torch.Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)


def sources(number: int, before: int, clip: object) -> tuple[HostArray, HostArray]:
    now, previous = (clip.frames[i].host("source") for i in (number, before))  # type: ignore[attr-defined]  # a SyntheticClip
    return now, previous


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"directions": "both", "scale": 0.5}])
def test_raft_keeps_the_contract(untrained: Path, options: dict[str, object]) -> None:
    results = run_checks(Raft, {"weights": str(untrained), "iterations": 1, **options})
    assert failed(results) == {}


def test_both_directions_are_those_of_the_network(untrained: Path) -> None:
    now, previous = sources(2, 1, occluder(frames=3))
    options = {"weights": str(untrained), "iterations": 2}
    layers = run(now, previous, directions="both", **options)
    there, back = load_raft("small", weights=untrained, iterations=2).flows(now, previous)
    np.testing.assert_array_equal(layers["flow"], there)
    np.testing.assert_array_equal(layers["flow_from_previous"], back)
    assert set(run(now, previous, **options)) == layers.keys() - {"visible_from_previous"}


def test_the_first_frame_of_a_shot_has_nothing_before_it(untrained: Path) -> None:
    image = pan(frames=1).frames[0].host("source")
    layers = run(image, None, weights=str(untrained), directions="both")
    assert len(layers) == 4
    assert not any(layer.any() for layer in layers.values())


def test_a_reduced_flow_is_in_pixels_of_the_full_size(untrained: Path) -> None:
    now, previous = sources(1, 0, pan(frames=2, width=320, height=260))
    layers = run(now, previous, weights=str(untrained), iterations=2, scale=0.5)
    # Every second pixel's mean: a triangle filter of two pixels to each side, as torch has it.
    halves = [
        torch.nn.functional.interpolate(
            on_device(image)[None], (130, 160), mode="bilinear", antialias=True
        )[0]
        .permute(1, 2, 0)
        .numpy()
        for image in (now, previous)
    ]
    small, _ = load_raft("small", weights=untrained, iterations=2).flows(*halves)
    expected = cv2.resize(small, (320, 260), interpolation=cv2.INTER_LINEAR) * 2
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(layers["flow"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "bound"), [(1.0, 0.4), (0.5, 0.6)])
def test_trained_weights_follow_a_pan(trained: Path, scale: float, bound: float) -> None:
    clip = pan(frames=2, step=(6, -4), width=320, height=240)
    now, previous = sources(1, 0, clip)
    layers = run(now, previous, weights=str(trained), scale=scale)
    error = np.linalg.norm(layers["flow"] - clip.true_flow[1], axis=2)
    assert error[16:-16, 16:-16].mean() < bound
    inner = layers["visible"][16:-16, 16:-16]
    assert inner.mean() > 0.98
    assert layers["visible"][clip.true_visible[1] == 0].mean() < 0.2


@pytest.mark.slow
def test_trained_weights_find_what_is_hidden(trained: Path) -> None:
    clip = occluder()
    now, previous = sources(5, 4, clip)
    layers = run(now, previous, weights=str(trained))
    assert layers["visible"][clip.true_visible[5] == 0].mean() < 0.35
    assert layers["visible"][clip.true_visible[5] == 1].mean() > 0.85


@pytest.mark.parametrize(
    ("size", "scale"),
    [((1280, 720), 1), ((640, 360), 1), ((1920, 1080), 2 / 3), ((3840, 2160), 1 / 3)],
)
def test_auto_compares_at_most_so_many_pixels(size: tuple[int, int], scale: float) -> None:
    resolved = Raft(RaftOptions()).resolve(Clip(*size, time_base=Fraction(1)), ExecutionContext())
    assert resolved.scale == pytest.approx(scale)
    assert (
        Raft(RaftOptions(scale=0.3))
        .resolve(Clip(*size, time_base=Fraction(1)), ExecutionContext())
        .scale
        == 0.3
    )


@pytest.mark.parametrize(
    ("precision", "device", "resolved"),
    [
        ("auto", "cpu", "float32"),
        ("auto", "cuda:0", "float16"),
        ("bfloat16", "cuda:0", "bfloat16"),
        ("float16", "cpu", "float16"),
    ],
)
def test_auto_precision_follows_the_device(precision: str, device: str, resolved: str) -> None:
    stage = Raft(RaftOptions.model_validate({"precision": precision}))
    clip = Clip(64, 64, time_base=Fraction(1))
    assert stage.resolve(clip, ExecutionContext(device)).precision == resolved


@pytest.mark.slow
def test_a_gpu_finds_the_flow_of_the_cpu(trained: Path, gpu: str) -> None:
    clip = pan(frames=2, step=(6, -4), width=320, height=240)
    now, previous = sources(1, 0, clip)
    exact = run(now, previous, weights=str(trained))["flow"]
    half = load_raft("small", weights=trained, device=gpu, precision="float16")
    found, _ = half.flows(now, previous)
    assert np.linalg.norm(found - exact, axis=2).mean() < 0.06


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"offline": True},
            r"raft-small .*fetch https://.*/raft_small_C_T_V2-01064c6d\.pth .*and put it",
        ),
        ({"offline": True, "model": "large"}, r"raft_large_C_T_SKHT_V2-ff5fadd5\.pth .*and put it"),
        ({"weights": "none.pth"}, r"none\.pth is not there"),
    ],
)
def test_weights_that_are_missing_are_named_before_a_frame(
    options: dict[str, object], words: str
) -> None:
    with pytest.raises(WeightsError, match=words):
        Raft(RaftOptions.model_validate(options)).describe(Clip(64, 64, time_base=Fraction(1)))


@pytest.mark.parametrize(
    "wrong", [{"scale": 0}, {"scale": 1.5}, {"scale": "half"}, {"model": "tiny"}, {"iterations": 0}]
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RaftOptions.model_validate(wrong)


def test_making_the_stage_needs_no_torch() -> None:
    code = (
        "import sys; from vidstyle.stages.flow.raft import *; Raft(RaftOptions());"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
