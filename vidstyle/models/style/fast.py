"""A transformer network for real time on a processor: no layer at full size, no mean subtracted.

What is slow in the published network is its memory traffic at full size. Here the image enters
as 2x2 blocks (space-to-depth) and leaves so (Shi et al. 2016, sub-pixel convolution), and its
convolutions are 3x3. The four pixels of an output block answer alike to what does not change from
block to block, so that flat areas have no checkerboard, without a filter that would take fine
strokes with it. Filter response normalization with a thresholded linear unit (Singh, Krishnan
2020) stands in for instance normalization, which amplifies noise where an image is flat and makes
bubble-shaped artifacts. The photo's own colors reach the output through a learned affine map. Why
it is built so: docs/decisions/007-fast-network.md and 027-strokes-and-content.md.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.style.network import StyleNetwork

# Of the first convolution of each residual block: wider strokes at no cost.
_DILATIONS = (1, 2, 1, 2)
# Added to the mean square of a channel: keeps a silent channel from being amplified.
_EPSILON = 1e-4
# Distance to black and white at which values begin to be compressed, and the range that the
# compressed values have: they end 0.025 before black and white.
_KNEE, _ROOM = 0.08, 0.055


class FastNet(StyleNetwork):
    """``width`` channels at half size, three times as many at quarter size.

    Args:
        width: Channels of its finest layers.
    """

    architecture = "fast"

    def __init__(self, width: int = 16) -> None:
        super().__init__(width)
        body = 3 * width
        self.encode = FastLayer(4 * 3, width)
        self.reduce = FastLayer(width, body, stride=2)
        self.transform = nn.Sequential(*(FastBlock(body, dilation=apart) for apart in _DILATIONS))
        # Filtered and enlarged smoothly: repeated pixels would show as squares.
        self.decode = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            *FastLayer(body, width),
        )
        # Draws what is finer than the body sees: its strokes have edges only here.
        self.refine = FastBlock(width, inner=3 * width // 2)
        self.output = BlockOutput(width)
        self.color = nn.Conv2d(3, 3, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        fine = self.encode(functional.pixel_unshuffle(images, 2))
        coarse = _smooth(self.transform(self.reduce(fine)))
        # The finest layer goes around the body, so that edges stay where they are.
        drawn = self.refine(fine + self.decode(coarse))
        stylized = self.output(drawn) + self.color(images)
        return stylized if self.training else compress_range(stylized)

    def initialize(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            elif isinstance(module, ResponseNorm):
                module.reset()
        # The output has no normalization after it: a small gain starts it within [0, 1].
        spread = 0.1 * (2 / (9 * self.width)) ** 0.5
        nn.init.normal_(self.output.weight, std=spread, generator=generator)
        nn.init.constant_(self.output.bias, 0.5)
        # Nothing at first: a network that starts with the photo's colors stays near the photo.
        nn.init.zeros_(self.color.weight)
        nn.init.zeros_(cast("torch.Tensor", self.color.bias))


class BlockOutput(nn.Module):
    """A 3x3 convolution to blocks of 2x2 pixels, whose four answer alike to constant features.

    From each kernel goes the mean by which the sum of its weights differs from that of the block,
    and the bias is the block's mean.

    Args:
        channels: Of the features.

    References:
        Sugawara et al. 2018, Super-Resolution using Convolutional Neural Networks without Any
        Checkerboard Artifacts, for the condition on the kernels' sums.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3 * 4, channels, 3, 3))
        """By color, and by pixel of the block, row by row."""
        self.bias = nn.Parameter(torch.empty(3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        means = self.weight.reshape(3, 4, -1, 3, 3).mean(dim=(3, 4), keepdim=True)
        surplus = means - means.mean(dim=1, keepdim=True)
        kernel = self.weight - surplus.flatten(0, 1)
        ends = functional.pad(features, (1, 1, 1, 1), mode="replicate")
        blocks = functional.conv2d(ends, kernel, self.bias.repeat_interleave(4))
        return functional.pixel_shuffle(blocks, 2)


class ResponseNorm(nn.Module):
    """Filter response normalization, then a thresholded linear unit, on (N, C, H, W).

    x / sqrt(mean(x²) + ε) · weight + bias, and nothing below the learned threshold.

    Args:
        channels: C.
        threshold: Whether there is one; without it the layer is linear.

    References:
        Singh and Krishnan 2020, Filter Response Normalization Layer, equations 1 to 3.
    """

    def __init__(self, channels: int, *, threshold: bool = True) -> None:
        super().__init__()
        shape = (1, channels, 1, 1)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(shape))
        self.threshold = nn.Parameter(torch.empty(shape)) if threshold else None
        self.reset()

    def reset(self) -> None:
        """Set the weights to those of a plain normalization: 1, 0, and a threshold of 0."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        if self.threshold is not None:
            nn.init.zeros_(self.threshold)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        # In float32: half of bfloat16's eight bits would go into the sum.
        power = features.float().square().mean(dim=(2, 3), keepdim=True)
        gain = self.weight * torch.rsqrt(power + _EPSILON)
        scaled = features * gain.to(features.dtype) + self.bias.to(features.dtype)
        if self.threshold is None:
            return scaled
        return torch.maximum(scaled, self.threshold.to(features.dtype))


class FastLayer(nn.Sequential):
    """A 3x3 convolution and its normalization.

    Args:
        channels_in: Of the input.
        channels_out: Of the result.
        stride: By which the image shrinks.
        dilation: Distance of the kernel's points, in pixels.
        threshold: As ``ResponseNorm`` has it.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        threshold: bool = True,
    ) -> None:
        super().__init__(
            _convolution(channels_in, channels_out, stride=stride, dilation=dilation),
            ResponseNorm(channels_out, threshold=threshold),
        )


class FastBlock(nn.Module):
    """Two convolutions beside an identity, linear after the second.

    Args:
        channels: Of input and result.
        dilation: Of the first convolution.
        inner: Channels between the two; as many as outside if not given.

    References:
        Gross and Wilber 2016, Training and investigating residual nets.
    """

    def __init__(self, channels: int, *, dilation: int = 1, inner: int | None = None) -> None:
        super().__init__()
        between = inner or channels
        self.layers = nn.Sequential(
            FastLayer(channels, between, dilation=dilation),
            FastLayer(between, channels, threshold=False),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + cast("torch.Tensor", self.layers(features))


def _convolution(
    channels_in: int, channels_out: int, *, stride: int = 1, dilation: int = 1
) -> nn.Conv2d:
    # No bias: the normalization has one. Zeros beyond the edge would leave a frame around smooth
    # images, some 48 pixels wide.
    return nn.Conv2d(
        channels_in,
        channels_out,
        3,
        stride,
        padding=dilation,
        dilation=dilation,
        padding_mode="replicate",
        bias=False,
    )


def compress_range(images: torch.Tensor) -> torch.Tensor:
    """Compress values of any size into the range from 0.025 to 0.975.

    Values from 0.08 to 0.92 stay. Beyond, a hyperbola approaches the end of the range and never
    reaches it, so that details of a glaring area remain; a clamp would leave a flat blob of black
    or white.

    Args:
        images: Of any shape.

    Returns:
        Of the same shape.
    """
    above = functional.relu(images - (1 - _KNEE))
    below = functional.relu(_KNEE - images)
    compressed = _ROOM * (above / (_ROOM + above) - below / (_ROOM + below))
    return images.clamp(_KNEE, 1 - _KNEE) + compressed


def _smooth(features: torch.Tensor) -> torch.Tensor:
    """Features (N, C, H, W) after a binomial filter of 1, 2, 1 down and across: every pattern
    that repeats after two pixels becomes flat."""
    ends = functional.pad(features, (1, 1, 1, 1), mode="replicate")
    # 0.25, 0.5, 0.25, made on the device: a copy from the host cannot be part of a CUDA graph.
    steps = torch.arange(3, dtype=features.dtype, device=features.device)
    row = 0.5 - 0.25 * (steps - 1).abs()
    kernel = torch.outer(row, row).expand(features.shape[1], 1, 3, 3)
    return functional.conv2d(ends, kernel, groups=features.shape[1])
