"""Each task, command by command, as the queue runs it; and each way for a command to end."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import cv2
import pytest

from tests.app.conftest import WriteClip, clip_choices, image_choices, run_task
from vidstyle.app.choices import PageSettings
from vidstyle.app.tasks import (
    COMPARISON,
    IMAGE,
    PREVIEWS,
    REPORT,
    STYLIZED,
    clip_task,
    evaluation_task,
    image_task,
    preview_task,
)


@pytest.mark.slow
def test_an_image_is_stylized_at_its_size_step_by_step(
    settings: PageSettings, tmp_path: Path
) -> None:
    chosen = image_choices(settings, steps=3)
    task = image_task(tmp_path, chosen)
    assert task.result() is None
    status = run_task(task)
    assert status.state == "done", status.error
    assert task.result() == tmp_path / IMAGE
    assert (status.done, status.total) == (3, 3)
    assert len(list((tmp_path / PREVIEWS).glob("step-*.png"))) == 3
    original = cv2.imread(str(chosen.content))
    stylized = cv2.imread(str(tmp_path / IMAGE))
    assert stylized.shape == (62, 100, 3)
    small = cv2.resize(original, (100, 62), interpolation=cv2.INTER_AREA)
    assert abs(stylized.astype(float) - small).mean() > 1


def test_weights_become_options_of_the_command(settings: PageSettings, tmp_path: Path) -> None:
    weights = {"style_weight": 2.0, "range_penalty_weight": 0.5}
    [command] = image_task(tmp_path, image_choices(settings, weights=weights)).commands()
    options = dict(pairwise(command.arguments))
    assert (options["--style-weight"], options["--range-penalty-weight"]) == ("2.0", "0.5")


@pytest.mark.slow
def test_strength_zero_is_the_photo(settings: PageSettings, tmp_path: Path) -> None:
    chosen = image_choices(settings, steps=1, strength=0.0)
    run_task(image_task(tmp_path, chosen))
    small = cv2.resize(cv2.imread(str(chosen.content)), (100, 62), interpolation=cv2.INTER_AREA)
    assert abs(cv2.imread(str(tmp_path / IMAGE)).astype(float) - small).max() <= 1


def test_weights_of_layers_lie_on_the_line_through_those_chosen(settings: PageSettings) -> None:
    chosen = image_choices(settings, layer_weights=(2.0, 0.0), backbone="squeezenet")
    arguments = next(image_task(Path("x"), chosen).commands()).arguments
    layers = arguments[arguments.index("--style-layers") + 1]
    assert layers == "relu1=2,fire3=1.33333,fire4=0.666667,fire5=0"
    plain = image_choices(settings, layer_weights=(1.0, 1.0))
    assert "--style-layers" not in next(image_task(Path("x"), plain).commands()).arguments


@pytest.mark.slow
def test_single_frames_are_stylized(write_clip: WriteClip, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    (tmp_path / "work").mkdir()
    status = run_task(preview_task(tmp_path / "work", clip_choices(clip, "mosaic")))
    assert status.state == "done", status.error
    frames = sorted((tmp_path / "work").glob("frame-*/*.png"))
    assert [path.parent.name for path in frames] == ["frame-000002", "frame-000006", "frame-000010"]
    assert cv2.imread(str(frames[0])).shape == (128, 160, 3)


@pytest.mark.slow
def test_a_clip_is_stylized_compared_and_evaluated(write_clip: WriteClip, tmp_path: Path) -> None:
    chosen = clip_choices(write_clip(tmp_path / "clip.mp4"))
    work, evaluated = tmp_path / "work", tmp_path / "evaluated"
    work.mkdir()
    evaluated.mkdir()
    status = run_task(clip_task(work, chosen))
    assert status.state == "done", status.error
    with av.open(str(work / STYLIZED)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12
    page = (work / COMPARISON).read_text()
    assert "aspect-ratio: 160 / 128" in page
    assert page.count("data:video/mp4;base64,AAAA") == 2

    status = run_task(evaluation_task(evaluated, chosen, work / STYLIZED))
    assert status.state == "done", status.error
    assert (status.done, status.total) == (12, 12)
    assert status.result
    assert "warping_error_reduction" in status.result["clips"][STYLIZED]["scores"]
    assert "<html" in (evaluated / REPORT).read_text()
    pipeline = json.loads((evaluated / "pipeline.yaml").read_text())
    assert [stage["use"] for stage in pipeline["stages"]] == [
        "decode/pyav",
        "stylize/feedforward",
        "encode/pyav",
    ]


def test_what_is_no_clip_is_one_line(tmp_path: Path) -> None:
    clip = tmp_path / "original"
    clip.write_text("no clip")
    status = run_task(clip_task(tmp_path, clip_choices(clip)))
    assert status.state == "failed"
    assert status.error.startswith(f"{clip}: ")
    assert "\n" not in status.error
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


@pytest.mark.slow
def test_damaged_weights_are_one_line(settings: PageSettings, tmp_path: Path) -> None:
    (tmp_path / "weights" / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors").write_bytes(b"broken")
    status = run_task(image_task(tmp_path, image_choices(settings)))
    assert status.state == "failed"
    assert "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors" in status.error


@pytest.mark.slow
def test_a_command_ends_in_the_middle_when_nobody_reads_its_lines(tmp_path: Path) -> None:
    clip = Path(__file__).parents[2] / "samples" / "demo.mp4"
    command = next(clip_task(tmp_path, clip_choices(clip, "scream")).commands())
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "vidstyle", *command.arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert b"plan" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) != 0
    assert not (tmp_path / STYLIZED).exists()
