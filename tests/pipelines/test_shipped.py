"""Every pipeline that ships runs, and does what its first line says."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from vidstyle.cli.main import run_command
from vidstyle.models.weights import safetensors_file

ROOT = Path(__file__).parent.parent.parent
PIPELINES = sorted((ROOT / "pipelines").glob("*.yaml"))
SAMPLE = ROOT / "samples" / "demo.mp4"


def images(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def run(pipeline: Path, out: Path, *more: str) -> None:
    command = ["run", str(pipeline), str(SAMPLE), "-o", str(out), "--frames", "0:6", *more]
    assert run_command(command) == 0


# RAFT takes a second for a frame at full size.
QUARTER = ("--size", "50%")


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights for RAFT, where its trained ones would be looked for first."""
    from torchvision.models.optical_flow import raft_small

    folder = tmp_path / "weights"
    folder.mkdir()
    network = raft_small(weights=None, progress=False)
    safetensors_file.write(folder / "raft_small_torchvision.safetensors", network.state_dict(), {})
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder))


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: path.stem)
def test_it_runs_on_the_sample(pipeline: Path, tmp_path: Path) -> None:
    more = optimized(tmp_path) if pipeline.stem == "gatys" else []
    if pipeline.stem == "temporal-quality":
        more = [*QUARTER]
    if pipeline.stem == "compare":
        more = ["--set", f"inputs.clip2={{file: {SAMPLE}, color: true}}"]
        more += ["--set", "filter.clips=[clip2]"]
    if pipeline.stem == "stabilize":
        more = ["--set", f"inputs.image={SAMPLE}"]
    if pipeline.stem == "masked":
        cv2.imwrite(str(tmp_path / "mask.png"), np.full((360, 640), 255, np.uint8))
        more = ["--mask", str(tmp_path / "mask.png")]
    if pipeline.stem == "gif":
        # It keeps every second frame.
        more = ["--set", "decode.thin_to=25"]
    run(pipeline, tmp_path / "out.mkv", *more)
    assert len(images(tmp_path / "out.mkv")) == 6


def optimized(folder: Path) -> list[str]:
    """Options of the pipeline that optimizes: a style image, random weights, and few steps."""
    weights = {"features.0.weight": torch.randn(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
    torch.save(weights, folder / "weights" / "vgg16-397923af.pth")
    style_image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    cv2.imwrite(str(folder / "style.png"), style_image)
    few = ["--size", "25%", "--set", "stylize.steps=1", "--set", "stylize.steps_following=1"]
    return ["--style", str(folder / "style.png"), *few]


BLENDING = [
    pipeline.stem
    for pipeline in PIPELINES
    # Another clip is what is blended where nothing is stylized.
    if all(f"use: {kind}/" in pipeline.read_text() for kind in ("stylize", "blend"))
]


@pytest.mark.slow
@pytest.mark.parametrize("blending", BLENDING)
def test_strength_zero_is_per_frame_exactly(blending: str, tmp_path: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    hashes = []
    for name, more in ((blending, ["--set", "blend.strength=0"]), ("per-frame", [])):
        capfd.readouterr()
        made = tmp_path / f"{name}.mp4"
        run(ROOT / "pipelines" / f"{name}.yaml", made, "--json", *QUARTER, *more)
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        hashes.append([line["hash"] for line in lines if line["event"] == "frame"])
    assert hashes[0] == hashes[1]


@pytest.mark.slow
def test_stylizing_changes_the_image_and_blending_reduces_flicker(tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    run(ROOT / "pipelines" / "identity.yaml", source)
    for name in ("temporal", "per-frame"):
        run(
            ROOT / "pipelines" / f"{name}.yaml",
            tmp_path / f"{name}.mkv",
            "--set",
            "encode.codec=ffv1",
            "--set",
            "encode.crf=null",
            "--set",
            "encode.preset=null",
        )
    plain, per_frame, stable = (
        images(tmp_path / f"{name}.mkv").astype(np.float32)
        for name in ("source", "per-frame", "temporal")
    )
    assert np.abs(per_frame - plain).mean() > 15
    assert np.abs(stable - per_frame).mean() < 15
    np.testing.assert_array_equal(stable[0], per_frame[0])
