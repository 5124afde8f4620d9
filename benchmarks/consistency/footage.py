"""Source clips, and the same clips stylized frame by frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.core import Clip, ExecutionContext, HostArray
from vidstyle.core.context import Precision
from vidstyle.core.errors import InputError, WeightsError
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer
from vidstyle.models.style.style_file import SUFFIX, Credit, load_style
from vidstyle.models.style.style_import import import_style
from vidstyle.models.style.styles import find_style
from vidstyle.models.weights import safetensors_file
from vidstyle.stages.decode.images import DecodeImages, ImagesOptions
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

from .store import Arrays, Kept, Store, digest_of, digest_of_code, digest_of_files

NOISE = 2 / 255
"""Standard deviation over a still."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip on disk."""

    name: str
    key: str
    """Stands for its pixels."""
    frames: Kept
    """(H, W, 3) RGB in [0, 1]."""

    @property
    def clip(self) -> Clip:
        height, width = self.frames[0].shape[:2]
        return Clip(width, height, Fraction(1, 25), Fraction(25), frame_count=len(self.frames))


def real_clip(path: Path, *, frames: int, width: int, store: Store) -> Footage:
    """The first frames of a file or of a folder of images, made smaller where they are wider.

    Raises InputError where it cannot be read, or has less than two frames.
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    content = digest_of_files(file for file in files if file.is_file())
    facts = {"content": content, "frames": frames, "width": width}
    kept = store.frames("source", facts, lambda: _read(path, frames, width))["source"]
    if len(kept) < 2:
        raise InputError(f"{path}: has one frame; flicker needs at least two")
    return Footage(path.stem, digest_of(facts), kept)


def noisy_still(clip: Footage, *, frames: int, width: int, store: Store) -> Footage:
    """The first frame of ``clip``, again and again, under Gaussian noise that is seeded."""
    facts = {"still": clip.key, "frames": frames, "width": width, "noise": NOISE}

    def made() -> Iterator[Arrays]:
        image = _narrowed(clip.frames[0], width)
        random = np.random.default_rng(0)
        for _ in range(frames):
            noise = random.normal(0, NOISE, image.shape)
            yield {"source": np.clip(image + noise, 0, 1).astype(np.float32)}

    name = f"still of {clip.name}"
    return Footage(name, digest_of(facts), store.frames("source", facts, made)["source"])


def with_cut(clip: Footage, *, frames: int, store: Store) -> Footage:
    """``frames`` of a clip, and after a cut as many of its negative, upside down."""
    facts = {"cut": clip.key, "frames": frames}

    def made() -> Iterator[Arrays]:
        images = clip.frames[:frames]
        yield from ({"source": image} for image in images)
        yield from ({"source": 1 - image[::-1]} for image in images)

    name = f"{clip.name} and its negative"
    return Footage(name, digest_of(facts), store.frames("source", facts, made)["source"])


def _read(path: Path, count: int, width: int) -> Iterator[Arrays]:
    folder = path.is_dir()
    source = DecodeImages(ImagesOptions()) if folder else DecodePyAV(DecodeOptions())
    try:
        source.open(path, ExecutionContext())
        for frame in islice(source.frames(), count):
            yield {"source": _narrowed(frame.host("source"), width)}
    finally:
        source.close()


def _narrowed(image: HostArray, width: int) -> HostArray:
    height, wide = image.shape[:2]
    if wide <= width:
        return image
    size = (width, round(height * width / wide))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


@dataclass(frozen=True, slots=True)
class Style:
    """A style file, ours or another project's; loaded only where frames are to be stylized."""

    path: Path
    ours: bool
    """Ours are trained on video; those of pytorch/examples are not, and leave more to blend."""
    precision: Precision = "float32"
    """By torch in float32, by OpenVINO in others."""

    @property
    def name(self) -> str:
        return self.path.stem

    def network(self) -> StyleNetwork:
        if self.ours:
            return load_style(self.path).module
        return import_style(self.path, name=self.name, credit=Credit()).style.module

    def stylize(self) -> Callable[[HostArray], HostArray]:
        """What maps images (H, W, 3) in [0, 1] to stylized ones."""
        if self.precision == "float32":
            network = self.network().to(memory_format=torch.channels_last)
            return lambda image: _stylized(network, image)
        stylizer = OpenVinoStylizer({"": self.path}, precision=self.precision, threads=2)
        return lambda image: stylizer.stylize(image, {"": 1.0}).clip(0, 1)


def style_of(text: str, precision: Precision = "float32") -> Style:
    """A style by name or path, a pytorch/examples checkpoint by path; else WeightsError."""
    if os.sep not in text and not text.endswith((SUFFIX, ".pth", ".model")):
        return Style(find_style(text), True, precision)
    path = Path(text)
    if not path.is_file():
        raise WeightsError(f"there is no style file {text}")
    ours = path.suffix == SUFFIX and "vidstyle" in safetensors_file.read_metadata(path)
    if not ours and precision != "float32":
        raise WeightsError(f"{text} is a checkpoint: import it to stylize in {precision}")
    return Style(path, ours, precision)


def stylized(footage: Footage, style: Style, store: Store) -> Kept:
    """Stylize frame by frame: (H, W, 3) in [0, 1], rounded to float16."""
    facts = {
        "footage": footage.key,
        "style": digest_of_files([style.path]),
        "code": digest_of_code("models"),
        "precision": style.precision,
    }

    def made() -> Iterator[Arrays]:
        stylize_image = style.stylize()
        for image in footage.frames:
            yield {"image": stylize_image(image).astype(np.float16)}

    return store.frames("stylized", facts, made)["image"]


def _stylized(network: StyleNetwork, image: HostArray) -> HostArray:
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with torch.inference_mode():
        result = stylize(network, planes[None])[0].clamp(0, 1)
    return np.ascontiguousarray(result.permute(1, 2, 0).numpy())
