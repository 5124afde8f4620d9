"""Ctrl-C and termination: a word, the code, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: medium
  - use: blend/warped
  - use: encode/pyav
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_the_run_and_leaves_nothing(folder, write_clip, sent, code, word) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "p.yaml").write_text(BLENDED)
    write_clip(folder / "in.mp4", count=2000)
    (folder / "out.mp4").write_text("old")
    before = sorted(folder.iterdir())
    command = [sys.executable, "-m", "vidstyle", "run", "p.yaml", "in.mp4", "-o", "out.mp4"]
    child = subprocess.Popen(
        [*command, "--overwrite", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who starts the tests in the background may have told them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert child.stdout is not None
    for line in child.stdout:
        if '"frame"' in line:
            break
    os.kill(child.pid, sent)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == code, errors
    assert errors.startswith(f"vidstyle: {word}")
    assert sorted(folder.iterdir()) == before
    assert (folder / "out.mp4").read_text() == "old"
