"""Networks of pytorch/examples fast_neural_style as they were published: weights, and results.

Written as functions of the weights, on images of 0 to 255: what imported styles are held to.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]
Enlarging = Literal["resize", "transposed"]


def original_weights(
    width: int = 2, *, enlarging: Enlarging = "resize", by_hand: bool = False, seed: int = 0
) -> Weights:
    """Random weights by the published keys; ``by_hand`` has the first normalization's."""
    generator = torch.Generator().manual_seed(seed)
    convolutions = {
        "conv1.conv2d": (width, 3, 9, 9),
        "conv2.conv2d": (2 * width, width, 3, 3),
        "conv3.conv2d": (4 * width, 2 * width, 3, 3),
        "deconv3.conv2d": (3, width, 9, 9),
    }
    for layer in range(1, 6):
        for part in (1, 2):
            convolutions[f"res{layer}.conv{part}.conv2d"] = (4 * width, 4 * width, 3, 3)
    for layer, into, out in ((1, 4 * width, 2 * width), (2, 2 * width, width)):
        if enlarging == "resize":
            convolutions[f"deconv{layer}.conv2d"] = (out, into, 3, 3)
        else:
            convolutions[f"deconv{layer}"] = (into, out, 3, 3)
    weights = {}
    for name, shape in convolutions.items():
        channels = shape[1] if name in ("deconv1", "deconv2") else shape[0]
        weights[f"{name}.weight"] = torch.randn(shape, generator=generator) / 3
        weights[f"{name}.bias"] = torch.randn(channels, generator=generator)
    # Results within and beyond 0 to 255.
    weights["deconv3.conv2d.weight"] *= 20
    weights["deconv3.conv2d.bias"] += 128
    first, second = ("scale", "shift") if by_hand else ("weight", "bias")
    for name, channels in _normalizations(width).items():
        weights[f"{name}.{first}"] = 1 + torch.randn(channels, generator=generator) / 4
        weights[f"{name}.{second}"] = torch.randn(channels, generator=generator) / 4
    return weights


def with_statistics(weights: Weights, *, counted: bool = False) -> Weights:
    """With the running statistics that torch before 0.4, or a network set to, kept."""
    stems = [key.removesuffix(".weight") for key in weights if ".in" in f".{key}"]
    added = dict(weights)
    for stem in (stem for stem in stems if f"{stem}.weight" in weights):
        added[f"{stem}.running_mean"] = torch.full_like(weights[f"{stem}.weight"], 3)
        added[f"{stem}.running_var"] = torch.full_like(weights[f"{stem}.weight"], 5)
        if counted:
            added[f"{stem}.num_batches_tracked"] = torch.tensor(7)
    return added


def stylize_originally(weights: Weights, images: torch.Tensor) -> torch.Tensor:
    """Stylize (N, 3, H, W), 0 to 255 in and out, not clamped; H and W multiples of 4."""
    features = images
    for layer, stride in ((1, 1), (2, 2), (3, 2)):
        features = _convolve(weights, f"conv{layer}.conv2d", features, stride)
        features = _normalize(weights, f"in{layer}", features).relu()
    for block in range(1, 6):
        inner = _convolve(weights, f"res{block}.conv1.conv2d", features)
        inner = _normalize(weights, f"res{block}.in1", inner).relu()
        inner = _convolve(weights, f"res{block}.conv2.conv2d", inner)
        features = features + _normalize(weights, f"res{block}.in2", inner)
    for layer in (1, 2):
        features = _enlarge(weights, f"deconv{layer}", features)
        features = _normalize(weights, f"in{layer + 3}", features).relu()
    return _convolve(weights, "deconv3.conv2d", features)


def _convolve(weights: Weights, name: str, features: torch.Tensor, stride: int = 1) -> torch.Tensor:
    weight = weights[f"{name}.weight"]
    reach = weight.shape[-1] // 2
    padded = functional.pad(features, (reach, reach, reach, reach), mode="reflect")
    return functional.conv2d(padded, weight, weights[f"{name}.bias"], stride)


def _enlarge(weights: Weights, name: str, features: torch.Tensor) -> torch.Tensor:
    if f"{name}.conv2d.weight" in weights:
        larger = features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        return _convolve(weights, f"{name}.conv2d", larger)
    return functional.conv_transpose2d(
        features,
        weights[f"{name}.weight"],
        weights[f"{name}.bias"],
        stride=2,
        padding=1,
        output_padding=1,
    )


def _normalize(weights: Weights, name: str, features: torch.Tensor) -> torch.Tensor:
    by_hand = f"{name}.scale" in weights
    first, second, epsilon = ("scale", "shift", 1e-9) if by_hand else ("weight", "bias", 1e-5)
    centered = features - features.mean(dim=(2, 3), keepdim=True)
    variance = centered.square().mean(dim=(2, 3), keepdim=True)
    scale, shift = (weights[f"{name}.{part}"][:, None, None] for part in (first, second))
    return centered / (variance + epsilon).sqrt() * scale + shift


def _normalizations(width: int) -> dict[str, int]:
    outer = {f"in{layer}": factor * width for layer, factor in enumerate((1, 2, 4, 2, 1), 1)}
    inner = {f"res{b}.in{part}": 4 * width for b in range(1, 6) for part in (1, 2)}
    return outer | inner
