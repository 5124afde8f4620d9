"""What the visibility mask costs against the optical flow that it is made from.

    python benchmarks/visibility_cost.py [--size 640x360] [--threads 1]

All are timed in one run on one machine, so that the ratios can be trusted; the mask must cost
less than DIS medium. Two noisy pictures shifted against each other stand for a pair of frames.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.grey import Grey8
from vidstyle.imaging.visibility import visibility
from vidstyle.stages.flow.dis import DisOptions, Preset, dense_search, search_flow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="640x360", help="width x height")
    parser.add_argument("--threads", type=int, default=1, help="threads that OpenCV may use")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    cv2.setNumThreads(given.threads)
    first, second = pair(height, width)
    searches = {preset: dense_search(DisOptions(preset=preset)) for preset in PRESETS}
    flow = search_flow(searches["fast"], first, second)
    back = search_flow(searches["fast"], second, first)
    rows = {"visibility": median_seconds(partial(visibility, flow, back))}
    for preset, search in searches.items():
        rows[f"DIS {preset}"] = median_seconds(partial(search_flow, search, first, second))
    report(rows)


PRESETS: tuple[Preset, ...] = ("ultrafast", "fast", "medium")


def pair(height: int, width: int) -> tuple[Grey8, Grey8]:
    """Smooth noise, and the same moved by (3, 1) pixels."""
    noise = np.random.default_rng(0).random((height + 8, width + 8), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3) - 0.5
    whole = np.clip(smooth / np.abs(smooth).max() * 127 + 128, 0, 255).astype(np.uint8)
    return whole[4:-4, 4:-4].copy(), whole[5:-3, 7:-1].copy()


def median_seconds(action: Callable[[], HostArray], repeats: int = 25) -> float:
    action()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def report(rows: dict[str, float]) -> None:
    print(f"{'':16}{'ms':>8}{'of DIS medium':>16}")
    for name, seconds in rows.items():
        print(f"{name:16}{seconds * 1e3:8.2f}{seconds / rows['DIS medium']:16.2f}")


if __name__ == "__main__":
    main()
