"""How far each flow stage is from measured motion, and what it costs.

    python benchmarks/flow_error.py FOLDER [--weights FILE] [--only NAME ...] [--repeats 5]

FOLDER has scenes of the Middlebury benchmark: folders with frame10.png, frame11.png and
flow10.flo. The value is the mean end-point error in pixels over those whose motion is known.
Stages run as in a pipeline: both directions and visibility. Each run is timed beside one of DIS
fast at full size, and time is given as the ratio of the two; absolute times depend on what else
the machine does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Layer, Window
from vidstyle.core.errors import WeightsError
from vidstyle.core.transfer import host_to_device
from vidstyle.imaging.flow_file import end_point_error, read_flow
from vidstyle.models.flow.raft_setup import find_raft
from vidstyle.stages.flow.dis import Dis, DisOptions
from vidstyle.stages.flow.farneback import Farneback, FarnebackOptions
from vidstyle.stages.flow.raft import Raft, RaftOptions

YARDSTICK = "DIS fast"
SCALES = (1.0, 0.5)
ONE_THREAD = ExecutionContext(threads=1)


@dataclass(frozen=True)
class Scene:
    """Two images whose motion was measured."""

    name: str
    first: HostArray
    second: HostArray
    flow: HostArray
    """From the first image to the second, (H, W, 2) in pixels."""


@dataclass(frozen=True)
class Outcome:
    """Of one method on one scene."""

    error: float
    """Mean end-point error in pixels."""
    ratio: float
    """Time against that of the yardstick beside it."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="a file of RAFT-small; else where they lie")
    parser.add_argument("--only", nargs="+", help="parts of the names of methods to run")
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    scenes = list(read_scenes(given.folder))
    if not scenes:
        parser.error(f"{given.folder} has no folder with frame10.png, frame11.png and flow10.flo")
    print(f"{'':26}" + "".join(f"{scene.name:>14}" for scene in scenes) + f"{'time':>9}")
    for name, stage in methods(given.weights):
        if given.only and not any(part.lower() in name.lower() for part in given.only):
            continue
        repeats = 1 if isinstance(stage, Raft) else given.repeats
        outcomes = [measured(stage, scene, repeats) for scene in scenes]
        errors = "".join(f"{outcome.error:14.3f}" for outcome in outcomes)
        print(f"{name:26}{errors}{median(outcome.ratio for outcome in outcomes):9.2f}", flush=True)


def read_scenes(folder: Path) -> Iterator[Scene]:
    for path in sorted(folder.glob("*/flow10.flo")):
        first, second = (image(path.with_name(f"frame1{number}.png")) for number in (0, 1))
        yield Scene(path.parent.name, first, second, read_flow(path))


def image(path: Path) -> HostArray:
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        raise SystemExit(f"cannot read {path}")
    return np.ascontiguousarray(read[..., ::-1], np.float32) / np.float32(255)


def methods(weights: Path | None) -> Iterator[tuple[str, Any]]:
    """Names and stages, the fast ones first."""
    for scale in SCALES:
        for preset in ("ultrafast", "fast", "medium"):
            yield labeled(f"DIS {preset}", scale), Dis(DisOptions(preset=preset, scale=scale))
        for gaussian in (False, True):
            window = "Farneback, Gaussian" if gaussian else "Farneback"
            options = FarnebackOptions(gaussian=gaussian, scale=scale)
            yield labeled(window, scale), Farneback(options)
    try:
        path = weights or find_raft("small", offline=True)
    except WeightsError as error:
        print(f"RAFT-small is left out: {error}", file=sys.stderr)
        return
    for scale in SCALES:
        raft = RaftOptions(weights=str(path), scale=scale, offline=True)
        yield labeled("RAFT-small", scale), Raft(raft)


def labeled(name: str, scale: float) -> str:
    return name if scale == 1 else f"{name} at {scale:g}"


def measured(stage: Any, scene: Scene, repeats: int) -> Outcome:
    """Of a stage that is not opened; each run is beside one of the yardstick."""
    yardstick = Dis(DisOptions(preset="fast"))
    for one in (stage, yardstick):
        height, width = scene.first.shape[:2]
        one.open(Clip(width, height, time_base=Fraction(1)), ONE_THREAD)
        run(one, scene)
    times = [(seconds(stage, scene), seconds(yardstick, scene)) for _ in range(repeats)]
    error = end_point_error(run(stage, scene), scene.flow)
    stage.close()
    ours, beside = (median(column) for column in zip(*times, strict=True))
    return Outcome(error, ours / beside)


def run(stage: Any, scene: Scene) -> HostArray:
    """The stage's flow from the scene's first image, as the later frame, to its second."""

    def frame(index: int, source: HostArray) -> Frame:
        on_host = stage.needs.home == "host"
        layer: Layer = source if on_host else host_to_device(source, ONE_THREAD.device)
        return Frame(index, index, 1, {"source": layer})

    window = Window(frame(1, scene.first), stage.options, (frame(0, scene.second),))
    layers, _ = stage.step(window, None)
    return np.asarray(layers["flow"], np.float32)


def seconds(stage: Any, scene: Scene) -> float:
    started = time.perf_counter()
    run(stage, scene)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
