"""What images a network was trained on, and how one that takes RGB in [0, 1] is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from vidstyle.models.weights.catalog import InputForm

BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
"""Subtracted from images of 0 to 255, as in the Caffe models."""


@dataclass(frozen=True)
class Standard:
    """How images are standardized: in terms of RGB in [0, 1], whatever the network's order."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    blue_first: bool = False

    def fold(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fold the order and the deviation of the input into the first convolution.

        A convolution is linear and its padding of 0 is the mean: order and deviation can go into
        its weights, and cost nothing any more.

        Args:
            weight: (C, 3, h, w), the network's own.

        Returns:
            The mean (1, 3, 1, 1) to subtract, and the convolution's new weight.
        """
        ordered = weight.detach().flip(1) if self.blue_first else weight.detach()
        scale = 1.0 / torch.tensor(self.deviation, dtype=torch.float64).reshape(1, 3, 1, 1)
        mean = torch.tensor(self.mean, dtype=torch.float64).reshape(1, 3, 1, 1)
        return mean.to(weight.dtype), (ordered.double() * scale).to(weight.dtype)


_BLUE, _GREEN, _RED = (value / 255 for value in BLUE_GREEN_RED_MEAN)

INPUT_FORMS: Mapping[InputForm, Standard] = {
    "caffe-bgr": Standard((_RED, _GREEN, _BLUE), (1 / 255,) * 3, blue_first=True),
    "caffe-rgb": Standard((_RED, _GREEN, _BLUE), (1 / 255,) * 3),
    "torchvision-rgb": Standard((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # From -1 to 1: Inception, and what timm trained.
    "half-rgb": Standard((0.5,) * 3, (0.5,) * 3),
}
"""By the name that a file's metadata has under ``input``."""
