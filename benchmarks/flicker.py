"""How much of the flicker of a frame-by-frame painting a blended one is rid of.

    python benchmarks/flicker.py SOURCE PER_FRAME STYLED [STYLED ...] [--frames N]

PER_FRAME and STYLED are SOURCE painted by pipelines/per-frame.yaml and pipelines/temporal.yaml;
write them as ffv1 (``--set encode.codec=ffv1 --set encode.crf=null``), since a lossy encoder
hides and adds flicker.
The motion that judges is Farneback's, of SOURCE; no pair of frames across a cut counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from vidstyle.core import HostArray, Place
from vidstyle.evaluation.judging_flow import farneback
from vidstyle.evaluation.sharpness import sharpness
from vidstyle.evaluation.similarity import similarity
from vidstyle.evaluation.warping_error import flicker_removed, warping_errors
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.shots.histogram import HistogramOptions, picture_change


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("per_frame", type=Path)
    parser.add_argument("styled", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=None, help="judge the first N frames")
    given = parser.parse_args()
    paths = {"source": given.source, "per frame": given.per_frame}
    paths |= {path.name: path for path in given.styled}
    report(paths, given.frames)


def report(paths: dict[str, Path], count: int | None) -> None:
    """The first two of ``paths`` are the source and the per-frame clip."""
    source, alone, *_ = paths.values()
    clips = {name: pictures(path, count) for name, path in paths.items()}
    found = cuts(pictures(source, count))
    errors = warping_errors(pictures(source, count), clips, farneback, cuts=found)
    one = next(iter(errors.values()))
    print(
        f"judge Farneback, {one.pairs} pairs, coverage {one.coverage:.3f}, cuts {found or 'none'}"
    )
    print(f"{'':24}{'E_warp':>9}{'e_stab':>9}{'D':>7}{'sharp':>7}{'SSIM':>7}")
    for name, error in errors.items():
        row = f"{name[:23]:24}{error.value:9.5f}{error.stability:9.5f}"
        if name not in ("source", "per frame"):
            row += f"{flicker_removed(error, errors['per frame']):7.3f}"
            row += f"{sharpness(pictures(paths[name], count), pictures(alone, count)):7.3f}"
            row += f"{similarity(pictures(paths[name], count), pictures(alone, count)):7.3f}"
        print(row)


def cuts(clip: Iterator[HostArray]) -> list[int]:
    """Indices of the frames that begin a shot, as shots/histogram finds them."""
    threshold, found, before = HistogramOptions().threshold, [], None
    for index, picture in enumerate(clip):
        if before is not None and picture_change(picture, before) >= threshold:
            found.append(index)
        before = picture
    return found


def pictures(path: Path, count: int | None) -> Iterator[HostArray]:
    """The frames of a clip, (H, W, 3) RGB in [0, 1]."""
    source = DecodePyAV(DecodeOptions())
    try:
        source.open(path, Place())
        for frame in islice(source.frames(), count):
            yield frame.host("source")
    finally:
        source.close()


if __name__ == "__main__":
    main()
