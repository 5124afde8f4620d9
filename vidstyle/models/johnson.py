"""The feed-forward transformer network of Johnson et al., with instance normalisation.

Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution
(2016); Ulyanov, Vedaldi, Lempitsky: Instance Normalization (2016); Odena, Dumoulin, Olah:
Deconvolution and Checkerboard Artifacts (2016) for the up-sampling.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional

MULTIPLE = 4
"""Sides that the network takes are multiples of this: it halves the picture twice."""
SMALLEST = 8
"""And at least this, so that reflection by one pixel is possible at a quarter of the size."""
RESIDUAL_BLOCKS = 5


class TransformerNet(nn.Module):
    """Paints pictures (N, 3, H, W), RGB in [0, 1], H and W multiples of 4 and at least 8.

    The pictures that it returns have the same shape: clamped to [0, 1] in eval mode, and not
    clamped in training mode. ``paint`` takes pictures of any size.

    There is no sigmoid or tanh at the end. Either one reaches pure white or black only
    at infinity, so once a bright or saturated area is pushed out there the gradient vanishes
    and it stays a flat white blob. A linear output keeps its gradient, training
    charges for what lies outside of [0, 1] (``losses.range_excess``), and the clamp then cuts
    off next to nothing.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"the width of a network is at least 1 channel, got {width}")
        self.width = width
        """Channels at full size; twice as many at half and four times at quarter size."""
        self.encode = nn.Sequential(
            ConvolutionLayer(3, width, side=9),
            ConvolutionLayer(width, 2 * width, side=3, stride=2),
            ConvolutionLayer(2 * width, 4 * width, side=3, stride=2),
        )
        self.transform = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(RESIDUAL_BLOCKS)))
        self.decode = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            ConvolutionLayer(4 * width, 2 * width, side=3),
            nn.Upsample(scale_factor=2, mode="nearest"),
            ConvolutionLayer(2 * width, width, side=3),
        )
        self.output = nn.Conv2d(width, 3, 9, padding=4, padding_mode="reflect")

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        painted = self.output(self.decode(self.transform(self.encode(pictures))))
        return cast("torch.Tensor", painted if self.training else painted.clamp(0.0, 1.0))


class ConvolutionLayer(nn.Sequential):
    """Reflection padding, convolution, instance normalisation, and a ReLU unless told not to."""

    def __init__(
        self, channels_in: int, channels_out: int, *, side: int, stride: int = 1, relu: bool = True
    ) -> None:
        # No bias: the normalisation subtracts it again.
        convolution = nn.Conv2d(
            channels_in,
            channels_out,
            side,
            stride,
            padding=side // 2,
            padding_mode="reflect",
            bias=False,
        )
        activation = [nn.ReLU()] if relu else []
        super().__init__(convolution, nn.InstanceNorm2d(channels_out, affine=True), *activation)


class ResidualBlock(nn.Module):
    """Two convolutions beside an identity, without a ReLU after the sum (Gross, Wilber 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvolutionLayer(channels, channels, side=3),
            ConvolutionLayer(channels, channels, side=3, relu=False),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + cast("torch.Tensor", self.layers(features))


def empty_network(width: int) -> TransformerNet:
    """A network whose weights are yet to be filled; draws no random numbers."""
    with torch.device("meta"):
        network = TransformerNet(width)
    return network.to_empty(device="cpu")


def initialise(network: TransformerNet, generator: torch.Generator) -> None:
    """Draw the start of a training: He-normal convolutions, and an output around mid-grey."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.InstanceNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    # The output has no normalisation after it: a small gain starts it within [0, 1].
    nn.init.kaiming_normal_(network.output.weight, nonlinearity="linear", generator=generator)
    with torch.no_grad():
        network.output.weight.mul_(0.2)
    nn.init.constant_(cast("torch.Tensor", network.output.bias), 0.5)


def paint(network: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Paint pictures (N, 3, H, W), RGB in [0, 1], of any size; the result has their shape.

    ``network`` is anything that keeps ``TransformerNet``'s promise. Raises ValueError for
    another shape.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or 0 in pictures.shape:
        raise ValueError(f"pictures are (N, 3, H, W), none of them 0, got {tuple(pictures.shape)}")
    height, width = pictures.shape[2:]
    painted = cast("torch.Tensor", network(pad(pictures)))
    return painted[:, :, :height, :width]


def pad(pictures: torch.Tensor) -> torch.Tensor:
    """Extend pictures (N, C, H, W) below and to the right to sides that the network takes.

    By reflection, which looks like more of the picture; by replication along a side that is
    too short to be reflected.
    """
    height, width = pictures.shape[2:]
    below, right = _missing(height), _missing(width)
    pictures = _extend(pictures, (0, right, 0, 0), reflect=right < width)
    return _extend(pictures, (0, 0, 0, below), reflect=below < height)


def _missing(side: int) -> int:
    return max(SMALLEST, -(-side // MULTIPLE) * MULTIPLE) - side


def _extend(
    pictures: torch.Tensor, amounts: tuple[int, int, int, int], *, reflect: bool
) -> torch.Tensor:
    if not any(amounts):
        return pictures
    return functional.pad(pictures, amounts, mode="reflect" if reflect else "replicate")
