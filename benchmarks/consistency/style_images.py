"""Styles, and clips painted in them frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import SUFFIX, Credit, load_style
from vidstyle.models.style.style_import import import_style
from vidstyle.models.style.styles import find_style
from vidstyle.models.weights import safetensors_file

from .footage import Footage
from .store import Arrays, Kept, Store, digest_of_code, digest_of_files


@dataclass(frozen=True, slots=True)
class Style:
    """A style file, ours or another project's; loaded only where something is to be painted."""

    path: Path
    ours: bool
    """Ours learned to be steady; those of pytorch/examples never were, and leave more to blend."""

    @property
    def name(self) -> str:
        return self.path.stem

    def network(self) -> StyleNetwork:
        if self.ours:
            return load_style(self.path).module
        return import_style(self.path, name=self.name, credit=Credit()).style.module


def style_of(text: str) -> Style:
    """A style by name or path, a pytorch/examples checkpoint by path; else WeightsError."""
    if os.sep not in text and not text.endswith((SUFFIX, ".pth", ".model")):
        return Style(find_style(text), ours=True)
    path = Path(text)
    if not path.is_file():
        raise WeightsError(f"there is no style file {text}")
    ours = path.suffix == SUFFIX and "vidstyle" in safetensors_file.read_metadata(path)
    return Style(path, ours)


def stylized(footage: Footage, style: Style, store: Store) -> Kept:
    """Every frame alone, (H, W, 3) in [0, 1], rounded to float16."""
    facts = {
        "footage": footage.key,
        "style": digest_of_files([style.path]),
        "code": digest_of_code("models"),
    }

    def made() -> Iterator[Arrays]:
        network = style.network().to(memory_format=torch.channels_last)
        for image in footage.frames:
            yield {"image": _stylized(network, image).astype(np.float16)}

    return store.frames("style_image", facts, made)["image"]


def _stylized(network: StyleNetwork, image: HostArray) -> HostArray:
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with torch.inference_mode():
        result = stylize(network, planes[None])[0].clamp(0, 1)
    return np.ascontiguousarray(result.permute(1, 2, 0).numpy())
