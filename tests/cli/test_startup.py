"""How fast the command line answers, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
  - use: blend/warped
  - use: encode/pyav
"""

RUN = """\
import sys
from vidstyle.cli.main import run_command
code = run_command(sys.argv[1:])
assert "torch" not in sys.modules, "torch was imported"
sys.exit(code)
"""


def test_help_answers_in_half_a_second() -> None:
    took = []
    for _ in range(5):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "vidstyle", "--help"], capture_output=True, text=True, check=True
        )
        took.append(time.perf_counter() - started)
    assert "run" in done.stdout
    assert min(took) < 0.5


@pytest.mark.parametrize(
    "command",
    [
        ["run", "p.yaml", "in.mp4", "-o", "out.mp4"],
        ["check", "p.yaml", "in.mp4"],
        ["stages", "list"],
        ["styles", "list"],
        ["schema"],
    ],
)
def test_torch_is_not_imported_without_need(folder, write_clip, command) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "p.yaml").write_text(BLENDED)
    write_clip(folder / "in.mp4", count=4)
    done = subprocess.run([sys.executable, "-c", RUN, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
