"""``vidstyle styles train``: options reach the training, and what it reports reaches people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vidstyle.cli.main import run_command
from vidstyle.core.errors import InputError
from vidstyle.models.style.style_file import Credit, StyleInfo, read_style_info
from vidstyle.models.weights import safetensors_file
from vidstyle.runner.storage.destination import Destination
from vidstyle.training.pair_choice import MOTION
from vidstyle.training.settings import PRESETS, TrainingSettings
from vidstyle.training.watch import TrainingStep, Watcher

CALL = ["styles", "train", "waves.png", "--photos", "photos", "-o", "s.safetensors"]
SMALL = [
    *("--width", "2", "--crop", "32", "--style-image-side", "64", "--backbone", "vgg19"),
    *("--initial-weights", "random", "--style-layers", "relu1_1,relu2_1"),
    *("--content-layers", "relu1_2"),
]
"""Settings for a network that learns little, fast."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path


@pytest.fixture
def world(folder: Path) -> Path:
    """The current folder, with photos, a style image and a VGG19 that ends at relu2_1."""
    generator = np.random.default_rng(0)
    for name in ("photos", "weights"):
        (folder / name).mkdir()
    for index in range(8):
        noise = generator.integers(0, 256, (48, 40 + 3 * index, 3), np.uint8)
        cv2.imwrite(f"photos/{index}.png", cv2.GaussianBlur(noise, (0, 0), 2))
    cv2.imwrite("waves.png", np.kron(np.eye(8), np.full((10, 10), 200)).astype(np.uint8))
    layers = {0: (3, 64), 2: (64, 64), 5: (64, 128)}
    random = torch.Generator().manual_seed(0)
    tensors = {}
    for number, (inputs, outputs) in layers.items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=random)
        tensors[f"features.{number}.weight"] = weight * (2 / (9 * inputs)) ** 0.5
        tensors[f"features.{number}.bias"] = torch.zeros(outputs)
    name = "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(folder / "weights" / name, tensors, {})
    return folder


@pytest.fixture
def weights_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The loss network's weights, which nobody reads."""
    (folder / "photos").mkdir()
    cv2.imwrite("photos/a.png", np.zeros((8, 8, 3), np.uint8))
    path = Path("w.pth")
    # What has it already is not to keep this one.
    import_module("vidstyle.training.loop")
    found = "vidstyle.models.loss.loss_options.find_weights_file"
    monkeypatch.setattr(found, lambda *_, **__: path)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    return path


@pytest.fixture
def stand_in(weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a training that does nothing was given; it reports to its watcher of two steps."""
    given: list[dict[str, Any]] = []

    def train(settings: TrainingSettings, **options: Any) -> StyleInfo:
        given.append({"settings": settings, **options})
        watcher: Watcher = options["watcher"]
        for iteration in (1, 2):
            watcher.image(iteration, "photo-1", np.zeros((8, 8, 3), np.uint8))
            watcher.step(TrainingStep(iteration, 2, {"style": 0.5}, 1e-3, 0.1))
        return StyleInfo("s", Credit(), "fast", 16, {}, {"style": 0.0625})

    monkeypatch.setattr("vidstyle.training.loop.train_style", train)
    return given


def failing(error: BaseException) -> Callable[..., StyleInfo]:
    """A training that takes one step and ends so."""

    def train(settings: TrainingSettings, **options: Any) -> StyleInfo:
        options["watcher"].image(1, "photo-1", np.zeros((8, 8, 3), np.uint8))
        raise error

    return train


def test_options_reach_the_training(stand_in: list[dict[str, Any]]) -> None:
    options = [
        *("--preset", "instance-norm", "--style-weight", "2", "--iterations", "7", "--width", "4"),
        *("--architecture", "fast", "--backbone", "vgg16", "--batch", "2", "--crop", "64"),
        *("--seed", "3", "--decay", "0.5", "--content-weight", "0.75", "--device", "cpu"),
        *("--weights", "w.pth", "--preview-every", "9", "--pairs", "motion", "--resume"),
        *("--title", "T", "--credit", "C", "--license", "L"),
    ]
    assert run_command([*CALL, *options]) == 0
    [given] = stand_in
    given.pop("watcher")
    assert given.pop("stop").reason is None
    changed: dict[str, Any] = {
        "style_weight": 2.0,
        "iterations": 7,
        "width": 4,
        "architecture": "fast",
        "backbone": "vgg16",
        "batch": 2,
        "crop": 64,
        "seed": 3,
        "decay": 0.5,
        "content_weight": 0.75,
    }
    assert given == {
        "settings": TrainingSettings(**{**PRESETS["instance-norm"], **changed}),
        "style_image": Path("waves.png"),
        "photos": Path("photos"),
        "destination": Path("s.safetensors"),
        "pairs": MOTION,
        "credit": Credit("T", "C", "L"),
        "weights": Path("w.pth"),
        "device": "cpu",
        "resume": True,
        "preview_every": 9,
    }


def test_without_options_the_defaults_are_trained(stand_in: list[dict[str, Any]]) -> None:
    assert run_command(CALL) == 0
    assert stand_in[0]["settings"] == TrainingSettings(backbone="vgg16", second_backbone="none")
    assert stand_in[0]["credit"] == Credit("s")
    assert not stand_in[0]["resume"]


def test_the_end_says_how_good_it_is_and_where_it_lies(
    stand_in: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(CALL) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        "vgg16 (w.pth), bfloat16 on cpu, fast with 16 channels, 2000 steps",
        "step 2 of 2, " + output.err.split("2 of 2, ")[1].split("\n")[0],
        "held-out photos: style 0.062",
        "wrote s.safetensors",
    ]


def test_previews_and_logs_are_written_where_they_are_wanted(
    stand_in: list[dict[str, Any]], folder: Path
) -> None:
    pytest.importorskip("tensorboard")
    assert run_command([*CALL, "--previews", "p", "--tensorboard", "t"]) == 0
    names = {path.name for path in (folder / "p").iterdir()}
    assert names == {"step-000001-photo-1.png", "step-000002-photo-1.png", "latest.png"}
    assert [path.name.split(".")[2] for path in (folder / "t").iterdir()] == ["tfevents"]


def test_an_error_still_finishes_what_was_written(
    weights_file: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = failing(InputError("photos has no photos"))
    monkeypatch.setattr("vidstyle.training.loop.train_style", broken)
    assert run_command([*CALL, "--previews", "p"]) == 3
    assert capsys.readouterr().err.splitlines()[1:] == ["vidstyle: photos has no photos"]
    assert (folder / "p" / "latest.png").is_file()


def test_an_interrupt_is_one_line(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vidstyle.training.loop.train_style", failing(KeyboardInterrupt()))
    assert run_command(CALL) == 130
    _, line = capsys.readouterr().err.splitlines()
    assert line.startswith("vidstyle: interrupted; no state was kept yet")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--width", "0"], 2, "--width 0: must be at least 1"),
        (["--learning-rate", "inf"], 2, "--learning-rate inf: must be a finite number"),
        (["--preset", "jonson-2016"], 2, "Did you mean johnson-2016?"),
        (["--pairs", "nothing"], 2, "--pairs nothing: wanted motion"),
        (["--device", "gpu"], 2, "--device gpu: wanted auto, cpu, cuda or cuda:N"),
        (["--previews", "file/p"], 6, "cannot make the folder file/p"),
        (["--tensorboard", "file/t"], 6, "cannot make the folder file/t"),
        (["-o", "file"], 6, "file exists; pass --overwrite to replace it"),
        (["-o", "none/s.safetensors"], 6, "the folder none does not exist; make it first"),
    ],
)
def test_a_call_that_cannot_work_is_refused_before_any_training(
    stand_in: list[dict[str, Any]],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    (folder / "file").touch()
    assert run_command([*CALL, *arguments]) == code
    output = capsys.readouterr().err
    assert message in output
    assert len(output.splitlines()) == 1
    assert not stand_in


def test_what_an_earlier_training_kept_is_not_lost_unasked(
    stand_in: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Path("s.checkpoint")
    kept.write_text("notes")
    assert run_command(CALL) == 6
    assert (
        "s.checkpoint is there from an earlier training: pass --resume" in capsys.readouterr().err
    )
    assert (kept.read_text(), stand_in) == ("notes", [])
    assert run_command([*CALL, "--overwrite"]) == 0


def test_resume_says_where_it_begins(
    stand_in: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*CALL, "--resume"]) == 0
    assert "there is no s.checkpoint: starting from the beginning" in capsys.readouterr().err
    safetensors_file.write(Path("s.checkpoint"), {}, {"iteration": "200"})
    assert run_command([*CALL, "--resume"]) == 0
    assert "resuming after 200 steps" in capsys.readouterr().err


def test_two_trainings_do_not_write_one_file(
    stand_in: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with Destination(Path("s.safetensors")).reserved():
        assert run_command(CALL) == 9
    assert "another run is writing s.safetensors" in capsys.readouterr().err
    assert stand_in == []


def test_the_style_image_is_never_replaced(
    stand_in: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("s.safetensors").write_text("a style image of sorts")
    call = ["styles", "train", "s.safetensors", *CALL[3:], "--overwrite"]
    assert run_command(call) == 2
    assert "the output is the input itself" in capsys.readouterr().err
    assert Path("s.safetensors").read_text() == "a style image of sorts"


def test_the_help_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["styles", "train", "--help"]) == 0
    output = capsys.readouterr().out
    assert [name for name in PRESETS if name not in output] == []


@pytest.mark.slow
def test_a_style_image_becomes_a_style(world: Path) -> None:
    options = ["--iterations", "4", "--weights", "weights", "--preview-every", "2"]
    assert run_command([*CALL, *SMALL, *options, "--previews", "p"]) == 0
    info = read_style_info(world / "s.safetensors")
    assert info.settings["iterations"] == 4
    assert info.settings["style_layers"] == ["relu1_1", "relu2_1"]
    assert {"style_image.png", "step-000002-photo-1.png", "step-000004-photo-2.png"} <= {
        path.name for path in (world / "p").iterdir()
    }


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_checkpoint_and_says_how_to_go_on(
    world: Path, sent: int, code: int
) -> None:
    command = [sys.executable, "-m", "vidstyle", *CALL, *SMALL, "--weights", "weights"]
    child = subprocess.Popen(
        [*command, "--iterations", "100000"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # Who starts the tests in the background may have made them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 90
    while not (world / "s.checkpoint").is_file():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(child.pid, sent)
    _, output = child.communicate(timeout=30)
    assert child.returncode == code, output
    assert output.splitlines()[-1].endswith("run the same command with --resume to go on")
    steps = safetensors_file.read_metadata(world / "s.checkpoint")["iteration"]
    assert f"s.checkpoint keeps the state after {steps} steps" in output
    assert not (world / "s.safetensors").exists()
