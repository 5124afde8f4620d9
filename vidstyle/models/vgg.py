"""VGG19's convolutions as a feature extractor (Simonyan, Zisserman 2014), from a local file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from vidstyle.core.errors import WeightsError
from vidstyle.models.safetensors_file import check_keys, read_metadata, read_tensors

Pooling = Literal["max", "average"]

WEIGHTS_FILE = "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
"""Subtracted from pictures of 0 to 255, as in the Caffe model."""
_INPUT = "BGR, 0-255, minus (103.939,116.779,123.68)"
_BLOCKS = (2, 2, 4, 4, 4)
"""Convolutions of each block; a pooling follows each block."""


class Vgg19(nn.Module):
    """The outputs of named ReLUs (``relu1_1`` to ``relu5_4``) for pictures in RGB, [0, 1].

    The weights are frozen, and reach as far up as the file that they come from.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], *, pooling: Pooling = "max") -> None:
        """``weights`` has ``features.N.weight`` and ``features.N.bias`` for BGR input.

        ``pooling`` by average gives smoother gradients (Gatys et al. 2015).
        """
        super().__init__()
        self.pooling = pooling
        self.taps = tuple(_held(weights))
        """The layers that can be asked for, in order."""
        for tap in self.taps:
            for part, key in zip(("weight", "bias"), _keys(tap), strict=True):
                self.register_buffer(f"{tap}_{part}", weights[key].detach())
        self.register_buffer("mean", torch.tensor(BLUE_GREEN_RED_MEAN).reshape(1, 3, 1, 1))

    def forward(self, pictures: torch.Tensor, taps: Iterable[str]) -> dict[str, torch.Tensor]:
        """Features (N, C, h, w) by tap, of pictures (N, 3, H, W), RGB in [0, 1].

        Nothing above the highest tap is computed. Raises ValueError for a tap that the
        weights do not reach.
        """
        wanted = set(taps)
        if not wanted <= set(self.taps):
            unknown = ", ".join(sorted(wanted - set(self.taps)))
            raise ValueError(f"no layer {unknown}; there are {', '.join(self.taps)}")
        features = pictures.flip(1) * 255.0 - self.get_buffer("mean")
        found = {}
        for tap in self.taps[: max(map(self.taps.index, wanted), default=-1) + 1]:
            if tap.endswith("_1") and tap != "relu1_1":
                features = self._pool(features)
            weight, bias = self.get_buffer(f"{tap}_weight"), self.get_buffer(f"{tap}_bias")
            features = functional.relu(functional.conv2d(features, weight, bias, padding=1))
            if tap in wanted:
                found[tap] = features
        return found

    def _pool(self, features: torch.Tensor) -> torch.Tensor:
        if self.pooling == "max":
            return functional.max_pool2d(features, 2)
        return functional.avg_pool2d(features, 2)


def load_vgg19(*, folder: Path | None = None, pooling: Pooling = "max") -> Vgg19:
    """The extractor from ``vgg19_conv1_1-conv3_4_caffe_bgr.safetensors`` in ``folder``.

    Without a folder, in the one that ``VIDSTYLE_WEIGHTS`` names. Raises WeightsError where
    the file is missing, damaged, or of another layout or input range.
    """
    path = _weights_path(folder)
    if (stated := read_metadata(path).get("input", "")) and not stated.startswith(_INPUT):
        raise WeightsError(f"{path} takes {stated!r}; wanted {_INPUT}")
    tensors = read_tensors(path)
    check_keys(path, tensors, {key: None for tap in _held(tensors) for key in _keys(tap)})
    _check_shapes(path, tensors)
    return Vgg19(tensors, pooling=pooling)


def layer_numbers() -> dict[str, int]:
    """The number in ``features.N`` of the convolution before each ReLU, in order."""
    numbers, position = {}, 0
    for block, convolutions in enumerate(_BLOCKS, start=1):
        for layer in range(1, convolutions + 1):
            numbers[f"relu{block}_{layer}"] = position
            position += 2
        position += 1
    return numbers


def _keys(tap: str) -> tuple[str, str]:
    number = layer_numbers()[tap]
    return f"features.{number}.weight", f"features.{number}.bias"


def _held(tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """The layers up to the deepest one of the file: it must hold all of these and no others."""
    taps = list(layer_numbers())
    there = [index for index, tap in enumerate(taps) if _keys(tap)[0] in tensors]
    return taps[: max(there, default=0) + 1]


def _check_shapes(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    channels_in = 3
    for tap in _held(tensors):
        channels = min(512, 64 * 2 ** (int(tap[4]) - 1))
        weight, bias = (tuple(tensors[key].shape) for key in _keys(tap))
        if weight != (channels, channels_in, 3, 3) or bias != (channels,):
            raise WeightsError(
                f"{path}: {tap} has a weight {weight} and a bias {bias}; wanted "
                f"{(channels, channels_in, 3, 3)} and {(channels,)}"
            )
        channels_in = channels


def _weights_path(folder: Path | None) -> Path:
    chosen = folder or (Path(value) if (value := os.environ.get("VIDSTYLE_WEIGHTS")) else None)
    if chosen is None:
        raise WeightsError(
            f"training needs {WEIGHTS_FILE}: name the folder that holds it, "
            "or set VIDSTYLE_WEIGHTS to that folder"
        )
    if not (path := chosen / WEIGHTS_FILE).is_file():
        raise WeightsError(f"there is no {WEIGHTS_FILE} in {chosen}: put it there")
    return path
