"""Bad input of every kind ends as documented; some of the cases that the benchmark runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = 300


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_bad_input_ends_as_documented() -> None:
    command = [sys.executable, "benchmarks/fuzz.py", "--cases", str(CASES), "--seed", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^{CASES} cases in .*; 0 faults$", done.stdout, re.MULTILINE)
