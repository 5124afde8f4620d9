"""What 8 bits save and what they change: every style beside bfloat16 and float32, in one run.

    python benchmarks/eight_bits.py FILE_OR_FOLDER ... [--styles great-wave udnie ...] [--side 640]
        [--repeats 9] [--json]

Of a clip the first frame counts; of a folder, every photo and clip in it; of a folder of frames
that are numbered, give the first. Longer sides than --side are made so long.

time: processor time on one thread in 8 bits by that in bfloat16, in turns, the median of the
repeats on the first image. bits: how many convolutions are in 8 bits. mean and worst: the mean
difference from float32, of 255, over all images and on the image where it is largest, in bfloat16
and in 8 bits. The exit code is 1 where a time is above 0.75, or an image above 2.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.core.errors import InputError, VidstyleError
from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni
from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer
from vidstyle.models.style.style_file import SUFFIX
from vidstyle.models.style.style_weights import load_style_weights
from vidstyle.models.style.styles import find_style, shipped_styles

LARGEST_TIME, LARGEST_DIFFERENCE = 0.75, 2.0
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "int8")


@dataclass(frozen=True)
class Row:
    """A style, with times and differences."""

    style: str
    convolutions: int
    """In 8 bits."""
    milliseconds: Mapping[Precision, float]
    """Of the processor, by precision."""
    differences: Mapping[Precision, Mapping[str, float]]
    """Of 255, by precision and image."""

    @property
    def time(self) -> float:
        return self.milliseconds["int8"] / self.milliseconds["bfloat16"]

    def mean(self, precision: Precision) -> float:
        return float(np.mean(list(self.differences[precision].values())))

    def worst(self, precision: Precision) -> tuple[float, str]:
        return max((value, name) for name, value in self.differences[precision].items())

    @property
    def holds(self) -> bool:
        return self.time <= LARGEST_TIME and self.worst("int8")[0] <= LARGEST_DIFFERENCE


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", type=Path, nargs="+", help="photos, clips, and folders of both")
    parser.add_argument("--styles", nargs="+", help="names or files; all that ship without any")
    parser.add_argument("--side", type=int, default=640, help="longer side of the images")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args(arguments)
    if not (has_vnni() and has_native_bfloat16()):
        parser.error("this processor has no VNNI with bfloat16, so that nothing is in 8 bits")
    styles = given.styles or sorted(path.stem for path in shipped_styles().glob(f"*{SUFFIX}"))
    try:
        images = dict(first_images(given.paths, given.side))
        if not images:
            raise InputError("none of the files can be read as an image or a clip")
        rows = [measured(find_style(style), images, given.repeats) for style in styles]
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    if given.json:
        print(json.dumps([{**asdict(row), "time": row.time, "holds": row.holds} for row in rows]))
    else:
        print_table(rows, len(images))
    sys.exit(0 if all(row.holds for row in rows) else 1)


def first_images(paths: Sequence[Path], side: int) -> Iterator[tuple[str, HostArray]]:
    """The first frame of each file that has one, by the file's name: (H, W, 3) in [0, 1]."""
    files = [one for p in paths for one in (sorted(p.iterdir()) if p.is_dir() else [p])]
    for file in files:
        try:
            with av.open(str(file)) as container:
                frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
        except (av.FFmpegError, IndexError, StopIteration, OSError) as error:
            print(f"{file} is left out: {error}", file=sys.stderr)
            continue
        scale = min(1.0, side / max(frame.shape[:2]))
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield file.name, np.asarray(small, np.float32) / np.float32(255)


def measured(style: Path, images: Mapping[str, HostArray], repeats: int) -> Row:
    stylizers = {
        precision: OpenVinoStylizer({"": style}, precision=precision, threads=1)
        for precision in PRECISIONS
    }
    milliseconds = times(stylizers, next(iter(images.values())), repeats)
    differences: dict[Precision, dict[str, float]] = {"bfloat16": {}, "int8": {}}
    # Images of one size together: for each size a network is compiled.
    for name, image in sorted(images.items(), key=lambda item: item[1].shape):
        stylized = {p: one.stylize(image, {"": 1.0}) for p, one in stylizers.items()}
        for precision, found in differences.items():
            found[name] = 255 * float(np.abs(stylized[precision] - stylized["float32"]).mean())
    convolutions = len(load_style_weights(style).ranges)
    return Row(style.stem, convolutions, milliseconds, differences)


def times(
    stylizers: Mapping[Precision, OpenVinoStylizer], image: HostArray, repeats: int
) -> Mapping[Precision, float]:
    """Median processor time in turns, after one turn that does not count."""
    spent: dict[Precision, list[float]] = {precision: [] for precision in stylizers}
    for _ in range(repeats + 1):
        for precision, stylizer in stylizers.items():
            started = time.process_time()
            stylizer.stylize(image, {"": 1.0})
            spent[precision].append(1e3 * (time.process_time() - started))
    return {precision: float(np.median(each[1:])) for precision, each in spent.items()}


def print_table(rows: Sequence[Row], count: int) -> None:
    print(f"{count} images; mean, and worst, in bfloat16 and in 8 bits")
    print(f"{'style':20}{'time':>6}{'bits':>6}{'mean':>12}{'worst':>14}")
    for row in rows:
        means = " ".join(f"{row.mean(precision):.2f}" for precision in row.differences)
        worst, name = row.worst("int8")
        worsts = f"{row.worst('bfloat16')[0]:.2f} {worst:.2f}"
        last = name if row.holds else f"{name}  TOO MUCH"
        print(f"{row.style:20}{row.time:6.2f}{row.convolutions:6}{means:>12}{worsts:>14}  {last}")


if __name__ == "__main__":
    main()
