"""Dead pixels and blobs of every style on photos and clips; ends with 1 where there is any.

    python benchmarks/dead_pixels.py --photos DIR --clips A B C [--every N] [--styles NAME ...]
        [--style-image-dir DIR]

``dead`` is what a viewer would call so: specks, runs, blobs and NaN. ``by definition`` counts every
pixel that leaves the 5x5 median by more than 0.25 where the source is smooth, points of strokes and
outlines included; it does not decide. The last columns plant damage in each stylized photo and show
how much of it is found, with points of strokes spared and counted. With --style-image-dir, images
named after their style (``great-wave.jpg``) allow as much black and white as they have.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from vidstyle.core import ExecutionContext, HostArray
from vidstyle.evaluation.dead_pixels import DeadPixelCount, DetectionRecall, plant
from vidstyle.imaging.dead_pixels import blob_fraction
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import SUFFIX, load_style
from vidstyle.models.style.styles import find_style, shipped_styles
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

IMAGES = (".png", ".jpg", ".jpeg", ".webp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=Path, help="a folder of images")
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--every", type=int, default=10, help="look at every Nth frame of clips")
    parser.add_argument(
        "--styles", nargs="*", help="names or style files; all shipped ones if none"
    )
    parser.add_argument(
        "--style-image-dir", type=Path, help="a folder of style images named as styles"
    )
    given = parser.parse_args()
    if not given.photos and not given.clips:
        parser.error("give --photos or --clips")
    names = given.styles or sorted(path.stem for path in shipped_styles().glob(f"*{SUFFIX}"))
    sys.exit(1 if report(names, given) else 0)


def report(names: list[str], given: argparse.Namespace) -> int:
    """Print the table; gives how much is dead in all."""
    print(
        f"{'':34}{'frames':>7}{'by def.':>9}{'specks':>8}{'runs':>6}{'blobs':>6}{'area':>8}", end=""
    )
    print(f"{'NaN':>5}{'dead':>6}   found of planted: specks / counted, blobs, NaN")
    dead = 0
    for name in names:
        path = find_style(name)
        network, allowed = load_style(path).module, share(given.style_image_dir, path.stem)
        if given.photos:
            dead += row(f"{path.stem} photos", network, photos(given.photos), allowed, planted=True)
        for clip in given.clips:
            frames = every(clip, given.every)
            dead += row(f"{path.stem} {clip.stem}", network, frames, allowed, planted=False)
    return dead


def row(
    name: str, network: nn.Module, sources: Iterable[HostArray], allowed: float, *, planted: bool
) -> int:
    """One line of the table; gives its dead."""
    tally, spared, counted = DeadPixelCount(), DetectionRecall(), DetectionRecall()
    for number, source in enumerate(sources):
        stylized = style_image(network, source)
        tally.add(stylized, source, allowed_fraction=allowed)
        if planted:
            damaged = plant(stylized, source, random=np.random.default_rng(number))
            spared.add(damaged, source)
            counted.add(damaged, source, strokes="counted")
    print(
        f"{name[:33]:34}{tally.frames:7}{tally.by_definition:9}{tally.pixels:8}{tally.runs:6}"
        f"{tally.blobs:6}{tally.blob_pixels:8}{tally.not_finite:5}{tally.dead:6}",
        end="",
    )
    shares = [spared.recall("pixels"), counted.recall("pixels"), spared.recall("blobs")]
    shares.append(spared.recall("not_finite"))
    print("   " + " ".join(f"{share:.4f}" for share in shares) if planted else "", flush=True)
    return tally.dead


def style_image(network: nn.Module, source: HostArray) -> HostArray:
    planes = torch.from_numpy(np.ascontiguousarray(source.transpose(2, 0, 1)))
    with torch.inference_mode():
        stylized = stylize(network, planes[None])[0]
    return np.ascontiguousarray(stylized.permute(1, 2, 0).numpy())


def share(folder: Path | None, style: str) -> float:
    """Part of the style image that is black or white; 0 where there is none."""
    found = [path for path in images(folder) if path.stem == style] if folder else []
    return blob_fraction(photo(found[0])) if found else 0.0


def photos(folder: Path) -> Iterator[HostArray]:
    return map(photo, images(folder))


def images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)


def photo(path: Path) -> HostArray:
    """(H, W, 3) RGB in [0, 1]."""
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        sys.exit(f"{path}: is not an image")
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255)


def every(clip: Path, step: int) -> Iterator[HostArray]:
    """Every ``step``-th frame of a clip."""
    source = DecodePyAV(DecodeOptions())
    try:
        source.open(clip, ExecutionContext())
        for number, frame in enumerate(source.frames()):
            if number % step == 0:
                yield frame.host("source")
    finally:
        source.close()


if __name__ == "__main__":
    main()
