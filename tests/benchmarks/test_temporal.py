"""The whole benchmark on clips small enough, and what its lines mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import vidstyle
from vidstyle.core.errors import WeightsError
from vidstyle.evaluation.baselines import BASELINES
from vidstyle.models.openvino.runtime import has_native_bfloat16
from vidstyle.models.weights import safetensors_file
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.job import Job
from vidstyle.runner.job import run as run_job
from vidstyle.testing import pan, still

Load = Callable[[str], ModuleType]
PRESET = Path(__file__).parents[2] / "pipelines" / "temporal.yaml"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder of six images, 72x56, that pan."""
    folder = tmp_path / "pan"
    folder.mkdir()
    for frame in pan(frames=6, width=72, height=56, step=(1, 0)).frames:
        image = np.rint(frame.host("source")[..., ::-1] * 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{frame.index:03}.png"), image)
    return folder


def run(benchmark: Load, *given: object) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a run."""
    with pytest.raises(SystemExit) as ended:
        benchmark("temporal").main([str(part) for part in given])
    written = Path(str(given[given.index("-o") + 1]))
    return int(ended.value.code or 0), json.loads(written.read_text())


def points(content: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    return {
        f"{row['method']} {row['parameter']} {row['smoothing']}": row["scores"]
        for row in content["rows"]
    }


@pytest.mark.slow
def test_a_run_prints_every_part_and_a_second_one_finds_the_flows_again(
    benchmark: Load,
    clip: Path,
    style: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work, plot = tmp_path / "work", tmp_path / "curves.png"
    given = ("--clips", clip, "--styles", style("flickering"), "--evaluator", "farneback")
    given += ("--presets", PRESET, "--strengths", 0, 0.8, "--smoothings", 0.5, "--still-frames", 12)
    given += ("--still-width", 48, "--work", work, "--plot", plot, "-o", tmp_path / "first.json")
    code, first = run(benchmark, *given)
    printed = capsys.readouterr().out
    found = points(first)
    assert len(found) == len(BASELINES) + 6
    assert all(row["scores"]["e_warp"] > 0 for row in first["rows"])
    # A blend of strength 0 is the stylized frame, bit for bit.
    nothing, per_frame = found["temporal 0.0 0.0"], found["per frame None None"]
    assert [nothing[name] for name in ("warping_error_reduction", "ssim", "sharpness")] == [0, 1, 1]
    assert nothing["e_warp"] == per_frame["e_warp"] == per_frame["per_frame_e_warp"]
    assert found["masked warp 0.8 None"]["ghosting_ratio"] == 1
    ratio = per_frame["error_ratio"] / per_frame["gradient_ratio"]
    assert ratio == pytest.approx(per_frame["relative_warping_error"])
    options = [(one["option"], one["points"]) for one in first["steps"]]
    assert options == [("strength", 4), ("smoothing at 0.85", 2), ("smoothing at 1", 2)]
    (bleed,) = first["bleeds"]
    assert (bleed["cuts"], bleed["worst"]) == ([6], 0)
    assert first["costs"][0]["ratio"] > 1
    assert first["still"][0]["ratio"] == 1
    assert max(one["ratio"] for one in first["still"][1:]) < 0.8
    assert code == (0 if all(one["holds"] for one in first["below"]) else 1)
    for part in ("evaluator farneback", "E(O)/E(I)", "curve", "still", "cut", "DIS fast both ways"):
        assert part in printed
    panel = cv2.imread(str(plot))
    assert panel is not None
    assert panel.std() > 1
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.npy")}
    _, second = run(benchmark, *given[:-1], tmp_path / "second.json")
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*.npy")} == before
    assert second["rows"] == first["rows"]


def test_a_blend_is_what_the_whole_pipeline_writes(
    benchmark: Load, clip: Path, style: Callable[..., Path], tmp_path: Path
) -> None:
    benchmark("temporal")
    presets, footages, stores = (
        benchmark(f"consistency.{name}") for name in ("presets", "footage", "store")
    )
    network = style("any")
    text = PRESET.read_text().replace("decode/pyav", "decode/images")
    text = text.replace("great-wave", str(network)).partition("  - use: encode")[0]
    written = tmp_path / "images.yaml"
    written.write_text(text + "  - use: encode/images\n")
    # The evaluation stylizes with the float32 reference.
    overrides = ["blend.strength=0.7", "stylize.backend=torch", "stylize.precision=float32"]
    pipeline = load_pipeline(written, registry=Registry(), overrides=overrides)
    run_job(Job(pipeline, clip, tmp_path / "out", device="cpu", engine="serial"))

    store = stores.Store(tmp_path / "work")
    footage = footages.real_clip(clip, frames=6, width=72, store=store)
    stylized = footages.stylized(footage, footages.style_of(str(network)), store)
    preset = presets.Preset(PRESET)
    images = preset.blend(footage, preset.motion(footage, store), stylized, (0.7, 0.0))
    paths = sorted((tmp_path / "out").glob("*.png"))
    moved = 0.0
    for path, image, per_frame in zip(paths, images, stylized, strict=True):
        read = cv2.imread(str(path))
        assert read is not None
        # Half a step of 8 bits, and a little for stylized frames that are kept as float16.
        np.testing.assert_allclose(image, read[..., ::-1] / 255, atol=0.6 / 255)
        moved = max(moved, float(np.abs(image - per_frame).max()))
    assert moved > 3 / 255


@pytest.mark.skipif(not has_native_bfloat16(), reason="this processor has no bfloat16")
def test_frames_are_stylized_in_the_precision_that_is_asked_for(
    benchmark: Load, clip: Path, style: Callable[..., Path], tmp_path: Path
) -> None:
    benchmark("temporal")
    footages = benchmark("consistency.footage")
    store = benchmark("consistency.store").Store(tmp_path / "work")
    footage = footages.real_clip(clip, frames=2, width=72, store=store)
    network = str(style("any"))
    exact, lower = (
        footages.stylized(footage, footages.style_of(network, precision), store)
        for precision in ("float32", "bfloat16")
    )
    for one, other in zip(exact, lower, strict=True):
        assert 0 < np.abs(one - other).mean() < 2 / 255
    checkpoint = tmp_path / "candy.pth"
    checkpoint.write_bytes(b"")
    with pytest.raises(WeightsError, match=r"candy\.pth is a checkpoint: import it"):
        footages.style_of(str(checkpoint), "int8")


def row(benchmark: Load, method: str, scores: tuple[float, float, float], *, ours: bool):  # type: ignore[no-untyped-def]
    names = ("e_warp", "ssim", "sharpness")
    tables = benchmark("consistency.tables")
    return tables.Row(
        "candy", "mean", method, 0.5, 0.0 if ours else None, dict(zip(names, scores, strict=True))
    )


@pytest.mark.parametrize(
    ("scores", "holds"),
    [
        ((0.9, 0.8, 0.7), True),
        ((0.9, 0.9, 0.9), True),
        ((1.0, 0.9, 0.9), False),
        ((0.9, 0.79, 0.9), False),
        ((0.9, 0.9, 0.69), False),
    ],
)
def test_below_is_less_warping_error_at_no_less_ssim_and_sharpness(
    benchmark: Load, scores: tuple[float, float, float], holds: bool
) -> None:
    benchmark("temporal")
    theirs = row(benchmark, "masked warp", (1.0, 0.8, 0.7), ours=False)
    per_frame = row(benchmark, "per frame", (0.1, 1.0, 1.0), ours=False)
    rows = [per_frame, theirs, row(benchmark, "ours", scores, ours=True)]
    (found,) = benchmark("consistency.tables").below(rows)
    assert found.baseline is theirs
    assert found.holds is holds
    assert ("yes" if holds else "NO") in str(found)


def test_spread_is_deviation_and_slope_of_what_follows_the_start(benchmark: Load) -> None:
    benchmark("temporal")
    frames = [frame.host("source") for frame in still(frames=40, width=48, height=32).frames]
    drifting = [frame + np.float32(0.001 * time) for time, frame in enumerate(frames)]
    deviation, slope = benchmark("consistency.extremes").spread(drifting, 10)
    stack = np.stack(drifting[10:]).astype(np.float64)
    assert deviation == pytest.approx(stack.std(axis=0).mean(), rel=1e-6)
    assert slope == pytest.approx(0.001, rel=0.02)


def test_means_are_of_the_rows_that_have_the_score(benchmark: Load) -> None:
    benchmark("temporal")
    tables = benchmark("consistency.tables")
    one = tables.Row("candy", "a", "ours", 0.5, 0.0, {"e_warp": 1.0, "ssim": 0.5})
    two = tables.Row("candy", "b", "ours", 0.5, 0.0, {"e_warp": 2.0})
    (mean,) = tables.means([one, two], style="candy", clip="mean")
    assert mean.scores == {"e_warp": 1.5, "ssim": 0.5}
    line = tables.table("title", [mean]).splitlines()[2].split()
    assert line[:5] == ["ours", "0.5", "-", "1.50000", "-"]


def test_a_run_that_breaks_off_leaves_nothing_to_be_found(benchmark: Load, tmp_path: Path) -> None:
    benchmark("temporal")
    store = benchmark("consistency.store").Store(tmp_path / "work")

    def broken():  # type: ignore[no-untyped-def]
        yield {"image": np.zeros((2, 2, 3), np.float16)}
        raise KeyboardInterrupt

    def whole():  # type: ignore[no-untyped-def]
        yield from ({"image": np.full((2, 2, 3), t, np.float16)} for t in range(3))

    with pytest.raises(KeyboardInterrupt):
        store.frames("stylized", {"of": "a"}, broken)
    kept = store.frames("stylized", {"of": "a"}, whole)["image"]
    assert [frame.mean() for frame in kept] == [0, 1, 2]
    assert len(store.frames("stylized", {"of": "a"}, broken)["image"]) == 3


def test_an_error_is_one_line(
    benchmark: Load, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = benchmark("temporal").main
    for given, code in (
        (["--styles", "udnie"], 2),
        (["--clips", str(clip), "--styles", "no-such-style"], 4),
        (["--clips", str(clip / "none.mp4"), "--styles", "udnie"], 3),
    ):
        with pytest.raises(SystemExit) as ended:
            main([*given, "--presets", str(PRESET)])
        assert ended.value.code == code
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(WeightsError):
        benchmark("consistency.footage").style_of("none/at-all.pth")


def test_kept_flows_are_those_of_the_shape(benchmark: Load, tmp_path: Path) -> None:
    benchmark("temporal")
    store = benchmark("consistency.store").Store(tmp_path / "work")
    flow = benchmark("consistency.candidates").KeptFlow("farneback", None, store)
    for shape in ((48, 64, 3), (64, 48, 3)):
        # The same bytes in two forms.
        forward, backward = flow(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
        assert forward.shape == backward.shape == (*shape[:2], 2)


@pytest.mark.slow
def test_kept_flows_are_those_of_the_weights(benchmark: Load, tmp_path: Path) -> None:
    from torchvision.models.optical_flow import raft_small

    benchmark("temporal")
    kept_flow = benchmark("consistency.candidates").KeptFlow
    store = benchmark("consistency.store").Store(tmp_path / "work")
    pair = [frame.host("source") for frame in pan(frames=2, width=128, height=128).frames]
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        weights = raft_small(weights=None, progress=False).state_dict()
        safetensors_file.write(tmp_path / "raft_small_torchvision.safetensors", weights, {})
        found.append(kept_flow("raft-small", tmp_path, store)(*pair)[0])
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_what_is_kept_is_that_of_the_code(
    benchmark: Load,
    clip: Path,
    style: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    benchmark("temporal")
    footages, stores, candidates = (
        benchmark(f"consistency.{name}") for name in ("footage", "store", "candidates")
    )
    store = stores.Store(tmp_path / "work")
    footage = footages.real_clip(clip, frames=2, width=72, store=store)
    any_style = footages.style_of(str(style("any")))
    package = tmp_path / "package"
    for part in ("models/style", "evaluation"):
        (package / part).mkdir(parents=True)
    network, evaluator = (
        package / "models" / "style" / "network.py",
        package / "evaluation" / "evaluators.py",
    )
    monkeypatch.setattr(vidstyle, "__file__", str(package / "__init__.py"))

    def kept(network_code: str, evaluator_code: str) -> tuple[int, int]:
        """How many stylized clips and flows there are after a run by this code."""
        network.write_text(network_code)
        evaluator.write_text(evaluator_code)
        footages.stylized(footage, any_style, store)
        candidates.KeptFlow("farneback", None, store)(*footage.frames)
        folder = tmp_path / "work"
        flows = len(list((folder / "evaluation-farneback").iterdir()))
        return len(list(folder.glob("stylized-*"))), flows

    assert kept("1", "1") == (1, 1)
    assert kept("1", "1") == (1, 1)
    assert kept("1", "2") == (1, 2)
    assert kept("2", "2") == (2, 3)
