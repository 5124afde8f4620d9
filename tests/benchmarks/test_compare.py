"""Comparing clips is not much slower than decoding them, and keeps no frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.slow


def test_it_is_not_much_slower_than_decoding_both(
    benchmark: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """Half the speed on two free cores; here another program may run, and the clip is short."""
    compare = benchmark("compare")
    clip = compare.repeat_sample(tmp_path / "a.mp4", 200)
    best = compare.measure_speed([clip, clip], tmp_path, [], 3)
    ratios = [
        whole / part for part, whole in zip(best["compare"], best["decoding both"], strict=True)
    ]
    assert max(ratios) > 0.2


def test_no_frame_stays_in_memory(benchmark: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """A frame of both clips takes 10 MiB; what packets and a fragmented heap take is far less."""
    compare = benchmark("compare")
    clip = compare.repeat_sample(tmp_path / "a.mp4", 350)
    peaks = []
    for count in (150, 350):
        more = ["--frames", f"0:{count}"]
        peaks.append(compare.peak_memory(clip, tmp_path / f"{count}.mp4", more))
    assert (peaks[1] - peaks[0]) / 200 < 0.5 * 2**20
