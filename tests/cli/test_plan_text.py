"""The plan as a user reads it in a window of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command
from vidstyle.kernels.library import has_kernels, without_kernels
from vidstyle.models.style.backends import resolve_precision


@pytest.fixture
def lines(
    folder: Path,
    write_clip: WriteClip,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> list[str]:
    """What ``check`` prints for a pipeline, by default one that blends."""
    monkeypatch.setenv("COLUMNS", "80")
    write_clip(folder / "in.mp4", count=4)
    assert run_command(["check", getattr(request, "param", "temporal"), "in.mp4"]) == 0
    return capfd.readouterr().out.splitlines()


def test_time_and_memory_come_first(lines: list[str]) -> None:
    assert lines[0].startswith("About ")
    assert lines[0].endswith(" (estimated from 4 frames).")
    assert lines[1].startswith("Needs at most ")
    assert lines[2] == "Clip: 160x128, 25 fps, 4 frames, bt601 (guessed) limited, 8 bit"


def test_no_cell_is_torn_and_its_signs_are_explained(lines: list[str]) -> None:
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert {"source(-1)", "source(-1,+1),", "flow_from_previous(+1)"} <= set(words)
    legend = "In reads: (-N) also the N frames before, (+N) also the N frames after."
    assert legend in lines


@pytest.mark.parametrize("lines", ["per-frame"], indirect=True)
def test_without_reach_there_is_nothing_to_explain(lines: list[str]) -> None:
    assert not any(line.startswith("In reads") for line in lines)


def test_a_device_that_all_stages_share_is_one_line(lines: list[str]) -> None:
    assert sum(line.startswith("Every stage runs on cpu with ") for line in lines) == 1


def test_a_plan_without_compiled_kernels_says_so(
    folder: Path, write_clip: WriteClip, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=4)
    line = "Nothing was compiled, so that frames take longer: see Install in the README."
    assert run_command(["check", "identity", "in.mp4"]) == 0
    assert (line in capfd.readouterr().out.splitlines()) != has_kernels()
    with without_kernels():
        assert run_command(["check", "identity", "in.mp4"]) == 0
    assert line in capfd.readouterr().out.splitlines()


def test_the_precision_of_a_network_is_printed(lines: list[str]) -> None:
    precision = resolve_precision("auto", "openvino", "cpu", int8_error=0.0)
    words = {"int8": "8 bits and bfloat16"}.get(precision, precision)
    assert f"stylize/feedforward: network by openvino, {words}" in lines


def test_what_short_options_change_is_printed(
    folder: Path, write_clip: WriteClip, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=8)
    write_clip(folder / "mask.mp4", count=8)
    command = ["run", "temporal", "in.mp4", "-o", "out.mp4", "--dry-run"]
    changes = {
        "--style": ("great-wave:0.7,starry-night:0.3", "great-wave 0.7, starry-night 0.3"),
        "--strength": ("0.5", "0.5"),
        "--consistency": ("0.4", "0.4"),
        "--stroke-size": ("2", "2"),
        "--size": ("50%", "50%"),
        "--codec": ("libx265", "libx265"),
        "--crf": ("30", "30"),
        "--preset": ("slow", "slow"),
        "--frames": ("80ms:160ms", "2 to 3"),
    }
    for option, (value, _) in changes.items():
        command += [option, value]
    assert run_command([*command, "--keep-colors", "--mask", "mask.mp4", "--invert-mask"]) == 0
    lines = capfd.readouterr().out.splitlines()
    for option, (_, shown) in changes.items():
        [line] = [line for line in lines if f"({option}): " in line]
        assert line.endswith(f"({option}): {shown}")
    assert "Mask turned around (--invert-mask): yes" in lines
    assert any(line.startswith(f"Side input mask.mask: {folder / 'mask.mp4'}") for line in lines)
    stages = [line.split()[0] for line in lines if line.partition("/")[1]]
    assert {"geometry/scale", "filter/keep-colors", "filter/mask"} <= set(stages)


def test_options_that_change_over_time_are_printed_with_their_times(
    folder: Path, write_clip: WriteClip, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=4)
    (folder / "fade.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: stylize/feedforward\n"
        "    style: {at: {0s: great-wave, 4s: starry-night}}\n"
        "    strength: {at: {0s: 0, 2s: 1}}\n  - use: encode/images\n"
    )
    assert run_command(["run", "fade.yaml", "in.mp4", "-o", "out", "--dry-run"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "Style (--style): great-wave at 0 s, starry-night at 4 s" in lines
    assert "Stylization strength (--strength): 0 at 0 s, 1 at 2 s" in lines
    assert not any("--codec" in line for line in lines)
