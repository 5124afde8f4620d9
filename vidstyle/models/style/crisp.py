"""The network ``fast`` with smooth enlarging, a sharper output, and colors that go around it.

What ``fast`` draws ends in a binomial filter, which is zero at the frequency of a checkerboard and
takes half of all patterns of four pixels with it; by two evaluators most of the distance to
published networks lies in the finest layers. Here a filter that is flatter below takes its place.
The coarse layers are filtered before they are enlarged, and enlarged smoothly (Odena, Dumoulin,
Olah 2016, Deconvolution and Checkerboard Artifacts), so that what they draw has no lattice. The
image's own colors reach the output through a learned affine map: what need not be drawn again
stays sharp. What each part gave: docs/decisions/027-strokes-and-content.md.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.style.fast import FastLayer, FastNet, compress_range

# Filters for rows and columns, of sum 1 and zero at the frequency of a checkerboard. The second
# keeps three quarters of a pattern of four pixels, where the binomial one keeps half.
_SMOOTH = (1 / 4, 1 / 2, 1 / 4)
_SHARP = (-1 / 16, 1 / 4, 5 / 8, 1 / 4, -1 / 16)


class CrispNet(FastNet):
    """``width`` channels at half size, three times as many at quarter size.

    Args:
        width: Channels of its finest layers.
    """

    architecture = "crisp"

    def __init__(self, width: int = 16) -> None:
        super().__init__(width)
        self.decode = FastLayer(3 * width, width)
        self.color = nn.Conv2d(3, 3, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        fine = self.encode(functional.pixel_unshuffle(images, 2))
        coarse = _filter(self.transform(self.reduce(fine)), _SMOOTH, "replicate")
        coarse = functional.interpolate(
            coarse, scale_factor=2, mode="bilinear", align_corners=False
        )
        # The finest layer goes around the body, so that edges stay where they are.
        drawn = functional.pixel_shuffle(self.output(fine + self.decode(coarse)), 2)
        # By reflection: repeating the last pixel would leave the pattern along the edge.
        stylized = _filter(drawn, _SHARP, "reflect") + self.color(images)
        return stylized if self.training else compress_range(stylized)

    def initialize(self, generator: torch.Generator) -> None:
        super().initialize(generator)
        # Nothing at first: a network that starts with the photo's colors stays near the photo.
        nn.init.zeros_(self.color.weight)
        nn.init.zeros_(cast("torch.Tensor", self.color.bias))


def _filter(images: torch.Tensor, factors: tuple[float, ...], edges: str) -> torch.Tensor:
    """Images (N, C, H, W) after a symmetric filter down and across: every pattern that repeats
    after two pixels becomes flat."""
    around, channels = len(factors) // 2, images.shape[1]
    extended = functional.pad(images, (around,) * 4, mode=edges)
    # Made on the device: a copy from the host cannot be part of a CUDA graph.
    row = torch.stack([extended.new_full((), factor) for factor in factors])
    kernel = torch.outer(row, row).expand(channels, 1, len(factors), len(factors))
    return functional.conv2d(extended, kernel, groups=channels)
