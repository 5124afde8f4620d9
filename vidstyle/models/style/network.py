"""What every style network promises, and painting pictures of any size with one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, cast

import torch
from torch import nn
from torch.nn import functional


class StyleNetwork(nn.Module, ABC):
    """Paints pictures (N, 3, H, W), RGB in [0, 1], whose sides are multiples of ``multiple``.

    The pictures that it returns have the same shape: within [0, 1] in eval mode, and of any
    values in training mode. ``paint`` takes pictures of any size.

    There is no sigmoid or tanh at the end. Either one reaches pure white or black only
    at infinity, so once a bright or saturated area is pushed out there the gradient vanishes
    and it stays a flat white blob. A linear output keeps its gradient, training
    charges for what lies outside of [0, 1] (``losses.range_excess``), and little is left to cut
    off.
    """

    architecture: ClassVar[str]
    """Its name in style files."""
    multiple: ClassVar[int] = 4
    """Sides that it takes are multiples of this."""
    smallest: ClassVar[int] = 8
    """And at least this."""

    def __init__(self, width: int) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"the width of a network is at least 1 channel, got {width}")
        self.width = width
        """Channels of its finest layers."""

    @abstractmethod
    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights at which a training starts; the output lies around mid-grey."""


def paint(network: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Paint pictures (N, 3, H, W), RGB in [0, 1], of any size; the result has their shape.

    ``network`` is a ``StyleNetwork``, or a module that has its attributes and keeps its
    promise. Raises ValueError for another shape.
    """
    if pictures.ndim != 4 or pictures.shape[1] != 3 or 0 in pictures.shape:
        raise ValueError(f"pictures are (N, 3, H, W), none of them 0, got {tuple(pictures.shape)}")
    height, width = pictures.shape[2:]
    painted = cast("torch.Tensor", network(_extended(network, pictures)))
    return painted[:, :, :height, :width]


def _extended(network: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Pictures with as much more below and to the right as the network asks for."""
    multiple = cast("int", getattr(network, "multiple", StyleNetwork.multiple))
    smallest = cast("int", getattr(network, "smallest", StyleNetwork.smallest))
    height, width = pictures.shape[2:]
    below, right = (
        max(smallest, -(-side // multiple) * multiple) - side for side in (height, width)
    )
    pictures = _extend(pictures, (0, right, 0, 0), reflect=right < width)
    return _extend(pictures, (0, 0, 0, below), reflect=below < height)


def _extend(
    pictures: torch.Tensor, amounts: tuple[int, int, int, int], *, reflect: bool
) -> torch.Tensor:
    """By reflection, which looks like more of the picture; by replication along a side that is
    too short to be reflected."""
    if not any(amounts):
        return pictures
    return functional.pad(pictures, amounts, mode="reflect" if reflect else "replicate")
