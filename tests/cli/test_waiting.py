"""A line about work that has no steps to count: after a second, and then every few."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli import waiting
from vidstyle.cli.terminal import set_quiet
from vidstyle.cli.waiting import show_waiting

# In place of seconds.
SOON, EVERY = 0.05, 0.05


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", SOON)
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", EVERY)


def test_work_that_is_fast_has_no_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", 60)
    started = time.perf_counter()
    with show_waiting("loading"):
        pass
    assert time.perf_counter() - started < 10
    assert capfd.readouterr().err == ""


def test_work_that_is_slow_has_a_line_and_more_while_it_lasts(
    capfd: pytest.CaptureFixture[str],
) -> None:
    lines: list[str] = []
    with show_waiting("loading \x1b[2J") as line:
        while len(lines) < 2:
            lines += capfd.readouterr().err.splitlines()
        line.update("working")
        while lines[-1] != "working":
            lines += capfd.readouterr().err.splitlines()
    assert lines[0] == r"loading \x1b[2J"
    assert re.fullmatch(r"loading \\x1b\[2J \(\d+ s\)", lines[1])
    time.sleep(3 * EVERY)
    assert capfd.readouterr().err == ""


def test_nothing_is_shown_with_json_or_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with show_waiting("loading", as_json=True) as line:
        line.update("more")
        time.sleep(3 * SOON)
    set_quiet(True)
    try:
        with show_waiting("loading"):
            time.sleep(3 * SOON)
    finally:
        set_quiet(False)
    assert capfd.readouterr().err == ""


def test_a_terminal_has_a_line_that_goes_away() -> None:
    code = (
        "import time\nfrom vidstyle.cli.waiting import show_waiting\n"
        "with show_waiting('loading [red]a[/red]') as line:\n"
        "    time.sleep(0.5)\n    line.update('working'); time.sleep(0.5)\n"
    )
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    subprocess.run([sys.executable, "-c", code], stderr=slave, env=environment, check=True)
    os.close(slave)
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:
            break
        if shown.endswith(b"\x1b[2K") or b"\x1b[?25h" in shown:
            break
    os.close(master)
    assert b"loading [red]a[/red]" in shown
    assert b"working" in shown
    assert b"\x1b[2K" in shown


# Of the first line: a command, and what it begins with, each loads what takes seconds.
COMMANDS = {
    "styles preview": (["styles", "preview", "photo.png", "--styles", "mosaic"], "loading the"),
    "check": (["check", "temporal", "in.mp4"], "measuring the first frames of in.mp4"),
    "evaluate": (["evaluate", "in.mp4", "in.mp4", "--evaluator", "farneback"], "loading the eval"),
    "run": (["run", "temporal", "in.mp4", "-o", "out.mp4"], "loading the stages of"),
    "batch": (["batch", "temporal", "clips", "-o", "out"], "looking at the clips"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_does_first(
    folder: Path, write_clip: WriteClip, command: str
) -> None:
    import cv2

    write_clip(folder / "in.mp4", count=8)
    write_clip(folder / "clips" / "in.mp4", count=8)
    cv2.imwrite(str(folder / "photo.png"), np.full((96, 128, 3), 99, np.uint8))
    code = (
        "import sys\nfrom vidstyle.cli import main, waiting\n"
        "waiting._PATIENCE_SECONDS = waiting._EVERY_SECONDS = 0.001\n"
        "sys.exit(main.run_command(sys.argv[1:]))"
    )
    words, first = COMMANDS[command]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert lines[0].startswith(first)
    assert ("temporal, style great-wave" in done.stderr) == (command in ("run", "batch"))
    asked = [*words, "--overwrite"] if command in ("run", "batch") else words
    if command != "styles preview":
        done = subprocess.run(
            [sys.executable, "-c", code, *asked, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert first not in done.stderr
        assert [json.loads(line) for line in done.stdout.splitlines()]
