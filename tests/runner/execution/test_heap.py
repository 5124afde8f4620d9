"""Memory of frames is had from the kernel once, not for every frame."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

_FRAMES = """
import resource, sys
import numpy as np
from vidstyle.runner.execution.heap import keep_heap

if sys.argv[1] == "keep":
    keep_heap()
def frame():
    return [np.ones((360, 640, 3), np.float32) for _ in range(8)]
frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    made = subprocess.run([sys.executable, "-c", _FRAMES, how], capture_output=True, check=True)
    return int(made.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's heap is set")
def test_pages_are_kept_for_the_next_frame() -> None:
    of_a_frame = 8 * 360 * 640 * 3 * 4 // resource.getpagesize()
    assert _faults("not") > 5 * of_a_frame
    assert _faults("keep") < of_a_frame / 10
