"""``--style image.jpg``: learned with progress, kept, used at once the second time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidstyle
from tests.cli.conftest import WriteClip
from tests.training.learning_world import STEPS, make_world, write_stripes
from vidstyle.cli.bench import FEWEST
from vidstyle.cli.main import run_command
from vidstyle.models.style.styles import find_style
from vidstyle.runner.execution.events import Event, NoteEvent, StyleStep
from vidstyle.training import learn_style, loop
from vidstyle.training.style_cache import find_image_style
from vidstyle.training.watch import TrainingStep, Watcher

RUN = ["run", "per-frame", "in.mp4", "-o", "out.mkv"]
LEARNED = "learning the style of stripes.png, once (4 steps by vgg19)"


@pytest.fixture(autouse=True)
def world(folder: Path, write_clip: WriteClip, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two style images, a loss network, and a clip."""
    make_world(folder, monkeypatch)
    write_clip(folder / "in.mp4", count=FEWEST)
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning in no time: what it writes is a style that ships."""

    def learn(images: Sequence[Path], *, destination: Path, watcher: Watcher, **_: object) -> None:
        for number in range(1, STEPS + 1):
            watcher.step(TrainingStep(number, STEPS, {"style": 0.5}, 1e-3, 0.1))
        destination.write_bytes(find_style("great-wave").read_bytes())

    monkeypatch.setattr("vidstyle.training.image_styles.learn_style", learn)


def run(capfd: pytest.CaptureFixture[str], *options: str, expected: int = 0) -> str:
    """What ``vidstyle run`` says."""
    code = run_command([*RUN, *options])
    captured = capfd.readouterr()
    assert code == expected, captured.err
    return captured.err


def test_the_second_run_learns_nothing(capfd: pytest.CaptureFixture[str], world: Path) -> None:
    first = run(capfd, "--style", "stripes.png")
    kept = find_image_style([world / "stripes.png"]).path
    assert first.count(LEARNED) == 1
    assert f"step {STEPS} of {STEPS}" in first
    assert f"kept as {kept}" in first
    assert "wrote out.mkv" in first
    again = run(capfd, "--style", "stripes.png", "--overwrite")
    assert "learn" not in again
    assert "8 frames" in again
    named = run(capfd, "--style", str(kept), "--overwrite", "--json", "-o", "named.mkv")
    assert named == ""


@pytest.mark.slow
def test_the_clip_is_stylized_by_what_was_learned(
    capfd: pytest.CaptureFixture[str], world: Path
) -> None:
    run(capfd, "--style", "stripes.png")
    kept = find_image_style([world / "stripes.png"]).path
    run(capfd, "--style", str(kept), "-o", "named.mkv")
    images = [
        next(iter(vidstyle.frames(path))).host("image")
        for path in ("out.mkv", "named.mkv", "in.mp4")
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert np.abs(images[0] - images[2]).mean() > 0.02


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_learned(
    capfd: pytest.CaptureFixture[str], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step, taken = loop.take_step, []

    def interrupted(*given: object) -> object:
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(1)
        return take_step(*given)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(loop, "take_step", interrupted)
    shown = run(capfd, "--style", "stripes.png", expected=130)
    assert "interrupted; 2 of 4 steps are kept: the same command resumes there" in shown
    assert not (world / "out.mkv").exists()
    monkeypatch.setattr(loop, "take_step", take_step)
    shown = run(capfd, "--style", "stripes.png")
    assert "learning the style of stripes.png, once (steps 3 to 4 by vgg19)" in shown


@pytest.mark.usefixtures("quick")
def test_several_images_are_one_style(capfd: pytest.CaptureFixture[str], world: Path) -> None:
    shown = run(capfd, "--style", "stripes.png", "--style", "bands.png")
    assert shown.count("learning the style of") == 1
    images = [world / "stripes.png", world / "bands.png"]
    assert find_image_style(images).is_learned()
    assert "learn" not in run(
        capfd, "--style", "bands.png", "--style", "stripes.png", "--overwrite"
    )


def test_several_styles_that_are_no_images_are_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    shown = run(capfd, "--style", "stripes.png", "--style", "mosaic", expected=2)
    assert shown.count("\n") == 1
    assert "mosaic is not one: mix styles by weights, as in great-wave:0.7,image.jpg:0.3" in shown


@pytest.mark.usefixtures("quick")
def test_an_image_is_mixed_with_a_style_that_ships(capfd: pytest.CaptureFixture[str]) -> None:
    shown = run(capfd, "--style", "mosaic:0.5,stripes.png:0.5")
    assert LEARNED in shown
    assert "wrote out.mkv" in shown


@pytest.mark.parametrize(
    ("command", "code", "wanted"),
    [
        (["run", "per-frame", "none.mp4", "-o", "o.mkv"], 3, "none.mp4"),
        (["run", "per-frame", "in.mp4", "-o", "there.mkv"], 6, "there.mkv"),
        (["run", "per-frame", "in.mp4", "-o", "o.mkv", "--max-memory", "1M"], 8, "--max-memory"),
        (["batch", "per-frame", "missing", "-o", "o"], 3, "missing"),
        (["bench", "per-frame", "none.mp4"], 3, "none.mp4"),
    ],
)
def test_what_stops_a_run_stops_it_before_anything_is_learned(
    capfd: pytest.CaptureFixture[str], world: Path, command: list[str], code: int, wanted: str
) -> None:
    (world / "there.mkv").touch()
    assert run_command([*command, "--style", "stripes.png"]) == code
    shown = capfd.readouterr().err
    assert shown.count("\n") == 1
    assert wanted in shown
    assert not (world / "cache").exists()


@pytest.mark.parametrize("name", ["text.jpg", "damaged.png", "huge.png", "none.jpg"])
@pytest.mark.parametrize("command", [RUN, [*RUN, "--dry-run"], ["check", "per-frame"]])
def test_a_bad_image_is_one_line(
    capfd: pytest.CaptureFixture[str], world: Path, command: list[str], name: str
) -> None:
    (world / "text.jpg").write_text("no image")
    whole = (world / "stripes.png").read_bytes()
    (world / "damaged.png").write_bytes(whole[:60] + bytes(20))
    (world / "huge.png").write_bytes(whole[:16] + b"\x00\x01\x00\x00" * 2 + whole[24:])
    assert run_command([*command, "--style", name]) == 3
    lines = capfd.readouterr().err.splitlines()
    # The command itself silences OpenCV before it is loaded.
    [shown] = [line for line in lines if not line.startswith("[ WARN")]
    assert name in shown


@pytest.mark.parametrize("command", [RUN, [*RUN, "--dry-run"], ["check", "per-frame"]])
def test_without_weights_there_is_one_line(
    capfd: pytest.CaptureFixture[str],
    world: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    (world / "empty").mkdir()
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(world / "empty"))
    assert run_command([*command, "--style", "stripes.png"]) == 4
    shown = capfd.readouterr().err
    assert shown.count("\n") == 1
    assert "https://" in shown
    assert "MiB" in shown


@pytest.mark.parametrize(
    "command", [[*RUN, "--dry-run"], ["check", "per-frame"], ["check", "per-frame", "in.mp4"]]
)
def test_plans_learn_nothing(
    capfd: pytest.CaptureFixture[str], world: Path, command: list[str]
) -> None:
    assert run_command([*command, "--style", "stripes.png"]) == 0
    shown = capfd.readouterr().err
    assert "a run first learns the style of stripes.png (4 steps by vgg19)" in shown
    assert not (world / "cache").exists()


@pytest.mark.usefixtures("quick")
def test_json_has_a_line_for_each_step(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command([*RUN, "--style", "stripes.png", "--json"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    steps = [row for row in rows if row["event"] == "style-step"]
    assert [row["step"] for row in steps] == [1, 2, 3, 4]
    assert all(row["steps"] == STEPS and row["style_images"] == ["stripes.png"] for row in steps)
    assert "style" in steps[0]["losses"]
    assert rows[-1]["event"] == "done"


@pytest.mark.usefixtures("quick")
def test_a_pipeline_file_may_name_an_image(capfd: pytest.CaptureFixture[str], world: Path) -> None:
    stages = "decode/pyav", "stylize/feedforward\n    style: stripes.png", "encode/pyav"
    lines = "".join(f"  - use: {stage}\n" for stage in stages)
    (world / "p.yaml").write_text(f"version: 1\nstages:\n{lines}")
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "o.mkv"]) == 0
    assert LEARNED in capfd.readouterr().err


@pytest.mark.usefixtures("quick")
def test_a_batch_learns_once(
    capfd: pytest.CaptureFixture[str], world: Path, write_clip: WriteClip
) -> None:
    for name in ("a", "b"):
        write_clip(world / "clips" / f"{name}.mp4", count=2)
    assert run_command(["batch", "per-frame", "clips", "-o", "o", "--style", "stripes.png"]) == 0
    shown = capfd.readouterr().err
    assert shown.count("learning the style of") == 1
    assert len(list((world / "o").glob("*.mp4"))) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_benchmark_takes_the_learned_style(
    capfd: pytest.CaptureFixture[str], world: Path
) -> None:
    options = ["--frames", str(FEWEST), "--rounds", "1", "--style", "stripes.png"]
    assert run_command(["bench", "per-frame", "in.mp4", *options]) == 0
    captured = capfd.readouterr()
    assert LEARNED in captured.err
    assert "stylizer only" in captured.out


@pytest.mark.usefixtures("quick")
def test_python_learns_once_and_reports_steps(world: Path) -> None:
    events: list[Event] = []
    result = vidstyle.run(
        "per-frame", "in.mp4", "o.mkv", style=world / "stripes.png", listen=events.append
    )
    assert result.frames == FEWEST
    assert [event.step for event in events if isinstance(event, StyleStep)] == [1, 2, 3, 4]
    assert any(isinstance(e, NoteEvent) and "kept as" in e.note.text for e in events)
    again: list[Event] = []
    vidstyle.run("per-frame", "in.mp4", "again.mkv", style="stripes.png", listen=again.append)
    assert not [event for event in again if isinstance(event, StyleStep)]
    vidstyle.run("per-frame", "in.mp4", "two.mkv", style=["stripes.png", "bands.png"])
    assert find_image_style([world / "stripes.png", world / "bands.png"]).is_learned()


@pytest.mark.usefixtures("quick")
def test_a_style_that_is_there_needs_no_torch(
    capfd: pytest.CaptureFixture[str], world: Path
) -> None:
    run(capfd, "--style", "stripes.png")
    code = (
        "import sys\nfrom vidstyle.training import learn_style\n"
        "from vidstyle.training.settings import TrainingSettings\n"
        "learn_style.ON_THE_SPOT = TrainingSettings.model_validate_json(sys.argv[1])\n"
        "from vidstyle.cli.main import run_command\n"
        f"assert run_command({[*RUN, '--style', 'stripes.png', '--overwrite', '--device', 'cpu']})"
        " == 0\nassert 'torch' not in sys.modules"
    )
    settings = learn_style.ON_THE_SPOT.model_dump_json()
    done = subprocess.run([sys.executable, "-c", code, settings], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_photo_is_still_stylized_by_optimization(
    capfd: pytest.CaptureFixture[str], world: Path
) -> None:
    write_stripes(world / "photo.png", period=30)
    layers = ["--style-layers", "relu1_1", "--content-layers", "relu1_2"]
    options = ["-o", "o.png", "--steps", "1", "--size", "100", "--backbone", "vgg19", *layers]
    assert run_command(["image", "photo.png", "stripes.png", *options]) == 0
    assert cv2.imread("o.png") is not None
    assert not (world / "cache" / "styles").exists()
