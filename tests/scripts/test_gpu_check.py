"""The GPU check where there is no GPU: its exit status, and the packages that it would install."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "gpu_check.sh"


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_the_check_exits_with_3() -> None:
    ended = subprocess.run(
        [SCRIPT], env={**os.environ, "PYTHON": sys.executable}, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "no CUDA device\n")


def test_packages_of_the_check_are_locked() -> None:
    listed = re.search(r"PACKAGES=\((.*?)\)", SCRIPT.read_text(), re.S)
    assert listed
    names = {pair.partition(":")[2] for pair in listed[1].split()}
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.M)
    assert len(names) > 20
    assert names <= set(locked)
