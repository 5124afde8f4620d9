"""RAFT on large images: compared at a smaller size, so that memory suffices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vidstyle.core.layers import HostArray
from vidstyle.imaging.flow_pair import enlarged_flow, reduced_size

if TYPE_CHECKING:
    import torch

    from vidstyle.models.flow.raft import Raft

MOST_PIXELS = 1280 * 720
"""That ``auto_scale`` compares: their correlations take 2 GiB, those of 4 times as many 33."""


def auto_scale(height: int, width: int) -> float:
    """The scale in (0, 1] at which images of this size have at most ``MOST_PIXELS``."""
    return min(1.0, math.sqrt(MOST_PIXELS / (width * height)))


def scaled_flows(
    raft: Raft, first: torch.Tensor, second: torch.Tensor, scale: float
) -> tuple[HostArray, HostArray]:
    """Flow from ``first`` to ``second`` and the other way, found at ``scale`` in (0, 1].

    Images are (3, H, W) RGB in [0, 1] on any device; flows are (H, W, 2) in pixels of the full
    size, each on the grid it begins at.
    """
    height, width = first.shape[1:]
    forward, backward = raft.tensor_flows(_reduced(first, scale), _reduced(second, scale))
    return (
        enlarged_flow(_on_host(forward), height, width),
        enlarged_flow(_on_host(backward), height, width),
    )


def _reduced(image: torch.Tensor, scale: float) -> torch.Tensor:
    """(3, h, w) of (3, H, W), each pixel a mean over those that it stands for."""
    if scale == 1:
        return image
    from torch.nn import functional

    size = reduced_size(image.shape[1], image.shape[2], scale)
    smaller = functional.interpolate(image[None], size, mode="bilinear", antialias=True)
    return smaller[0]


def _on_host(flow: torch.Tensor) -> HostArray:
    array: HostArray = flow.permute(1, 2, 0).contiguous().cpu().numpy()
    return array
