"""What every style network promises, and stylizing images of any size with one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.style.architectures import SMALLEST_SIDE, ArchitectureName


class StyleNetwork(nn.Module, ABC):
    """Stylizes images (N, 3, H, W), RGB in [0, 1], whose sides are multiples of ``multiple``.

    Sides have at least ``SMALLEST_SIDE`` pixels; ``stylize`` takes images of any size. The result
    has the same shape: within [0, 1] in eval mode, and of any values in training mode.

    There is no sigmoid or tanh at the end; ``johnson-tanh``, which is as others trained it, is the
    exception. Either one reaches pure white or black only at infinity, so once a bright or
    saturated area is pushed out there the gradient vanishes and it stays a flat white blob. A
    linear output keeps its gradient, the range penalty of the training charges for what lies
    outside of [0, 1], and little is left to cut off.

    Args:
        width: Channels of its finest layers.

    Raises:
        ValueError: The width is below 1.
    """

    architecture: ClassVar[ArchitectureName]
    """Its name in the registry and in style files."""
    multiple: ClassVar[int] = 4
    """Sides that it takes are multiples of this."""

    def __init__(self, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"the width of a network is at least 1 channel, got {width}")
        self.width = width
        """Channels of its finest layers."""

    @abstractmethod
    def initialize(self, generator: torch.Generator) -> None:
        """Draw the weights at which a training starts; the output lies around mid-gray.

        Args:
            generator: Draws the weights.
        """


def stylize(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Stylize images of any size.

    Args:
        network: A ``StyleNetwork``, or a module that has its attributes and keeps its promise.
        images: (N, 3, H, W), RGB in [0, 1].

    Returns:
        New images of that shape.

    Raises:
        ValueError: The images have another shape.
    """
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        raise ValueError(f"images are (N, 3, H, W), none of them 0, got {tuple(images.shape)}")
    height, width = images.shape[2:]
    stylized = cast("torch.Tensor", network(_extend_to_size(network, images)))
    return stylized[:, :, :height, :width]


def _extend_to_size(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Images with as much more below and to the right as the network asks for."""
    multiple = cast("int", getattr(network, "multiple", StyleNetwork.multiple))
    height, width = images.shape[2:]
    below, right = (
        max(SMALLEST_SIDE, -(-side // multiple) * multiple) - side for side in (height, width)
    )
    images = _extend(images, (0, right, 0, 0), reflect=right < width)
    return _extend(images, (0, 0, 0, below), reflect=below < height)


def _extend(
    images: torch.Tensor, amounts: tuple[int, int, int, int], *, reflect: bool
) -> torch.Tensor:
    """By reflection, which looks like more of the image; by replication along a side that is
    too short to be reflected."""
    if not any(amounts):
        return images
    return functional.pad(images, amounts, mode="reflect" if reflect else "replicate")
