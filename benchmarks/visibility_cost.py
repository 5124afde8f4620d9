"""What the visibility mask costs against the optical flow that it is made from.

    python benchmarks/visibility_cost.py [--size 640x360] [--threads 1]
    python benchmarks/visibility_cost.py --published FOLDER [-o disagreement.png]

All are timed in turns in one run on one machine, so that the ratios can be trusted; the mask must
cost less than one direction of DIS fast. Two noisy images shifted against each other stand for
a pair of frames.

With the files of a published consistency checker (forward_1_2.flo, backward_2_1.flo and its masks
reliable_1_2.pgm and reliable_2_1.pgm, as artistic-videos has them) it says how many pixels agree
within 26 of 255, and writes where they do not: in red where ours is more visible, in blue where
it is less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import HostArray
from vidstyle.imaging.derived import Gray8
from vidstyle.imaging.flow_file import read_flow
from vidstyle.imaging.visibility import visibility
from vidstyle.stages.flow.dis import DisOptions, Preset, dense_search, search_flow

PRESETS: tuple[Preset, ...] = ("ultrafast", "fast", "medium")
TOLERANCE = 26
"""Of 255: the gray masks of the checker are cut off to whole numbers and soft at their edges."""
EDGE = 2
"""Pixels from the frame's edge that are counted as on it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="640x360", help="width x height")
    parser.add_argument("--threads", type=int, default=1, help="threads that OpenCV may use")
    parser.add_argument("--published", type=Path, help="folder with a checker's flows and masks")
    parser.add_argument("-o", dest="output", type=Path, help="image of where masks differ")
    given = parser.parse_args()
    cv2.setNumThreads(given.threads)
    if given.published:
        images = [
            agreement(given.published, forward, backward)
            for forward, backward in (
                ("forward_1_2", "backward_2_1"),
                ("backward_2_1", "forward_1_2"),
            )
        ]
        if given.output and not cv2.imwrite(str(given.output), np.hstack(images)):
            parser.error(f"cannot write {given.output}")
    else:
        width, height = map(int, given.size.split("x"))
        report(costs(height, width))


def costs(height: int, width: int) -> dict[str, float]:
    """Seconds of the mask and of one direction of each preset."""
    first, second = pair(height, width)
    searches = {preset: dense_search(DisOptions(preset=preset)) for preset in PRESETS}
    flow = search_flow(searches["fast"], first, second)
    back = search_flow(searches["fast"], second, first)
    actions: dict[str, Callable[[], HostArray]] = {
        f"DIS {preset}": partial(search_flow, search, first, second)
        for preset, search in searches.items()
    }
    return median_seconds({"visibility": partial(visibility, flow, back), **actions})


def pair(height: int, width: int) -> tuple[Gray8, Gray8]:
    """Smooth noise, and the same moved by (3, 1) pixels."""
    noise = np.random.default_rng(0).random((height + 8, width + 8), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3) - 0.5
    whole = np.clip(smooth / np.abs(smooth).max() * 127 + 128, 0, 255).astype(np.uint8)
    return whole[4:-4, 4:-4].copy(), whole[5:-3, 7:-1].copy()


def median_seconds(
    actions: Mapping[str, Callable[[], HostArray]], repeats: int = 25
) -> dict[str, float]:
    """Of each action, all of them in turns: what else the machine does slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats + 1):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - started)
    # The first one warms up.
    return {name: float(np.median(found[1:])) for name, found in times.items()}


def report(rows: Mapping[str, float]) -> None:
    print(f"{'':16}{'ms':>8}{'of DIS fast':>16}{'of DIS medium':>16}")
    for name, seconds in rows.items():
        shares = (seconds / rows[f"DIS {preset}"] for preset in ("fast", "medium"))
        print(f"{name:16}{seconds * 1e3:8.2f}" + "".join(f"{share:16.2f}" for share in shares))


def agreement(folder: Path, forward: str, backward: str) -> npt.NDArray[np.uint8]:
    """Print how far the mask of a flow agrees with the checker's; an image of where it does not.

    The image is (H, W, 3) in OpenCV's order.
    """
    name = f"reliable_{forward[-3:]}.pgm"
    published = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
    if published is None:
        raise SystemExit(f"cannot read {folder / name}")
    ours = visibility(read_flow(folder / f"{forward}.flo"), read_flow(folder / f"{backward}.flo"))
    more = ours * 255 - published
    differ = np.abs(more) > TOLERANCE
    inner = differ[EDGE:-EDGE, EDGE:-EDGE].sum()
    print(
        f"{name}: {100 * (1 - differ.mean()):.2f} % agree; {differ.sum()} pixels differ,"
        f" {differ.sum() - inner} of them on the frame's edge;"
        f" ours is more visible in {(differ & (more > 0)).sum()}"
    )
    image = cv2.cvtColor(np.asarray(published // 2 + 64, np.uint8), cv2.COLOR_GRAY2BGR)
    image[differ & (more > 0)] = (0, 0, 255)
    image[differ & (more < 0)] = (255, 0, 0)
    return np.asarray(image, np.uint8)


if __name__ == "__main__":
    main()
