"""Larger strokes: what they cost, and whether the result keeps the source's edges.

    python benchmarks/strokes.py CLIP_OR_PHOTOS [...] [--styles NAME ...] [--stroke-size auto]
        [--enlarge 1.5] [--reduce] [--sheet OUT.png]
    python benchmarks/strokes.py CLIP --runs temporal per-frame [--stroke-size auto]

Each image is stylized at its own size, and with ``--stroke-size``: by the stylizer as it stands in
a pipeline without a blend, or with ``--reduce`` between ``geometry/reduce`` and
``geometry/restore``, as up to a blend.

low: mean difference, of 255, between the result, reduced, and the stylization of the reduced image.
edges: mean gradient at the source's edges (the strongest 5 % of its gradients), as a ratio to that
of the stylization at full size. offset: how many pixels the stylized edges lie beside the source's,
along the gradient, the median, and the same for the stylization at full size. flat: standard
deviation in windows of 7 pixels where the source is flattest (30 %), as a ratio to the stylization
at full size. time: processor time of the stage, as a ratio to full size.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import vidstyle
from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Window
from vidstyle.imaging.contact_sheet import SheetRow, contact_sheet
from vidstyle.imaging.strokes import StrokeSize, find_scale, reduced
from vidstyle.stages.geometry.reduce import ReduceFrames, ReduceOptions
from vidstyle.stages.geometry.restore import RestoreFrames, RestoreOptions
from vidstyle.stages.stylize.feedforward import FeedForward, FeedForwardOptions

EDGES, FLAT = 0.95, 0.3
WINDOW = 7
# Pixels beside an edge in which the stylized one is sought, and its steps.
SOUGHT, STEP = 4.0, 0.5
PHOTOS = (".png", ".jpg")
EVERY, OF_A_CLIP = 40, 3
# Frames of two runs, whose difference is measured.
COUNTS = (3, 13)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("--styles", nargs="+", default=["great-wave", "starry-night"])
    parser.add_argument("--stroke-size", default="auto")
    parser.add_argument("--enlarge", type=float, default=1.0)
    parser.add_argument("--reduce", action="store_true")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--runs", nargs="+", default=[], metavar="PIPELINE")
    given = parser.parse_args()
    if given.runs:
        for pipeline in given.runs:
            print(whole_runs(pipeline, given.inputs[0], given.stroke_size), flush=True)
        return
    cv2.setNumThreads(1)
    rows: list[SheetRow] = []
    print(f"{'':32}{'low':>7}{'edges':>7}{'offset':>8}{'full':>7}{'flat':>7}{'time':>7}")
    for style in given.styles:
        measured = []
        for name, image in images(given.inputs, given.enlarge):
            facts, row = compare(image, style, given.stroke_size, reduce=given.reduce)
            measured.append(facts)
            rows.append(SheetRow(f"{style}, {name}", row))
            print(line(f"{style}, {name}", facts), flush=True)
        mean = {key: float(np.mean([facts[key] for facts in measured])) for key in measured[0]}
        print(line(f"{style}, mean", mean), flush=True)
    if given.sheet:
        cv2.imwrite(
            str(given.sheet), contact_sheet(rows, ["source", "full size", "larger"])[..., ::-1]
        )


def whole_runs(pipeline: str, clip: Path, stroke_size: str) -> str:
    sizes = ("1", stroke_size)
    with tempfile.TemporaryDirectory() as folder:
        # What a run takes before its first frame is left out.
        few, many = (
            [cpu_seconds(pipeline, clip, size, n, folder) for size in sizes] for n in COUNTS
        )
    frames = COUNTS[1] - COUNTS[0]
    full, large = (1e3 * (last - first) / frames for first, last in zip(few, many, strict=True))
    return f"{pipeline}: {full:.0f} ms, {large:.0f} ms with {stroke_size}: {full / large:.2f} times"


def cpu_seconds(pipeline: str, clip: Path, size: str, frames: int, folder: str) -> float:
    output = Path(folder) / f"{size}-{frames}.mp4"
    command = [sys.executable, "-m", "vidstyle", "run", pipeline, str(clip), "-o", str(output)]
    command += ["--no-resume", "--frames", f"0:{frames}", "--stroke-size", size]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def line(name: str, facts: Mapping[str, float]) -> str:
    numbers = (facts[key] for key in ("low", "edges", "offset", "full", "flat", "time"))
    widths = (7, 7, 8, 7, 7, 7)
    return f"{name:32.32}" + "".join(
        f"{number:{width}.2f}" for number, width in zip(numbers, widths, strict=True)
    )


def images(paths: Sequence[Path], enlarge: float) -> Iterator[tuple[str, HostArray]]:
    for path in paths:
        if path.is_dir():
            yield from images(sorted(path.glob("*.*")), enlarge)
        elif path.suffix in PHOTOS:
            pixels = np.asarray(cv2.imread(str(path)), np.float32)[..., ::-1] / 255
            yield path.stem, enlarged(np.ascontiguousarray(pixels), enlarge)
        else:
            for frame in vidstyle.frames(path):
                if frame.index % EVERY == 0 and frame.index < EVERY * OF_A_CLIP:
                    yield f"{path.stem} {frame.index}", enlarged(frame.host("image"), enlarge)


def enlarged(image: HostArray, factor: float) -> HostArray:
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    result = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC) if factor != 1 else image
    return np.asarray(np.clip(result, 0, 1), np.float32)


def compare(
    image: HostArray, style: str, stroke_size: str, *, reduce: bool = False
) -> tuple[dict[str, float], tuple[np.ndarray, ...]]:
    size: StrokeSize = "auto" if stroke_size == "auto" else float(stroke_size)
    scale = find_scale(size, *image.shape[:2])
    if scale is None or not scale.reduces:
        raise SystemExit(f"images of {image.shape[1]}x{image.shape[0]} are not reduced by {size}")
    full, full_time = stylized(image, style, 1.0)
    large, large_time = (restored if reduce else stylized)(image, style, size)
    small, _ = stylized(reduced(image, *scale.small), style, 1.0)
    found = gradient(image)
    edges, flat = found > np.quantile(found, EDGES), found < np.quantile(found, FLAT)
    facts = {
        "low": 255 * float(np.abs(reduced(large, *scale.small) - small).mean()),
        "edges": float(gradient(large)[edges].mean() / gradient(full)[edges].mean()),
        "offset": offset(image, large),
        "full": offset(image, full),
        "flat": float(deviation(large)[flat].mean() / deviation(full)[flat].mean()),
        "time": large_time / full_time,
    }
    return facts, tuple((255 * each).round().astype(np.uint8) for each in (image, full, large))


def stylized(image: HostArray, style: str, size: StrokeSize) -> tuple[HostArray, float]:
    return through([stylizer(style, size)], image)


def restored(image: HostArray, style: str, size: StrokeSize) -> tuple[HostArray, float]:
    most = 32 if size == "auto" else size
    reduce = ReduceFrames(ReduceOptions(most=most))
    return through([reduce, stylizer(style, size), RestoreFrames(RestoreOptions())], image)


def stylizer(style: str, size: StrokeSize) -> FeedForward:
    return FeedForward(FeedForwardOptions.model_validate({"style": style, "stroke_size": size}))


def through(stages: Sequence[Any], image: HostArray) -> tuple[HostArray, float]:
    """The image behind the stages, and the processor time of them all."""
    frame = Frame(0, 0, 1, {"source": image, "image": image})
    clip = Clip(image.shape[1], image.shape[0], Fraction(1, 25))
    took = 0.0
    for stage in stages:
        stage.open(clip, ExecutionContext(threads=1))
        window = Window(frame, stage.options)
        stage.step(window, None)
        begin = time.process_time()
        layers, _ = stage.step(window, None)
        took += time.process_time() - begin
        clip = stage.describe(clip)
        frame = frame.write(layers, {*frame.layers, *layers})
        stage.close()
    return frame.host("image"), took


def luma(image: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def slopes(image: HostArray) -> tuple[HostArray, HostArray]:
    across, down = (cv2.Sobel(luma(image), cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def gradient(image: HostArray) -> HostArray:
    return np.asarray(np.hypot(*slopes(image)), np.float32)


def deviation(image: HostArray) -> HostArray:
    values, side = luma(image), (WINDOW, WINDOW)
    square = cv2.blur(values * values, side) - cv2.blur(values, side) ** 2
    return np.asarray(np.sqrt(np.maximum(square, 0)), np.float32)


def offset(source: HostArray, result: HostArray) -> float:
    """Median distance from the source's ridges of gradient to the result's steepest place."""
    across, down = slopes(source)
    strength = np.hypot(across, down)
    # On top of the edge, not on its flanks.
    top = (strength > np.quantile(strength, EDGES)) & (
        strength == cv2.dilate(strength, np.ones((3, 3)))
    )
    rows, columns = np.nonzero(top)
    along = np.stack([across[top], down[top]], -1) / strength[top][:, None]
    distances = np.arange(-SOUGHT, SOUGHT + STEP, STEP, dtype=np.float32)
    x = (columns[:, None] + along[:, :1] * distances).astype(np.float32)
    y = (rows[:, None] + along[:, 1:] * distances).astype(np.float32)
    # OpenCV takes maps of less than 32,768 rows.
    sampled = np.concatenate(
        [
            cv2.remap(gradient(result), x[at : at + 8192], y[at : at + 8192], cv2.INTER_LINEAR)
            for at in range(0, len(x), 8192)
        ]
    )
    # Where several are as steep, the nearest.
    steepest = sampled - 1e-6 * np.abs(distances)
    return float(np.median(np.abs(distances[steepest.argmax(1)])))


if __name__ == "__main__":
    main()
