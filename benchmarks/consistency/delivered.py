"""Clips that were stylized frame by frame, as other tools deliver them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

import vidstyle
from vidstyle.core import HostArray
from vidstyle.kernels.library import has_kernels
from vidstyle.models.style.style_file import Credit, save_style
from vidstyle.models.style.style_import import import_style

from .footage import Footage, Style, real_clip
from .store import Arrays, Kept, Store, digest_of_code, digest_of_files

TEMPORAL, PER_FRAME = "temporal", "per-frame"
LOSSLESS = {"encode.codec": "ffv1", "encode.pixel_format": "bgr0"}
CRF = "23"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a clip is delivered."""

    rate: Fraction = Fraction(1)
    """Relative to the original's."""
    size: Fraction = Fraction(1)
    """Likewise, of a side."""
    lossless: bool = False


DELIVERIES = {
    "ffv1": Kind(lossless=True),
    "h264": Kind(),
    "half rate": Kind(rate=Fraction(1, 2)),
    "24 for 25": Kind(rate=Fraction(24, 25)),
    "3/4 size": Kind(size=Fraction(3, 4)),
    "1.5 size": Kind(size=Fraction(3, 2)),
}


@dataclass(frozen=True, slots=True)
class Original:
    """A clip in files, and what pipelines make of it in one style, without loss."""

    style: str
    clip: str
    rate: Fraction
    footage: Footage
    source: Path
    per_frame: Path
    temporal: Path

    @property
    def name(self) -> str:
        return f"{self.style} on {self.clip}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered clip."""

    path: Path
    frames: tuple[int, ...]
    """Which of the original each of its frames is."""
    rate: Fraction

    @property
    def own_frames(self) -> Sequence[int]:
        """Of the original, those that it has."""
        return sorted(set(self.frames))

    def shown(self, original: Original, store: Store) -> Kept:
        """Its frames at the times and in the size of the original."""

        def made() -> Iterator[Arrays]:
            own = list(images_of(self.path))
            for index, image in enumerate(original.footage.frames):
                last = int(index / original.rate * self.rate)
                height, width = image.shape[:2]
                yield {"image": _scaled(own[min(last, len(own) - 1)], width, height)}

        facts = {"delivered": digest_of_files([self.path]), "of": original.footage.key, "v": 1}
        return store.frames("shown", facts, made)["image"]


def write_original(path: Path, style: Style, *, frames: int, width: int, store: Store) -> Original:
    """Write the first frames of a clip without loss, and both pipelines' outputs."""
    footage = real_clip(path, frames=frames, width=width, store=store)
    with av.open(str(path)) as container:
        rate = Fraction(container.streams.video[0].average_rate or 25)
    source = store.file(
        "source",
        {"of": footage.key, "rate": str(rate)},
        ".mkv",
        lambda file: write_clip(file, footage.frames, rate, lossless=True),
    )
    network = store.file(
        "style",
        {"style": digest_of_files([style.path])},
        ".safetensors",
        lambda file: _write_style(file, style),
    )
    facts = {"of": footage.key, "style": digest_of_files([style.path]), "rate": str(rate)}
    facts["code"] = digest_of_code("models", "stages", "imaging", "kernels", "runner")
    facts["kernels"] = str(has_kernels())
    outputs = [
        store.file(name, facts, ".mkv", partial(_run, name, source, network))
        for name in (PER_FRAME, TEMPORAL)
    ]
    return Original(style.name, path.stem, rate, footage, source, *outputs)


def _run(name: str, source: Path, style: Path, output: Path) -> None:
    vidstyle.run(name, source, output, style=style, options=LOSSLESS)


def deliver(original: Original, kind: Kind, store: Store) -> Delivery:
    """Write the per-frame clip in another form.

    At another rate the frames are those of ``ffmpeg -r``: each image goes to the nearest time of
    the new rate, and the last one that goes there stays.
    """
    count = len(original.footage.frames)
    chosen: dict[int, int] = {}
    for index in range(count):
        chosen[int(index * kind.rate + Fraction(1, 2))] = index
    if kind.rate < 1:
        # What begins at the last frame's time or behind it would make the clip longer.
        chosen = {at: index for at, index in chosen.items() if at <= (count - 1) * kind.rate}
    frames = tuple(chosen[at] for at in sorted(chosen))
    images = list(images_of(original.per_frame))
    height, width = images[0].shape[:2]
    size = [2 * round(side * kind.size / 2) for side in (width, height)]
    rate = original.rate * kind.rate
    facts = {"of": digest_of_files([original.per_frame]), "kind": str(kind)}
    path = store.file(
        "delivered",
        facts,
        ".mkv" if kind.lossless else ".mp4",
        lambda file: write_clip(
            file,
            [_scaled(images[index], *size) for index in frames],
            rate,
            lossless=kind.lossless,
        ),
    )
    return Delivery(path, frames, rate)


def write_clip(path: Path, images: Sequence[HostArray], rate: Fraction, *, lossless: bool) -> None:
    """Write images (H, W, 3) in [0, 1] as ffv1 RGB, or as H.264 4:2:0."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        options = {} if lossless else {"crf": CRF}
        stream = container.add_stream("ffv1" if lossless else "libx264", rate=rate, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "bgr0" if lossless else "yuv420p"
        for image in images:
            pixels = np.ascontiguousarray((255 * image).round().astype(np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))


def images_of(path: Path) -> Iterator[HostArray]:
    """Images (H, W, 3) RGB in [0, 1] of a file."""
    for frame in vidstyle.frames(path):
        yield np.asarray(frame.host("image"), np.float32)


def _write_style(path: Path, style: Style) -> None:
    if style.ours:
        path.write_bytes(style.path.read_bytes())
        return
    found = import_style(style.path, name=style.name, credit=Credit())
    save_style(path, found.style.info, found.style.module)


def _scaled(image: HostArray, width: int, height: int) -> HostArray:
    """By area where it gets smaller, bicubic where it gets larger."""
    if image.shape[:2] == (height, width):
        return image
    smaller = width < image.shape[1]
    kernel = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.clip(cv2.resize(image, (width, height), interpolation=kernel), 0, 1)
