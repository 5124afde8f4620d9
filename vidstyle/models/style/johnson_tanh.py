"""The network of Johnson et al. as lengstrom's fast-style-transfer has it: zeros around, a tanh.

What differs from ``johnson-fractional``: zeros and not reflections lie beyond the edges, a
normalization follows the last convolution too, and a tanh bounds the result. A convolution that
halves an image pads it below and to the right alone, as TensorFlow's ``SAME`` does for even sides.

Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution (2016);
Ulyanov, Vedaldi, Lempitsky: Instance Normalization (2016).
"""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.style.architectures import ArchitectureName
from vidstyle.models.style.johnson import RESIDUAL_BLOCKS, OutputConvolution
from vidstyle.models.style.network import StyleNetwork

# Added to the variance of a channel.
_EPSILON = 1e-3
# The result lies within (0.5 ± 150 / 255): black and white are reached before the tanh is flat.
_REACH = 150 / 255
# Of the last normalization, at the start of a training.
_FIRST_CONTRAST = 0.3


class TanhNet(StyleNetwork):
    """``width`` channels at full size, twice as many at half and four times at quarter size.

    Args:
        width: Channels of its finest layers.
    """

    architecture: ClassVar[ArchitectureName] = "johnson-tanh"

    def __init__(self, width: int = 16) -> None:
        super().__init__(width)
        self.encode = nn.Sequential(
            ZeroPaddedLayer(3, width, side=9),
            ZeroPaddedLayer(width, 2 * width, stride=2),
            ZeroPaddedLayer(2 * width, 4 * width, stride=2),
        )
        self.transform = nn.Sequential(
            *(ZeroPaddedBlock(4 * width) for _ in range(RESIDUAL_BLOCKS))
        )
        self.decode = nn.Sequential(
            ZeroPaddedLayer(4 * width, 2 * width, enlarging=True),
            ZeroPaddedLayer(2 * width, width, enlarging=True),
        )
        self.output = nn.Sequential(
            OutputConvolution(width, 3, 9, padding=4, bias=False), _normalization(3)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = self.output(self.decode(self.transform(self.encode(images))))
        stylized = 0.5 + _REACH * torch.tanh(found)
        return stylized if self.training else stylized.clamp(0.0, 1.0)

    def initialize(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            elif isinstance(module, nn.InstanceNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.constant_(self.get_parameter("output.1.weight"), _FIRST_CONTRAST)


class ZeroPaddedLayer(nn.Sequential):
    """A convolution padded by zeros, instance normalization, and a ReLU by default.

    Args:
        channels_in: Of the input.
        channels_out: Of the result.
        side: Of the kernel, in pixels.
        stride: By which the image shrinks.
        enlarging: Whether the image is doubled instead.
        relu: Whether a ReLU follows.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        side: int = 3,
        stride: int = 1,
        enlarging: bool = False,
        relu: bool = True,
    ) -> None:
        # No bias: the normalization subtracts it again.
        convolution: nn.Module
        if enlarging:
            convolution = _Doubling(channels_in, channels_out, side, stride=2, bias=False)
        elif stride == 2:
            convolution = _Halving(channels_in, channels_out, side, stride=2, bias=False)
        else:
            convolution = nn.Conv2d(channels_in, channels_out, side, padding=side // 2, bias=False)
        activation = [nn.ReLU()] if relu else []
        super().__init__(convolution, _normalization(channels_out), *activation)


class ZeroPaddedBlock(nn.Module):
    """Two convolutions beside an identity, without a ReLU after the sum.

    Args:
        channels: Of input and result.

    References:
        Gross and Wilber 2016, Training and investigating residual nets.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ZeroPaddedLayer(channels, channels), ZeroPaddedLayer(channels, channels, relu=False)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + cast("torch.Tensor", self.layers(features))


class _Halving(nn.Conv2d):
    """With a side of 3 and a stride of 2, on even sides."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.pad(features, (0, 1, 0, 1)))


class _Doubling(nn.ConvTranspose2d):
    """The transposed form of ``_Halving``: its last row and column fall on the padding."""

    # torch has the size of the output as a second argument, which no one gives here.
    def forward(self, features: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        if not torch.compiler.is_exporting():
            return super().forward(features)[:, :, :-1, :-1]
        # To cut them off, OpenVINO copies the image. With a row and a column of zeros before, the
        # kernel is as long on both sides, and nothing is left over.
        kernel = functional.pad(self.weight, (1, 0, 1, 0))
        return functional.conv_transpose2d(features, kernel, stride=2, padding=1)


def _normalization(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, eps=_EPSILON, affine=True)
