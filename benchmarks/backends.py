"""How fast each backend is: every backend and precision against torch in float32, layer by layer.

    python benchmarks/backends.py [CLIP …] [--styles great-wave,…] [--size 640x360] [--threads N]
                                  [--frames 8] [--repeats 5] [--compile]

All are timed in turns in one process, so that the ratios can be trusted; a time is the least of
the repeats, by the clock and of the processor. Beside it stand the mean and the largest
difference from torch in float32, of 255.
Without a clip an image is made. ``--compile`` adds torch.compile, which takes a minute a style.
``--device`` is for torch alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni
from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer
from vidstyle.models.style.style_file import read_style_info
from vidstyle.models.style.styles import find_style
from vidstyle.models.style.torch_stylizer import TorchStylizer
from vidstyle.runner.plan.device import available_cores
from vidstyle.testing.textures import make_waves

Stylize = Callable[[HostArray], HostArray]
REFERENCE = "torch float32"


@dataclass(frozen=True)
class Row:
    """One backend on some images."""

    name: str
    seconds: float
    """Of an image, by the clock."""
    processor_seconds: float
    """Of all threads."""
    mean: float
    largest: float
    """Differences from the reference, images being in [0, 1]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--styles", default="great-wave", help="names or files, comma-separated")
    parser.add_argument("--size", default="640x360", help="width x height")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--frames", type=int, default=8, help="of each clip")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    width, height = map(int, given.size.split("x"))
    images = [
        image for clip in given.clips for image in shown(clip, width, height, given.frames)
    ] or [made(width, height)]
    for style in given.styles.split(","):
        stylizers = backends(
            find_style(style), threads=given.threads, device=given.device, compiled=given.compile
        )
        report(style, measured(stylizers, images, given.repeats))


def made(width: int, height: int) -> HostArray:
    """Waves with the noise of a camera: without it some styles invent detail."""
    down, right = np.mgrid[:height, :width].astype(np.float64)
    noise = np.random.default_rng(0).normal(0, 0.02, (height, width, 3))
    return np.clip(make_waves(0)(right, down)[0] + noise, 0, 1).astype(np.float32)


def shown(clip: Path, width: int, height: int, count: int) -> Iterator[HostArray]:
    """The first frames of a clip, resized."""
    with av.open(clip) as container:
        for frame in islice(container.decode(video=0), count):
            resized = cv2.resize(
                frame.to_ndarray(format="rgb24"), (width, height), interpolation=cv2.INTER_AREA
            )
            yield np.asarray(resized, np.float32) / np.float32(255)


def backends(style: Path, *, threads: int, device: str, compiled: bool) -> Mapping[str, Stylize]:
    """The function of each of them, the reference first."""
    lower: Precision = "bfloat16" if device == "cpu" else "float16"
    precisions: Sequence[Precision] = ("float32", lower)
    found = {
        f"{name} {precision}": by_torch(style, precision, device, compiled=name == "compile")
        for name in (("torch", "compile") if compiled else ("torch",))
        for precision in precisions
    }
    found["openvino float32"] = by_openvino(style, "float32", threads)
    if has_native_bfloat16():
        found["openvino bfloat16"] = by_openvino(style, "bfloat16", threads)
    if has_native_bfloat16() and has_vnni() and read_style_info(style).int8_error is not None:
        found["openvino int8"] = by_openvino(style, "int8", threads)
    return found


def by_torch(style: Path, precision: Precision, device: str, *, compiled: bool) -> Stylize:
    """On arrays: copies to a GPU and back count."""
    stylizer = TorchStylizer({"": style}, precision=precision, device=device, compiled=compiled)

    def stylize(image: HostArray) -> HostArray:
        tensor = torch.from_numpy(image).permute(2, 0, 1).to(device)
        return stylizer.stylize(tensor[None], {"": 1.0})[0].permute(1, 2, 0).cpu().numpy()

    return stylize


def by_openvino(style: Path, precision: Precision, threads: int) -> Stylize:
    stylizer = OpenVinoStylizer({"": style}, precision=precision, threads=threads)
    return lambda image: stylizer.stylize(image, {"": 1.0})


def measured(
    stylizers: Mapping[str, Stylize], images: Sequence[HostArray], repeats: int
) -> Sequence[Row]:
    """Each of the backends on all images, in turns."""
    times: dict[str, list[list[tuple[float, float]]]] = {
        name: [[] for _ in images] for name in stylizers
    }
    apart: dict[str, list[HostArray]] = {name: [] for name in stylizers}
    for position, image in enumerate(images):
        stylized = {name: stylize(image) for name, stylize in stylizers.items()}
        for name, result in stylized.items():
            apart[name].append(np.abs(result - stylized[REFERENCE]))
        for _ in range(repeats):
            for name, stylize in stylizers.items():
                started, processor_started = time.perf_counter(), time.process_time()
                stylize(image)
                spent = time.perf_counter() - started, time.process_time() - processor_started
                times[name][position].append(spent)
    least = {
        name: np.mean([np.min(found, axis=0) for found in times[name]], axis=0)
        for name in stylizers
    }
    return [
        Row(
            name,
            float(least[name][0]),
            float(least[name][1]),
            float(np.mean([difference.mean() for difference in apart[name]])),
            max(float(difference.max()) for difference in apart[name]),
        )
        for name in stylizers
    ]


def report(style: str, rows: Sequence[Row]) -> None:
    reference = next(row for row in rows if row.name == REFERENCE)
    print(
        f"{style:20}{'ms':>9}{'processor':>11}{'times as fast':>16}{'mean of 255':>14}"
        f"{'largest':>10}"
    )
    for row in rows:
        print(
            f"{row.name:20}{row.seconds * 1e3:9.1f}{row.processor_seconds * 1e3:11.1f}"
            f"{reference.seconds / row.seconds:16.2f}"
            f"{row.mean * 255:14.4f}{row.largest * 255:10.2f}"
        )


if __name__ == "__main__":
    main()
