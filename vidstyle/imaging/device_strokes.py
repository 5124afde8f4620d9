"""What ``strokes`` does, by torch: within 1e-4 of it in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch.nn import functional

from vidstyle.imaging.strokes import LEAST_VARIANCE, REACH, STRONGEST, StrokeScale

# OpenCV's of BT.601.
_LUMA = (0.299, 0.587, 0.114)


def with_strokes_tensor(
    images: torch.Tensor,
    scale: StrokeScale | None,
    stylize: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Stylize images at another size, and give the results the images' own detail.

    Args:
        images: (N, 3, H, W) RGB in [0, 1].
        scale: None stylizes them as they are.
        stylize: Gives stylized images of the same shape.

    Returns:
        (N, 3, H, W) RGB in [0, 1].

    References:
        As ``strokes.with_strokes``.
    """
    if scale is None:
        return stylize(images)
    height, width = scale.small
    if not scale.reduces:
        return reduced_tensor(
            stylize(_enlarged(images, scale.small, "bicubic").clamp(0, 1)), *scale.size
        )
    small = reduced_tensor(images, height, width)
    return _with_detail(images, small, stylize(small), scale)


def at_scale(planes: torch.Tensor, scale: StrokeScale | None) -> torch.Tensor:
    """Give layers beside images the size at which these are stylized.

    Args:
        planes: (N, C, H, W), such as a mask.
        scale: None keeps their size.

    Returns:
        (N, C, h, w).
    """
    if scale is None:
        return planes
    if scale.reduces:
        return reduced_tensor(planes, *scale.small)
    return _enlarged(planes, scale.small, "bilinear")


def flow_at_scale(flow: torch.Tensor, scale: StrokeScale | None) -> torch.Tensor:
    """Give flow the size at which images are stylized, and its vectors that size's pixels.

    Args:
        flow: (N, 2, H, W) in pixels.
        scale: None keeps its size.

    Returns:
        (N, 2, h, w) in pixels of that size.
    """
    if scale is None:
        return flow
    (height, width), (small_height, small_width) = scale.size, scale.small
    factors = torch.tensor([small_width / width, small_height / height], device=flow.device)
    return at_scale(flow, scale) * factors[:, None, None]


def reduced_tensor(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Reduce images, each pixel the mean of the area that it covers.

    Args:
        images: (N, C, H, W).
        height: Of the result, in pixels.
        width: Likewise.

    Returns:
        (N, C, height, width).
    """
    rows = _areas(images.shape[2], height).to(images.device)
    columns = _areas(images.shape[3], width).to(images.device)
    return rows @ images @ columns.T


def _with_detail(
    images: torch.Tensor, small: torch.Tensor, stylized: torch.Tensor, scale: StrokeScale
) -> torch.Tensor:
    luma = _luma(small)
    lost = _luma(images) - _enlarged(luma, scale.size, "bicubic")
    mean, own_mean = _mean(luma), _mean(stylized)
    variance = (_mean(luma * luma) - mean * mean).clamp(min=0) + LEAST_VARIANCE
    own_variance = (_mean(stylized * stylized) - own_mean * own_mean).clamp(min=0)
    together = _mean(stylized * luma) - own_mean * mean
    weight = together.sign() * together.abs().sqrt() * (own_variance / variance**3) ** 0.25
    weight = _mean((scale.detail * weight).clamp(-STRONGEST, STRONGEST))
    large = _enlarged(stylized, scale.size, "bicubic")
    return (large + _enlarged(weight, scale.size, "bilinear") * lost).clamp(0, 1)


def _luma(images: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(_LUMA, device=images.device)[:, None, None]
    return (images * weights).sum(1, keepdim=True)


def _mean(images: torch.Tensor) -> torch.Tensor:
    padded = functional.pad(images, (REACH,) * 4, mode="reflect")
    return functional.avg_pool2d(padded, 2 * REACH + 1, stride=1)


def _enlarged(images: torch.Tensor, size: tuple[int, int], mode: str) -> torch.Tensor:
    return functional.interpolate(images, size=size, mode=mode, align_corners=False)


@lru_cache(maxsize=16)
def _areas(length: int, wanted: int) -> torch.Tensor:
    """(wanted, length): the part of each pixel that lies within each larger one."""
    edges = torch.arange(wanted + 1, dtype=torch.float64) * length / wanted
    pixels = torch.arange(length, dtype=torch.float64)
    covered = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (covered.clamp(min=0) * wanted / length).float()
