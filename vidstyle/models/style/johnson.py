"""The feed-forward transformer network of Johnson et al., with instance normalization.

Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution
(2016); Ulyanov, Vedaldi, Lempitsky: Instance Normalization (2016); Odena, Dumoulin, Olah:
Deconvolution and Checkerboard Artifacts (2016) for the up-sampling.
"""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.style.architectures import ArchitectureName
from vidstyle.models.style.network import StyleNetwork

RESIDUAL_BLOCKS = 5


class TransformerNet(StyleNetwork):
    """``width`` channels at full size, twice as many at half and four times at quarter size.

    It enlarges by repeating pixels before a convolution, which makes no checkerboard.

    Args:
        width: Channels of its finest layers.
    """

    architecture: ClassVar[ArchitectureName] = "johnson"

    def __init__(self, width: int = 16) -> None:
        super().__init__(width)
        self.encode = nn.Sequential(
            JohnsonLayer(3, width, side=9),
            JohnsonLayer(width, 2 * width, side=3, stride=2),
            JohnsonLayer(2 * width, 4 * width, side=3, stride=2),
        )
        self.transform = nn.Sequential(*(JohnsonBlock(4 * width) for _ in range(RESIDUAL_BLOCKS)))
        self.decode = nn.Sequential(*self.enlarging(4 * width), *self.enlarging(2 * width))
        self.output = OutputConvolution(width, 3, 9, padding=4, padding_mode="reflect")

    def enlarging(self, channels: int) -> tuple[nn.Module, ...]:
        """Build the layers that double the image and halve the channels.

        Args:
            channels: Of their input.

        Returns:
            The layers, in order.
        """
        return (
            nn.Upsample(scale_factor=2, mode="nearest"),
            JohnsonLayer(channels, channels // 2, side=3),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        stylized = self.output(self.decode(self.transform(self.encode(images))))
        return cast("torch.Tensor", stylized if self.training else stylized.clamp(0.0, 1.0))

    def initialize(self, generator: torch.Generator) -> None:
        """Draw He-normal convolutions, and an output around mid-gray.

        Args:
            generator: Draws the weights.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            elif isinstance(module, nn.InstanceNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        # The output has no normalization after it: a small gain starts it within [0, 1].
        nn.init.kaiming_normal_(self.output.weight, nonlinearity="linear", generator=generator)
        with torch.no_grad():
            self.output.weight.mul_(0.2)
        nn.init.constant_(cast("torch.Tensor", self.output.bias), 0.5)


class FractionalNet(TransformerNet):
    """The network as it was first published: it enlarges by fractionally strided convolution."""

    architecture = "johnson-fractional"

    def enlarging(self, channels: int) -> tuple[nn.Module, ...]:
        return (
            nn.ConvTranspose2d(
                channels, channels // 2, 3, stride=2, padding=1, output_padding=1, bias=False
            ),
            nn.InstanceNorm2d(channels // 2, affine=True),
            nn.ReLU(),
        )


class JohnsonLayer(nn.Sequential):
    """Reflection padding, convolution, instance normalization, and a ReLU by default.

    Args:
        channels_in: Of the input.
        channels_out: Of the result.
        side: Of the kernel, in pixels.
        stride: By which the image shrinks.
        relu: Whether a ReLU follows.
    """

    def __init__(
        self, channels_in: int, channels_out: int, *, side: int, stride: int = 1, relu: bool = True
    ) -> None:
        # No bias: the normalization subtracts it again.
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


class JohnsonBlock(nn.Module):
    """Two convolutions beside an identity, without a ReLU after the sum.

    Args:
        channels: Of input and result.

    References:
        Gross and Wilber 2016, Training and investigating residual nets.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            JohnsonLayer(channels, channels, side=3),
            JohnsonLayer(channels, channels, side=3, relu=False),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + cast("torch.Tensor", self.layers(features))


class OutputConvolution(nn.Conv2d):
    """A convolution of an odd side to a handful of channels, on (N, C, H, W) of even H and W.

    Processors compute channels by the dozen, so that three take as long as twelve. An exported
    graph therefore has the four pixels of a block as channels of one, and strides of 2.
    """

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if not torch.compiler.is_exporting():
            return super().forward(features)
        around = self.kernel_size[0] // 2
        mode = "reflect" if self.padding_mode == "reflect" else "constant"
        extended = functional.pad(features, (around,) * 4, mode=mode)
        blocks = functional.conv2d(extended, self._block_kernel(), stride=2)
        found = functional.pixel_shuffle(blocks, 2)
        # The bias comes last, where three channels are three: it is added in float32.
        return found if self.bias is None else found + self.bias[:, None, None]

    def _block_kernel(self) -> torch.Tensor:
        """(C out, C in, k, k) as (4 · C out, C in, k + 1, k + 1)."""
        moved = [
            functional.pad(self.weight, (right, 1 - right, down, 1 - down))
            for down in range(2)
            for right in range(2)
        ]
        return torch.stack(moved, dim=1).flatten(0, 1)
