"""Runs that are killed go on to the same frames; a few of the kills that the benchmark makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_at_every_transaction_and_at_random_times_lose_nothing() -> None:
    command = [sys.executable, "benchmarks/kills.py", "--kills", "4", "--frames", "45"]
    pipeline = ["--pipelines", "pipelines/temporal.yaml"]
    done = subprocess.run(
        [*command, *pipeline], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 faults" in done.stdout
