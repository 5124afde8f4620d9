"""Networks of lengstrom's fast-style-transfer in numpy and scipy: weights by number, and results.

Written from TensorFlow's definitions, in float64, for one image of 0 to 255: what imported styles
are held to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import convolve2d, correlate2d

from tests.models.original_networks import Weights

Array = npt.NDArray[np.float64]


def numbered_weights(width: int = 2, *, seed: int = 0) -> Weights:
    """Random weights: kernel, what is added and factors of each of the sixteen layers."""
    random = np.random.default_rng(seed)
    kernels = [
        (9, 9, 3, width),
        (3, 3, width, 2 * width),
        (3, 3, 2 * width, 4 * width),
        *[(3, 3, 4 * width, 4 * width)] * 10,
        # Transposed convolutions have their outputs first.
        (3, 3, 2 * width, 4 * width),
        (3, 3, width, 2 * width),
        (9, 9, width, 3),
    ]
    weights: Weights = {}
    for layer, shape in enumerate(kernels):
        channels = shape[2] if layer in (13, 14) else shape[3]
        arrays = (
            random.normal(0, 0.3, shape),
            random.normal(0, 0.3, channels),
            random.normal(1, 0.3, channels),
        )
        for place, array in enumerate(arrays):
            number = 3 * layer + place
            key = f"Variable_{number}" if number else "Variable"
            weights[key] = torch.from_numpy(array.astype(np.float16))
    return weights


def stylize_numbered(weights: Weights, image: Array) -> Array:
    """Stylize (H, W, 3), 0 to 255 in and out, not clamped; H and W multiples of 4."""
    arrays = iter(weights[f"Variable_{n}" if n else "Variable"].double().numpy() for n in range(48))
    features = _layer(arrays, image, relu=True)
    for _ in range(2):
        features = _layer(arrays, features, stride=2, relu=True)
    for _ in range(5):
        inner = _layer(arrays, features, relu=True)
        features = features + _layer(arrays, inner)
    for _ in range(2):
        features = np.maximum(_normalize(arrays, _enlarge(next(arrays), features)), 0)
    return np.tanh(_layer(arrays, features)) * 150 + 255 / 2


def _layer(
    arrays: Iterator[Array], features: Array, *, stride: int = 1, relu: bool = False
) -> Array:
    found = _normalize(arrays, _convolve(next(arrays), features, stride))
    return np.maximum(found, 0) if relu else found


def _convolve(kernel: Array, features: Array, stride: int) -> Array:
    """TensorFlow's conv2d with SAME padding: the smaller half of the zeros comes first."""
    side, size = kernel.shape[0], features.shape[0]
    zeros = max(0, (-(-size // stride) - 1) * stride + side - size)
    assert features.shape[1] % stride == size % stride
    before = zeros // 2
    padded = np.pad(features, ((before, zeros - before),) * 2 + ((0, 0),))
    return np.stack(
        [
            sum(
                correlate2d(padded[..., i], kernel[..., i, o], "valid")[::stride, ::stride]
                for i in range(kernel.shape[2])
            )
            for o in range(kernel.shape[3])
        ],
        axis=-1,
    )


def _enlarge(kernel: Array, features: Array) -> Array:
    """TensorFlow's conv2d_transpose with SAME padding and a stride of 2.

    It is the gradient of the convolution from twice the size, whose one row of zeros lies below:
    each pixel adds the kernel to what it came from, and what falls on the zeros is lost.
    """
    height, width, channels = features.shape
    spread = np.zeros((2 * height - 1, 2 * width - 1, channels))
    spread[::2, ::2] = features
    whole = [
        sum(convolve2d(spread[..., i], kernel[..., o, i], "full") for i in range(channels))
        for o in range(kernel.shape[2])
    ]
    return np.stack(whole, axis=-1)[: 2 * height, : 2 * width]


def _normalize(arrays: Iterator[Array], features: Array) -> Array:
    added, factors = next(arrays), next(arrays)
    centered = features - features.mean(axis=(0, 1))
    variance = np.square(centered).mean(axis=(0, 1))
    return factors * centered / np.sqrt(variance + 1e-3) + added
