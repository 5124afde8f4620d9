"""Making a style ready for 8 bits: ranges from a few images, and the difference that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.graph import INPUT, fix_weights, read_graph
from vidstyle.models.openvino.quantization import (
    Ranges,
    measure_ranges,
    quantize,
    same_in_float32,
)
from vidstyle.models.openvino.runtime import compile_model

if TYPE_CHECKING:
    from vidstyle.models.style.network import StyleNetwork


@dataclass(frozen=True)
class EightBits:
    """What a style file holds for convolutions in 8 bits."""

    ranges: Ranges
    """None where the network has no convolutions for them."""
    error: float | None
    """Mean difference to float32, images being in [0, 1]; None without ranges."""


def measure_eight_bits(
    network: StyleNetwork, photos: Sequence[HostArray], others: Sequence[HostArray]
) -> EightBits:
    """Measure the ranges of a network, and how far images by them are from float32.

    All is computed in float32, whatever the processor has: the same network and photos give the
    same ranges.

    Args:
        network: Of a style.
        photos: (H, W, 3) RGB in [0, 1], all of one size: the ranges are theirs.
        others: Of that size, too: the difference is measured on these.

    Returns:
        Ranges and error.

    Raises:
        ValueError: There are no photos.
    """
    from vidstyle.models.style.graph_export import export_graph
    from vidstyle.models.style.style_file import stored_weights

    graph = export_graph(network.architecture, network.width)
    weights = {key: value.float().cpu().numpy() for key, value in stored_weights(network).items()}
    measured = measure_ranges(graph, weights, photos)
    # As the file has them; values that it cannot hold stay out of 8 bits.
    with np.errstate(over="ignore"):
        stored = {
            name: values.astype(np.float16).astype(np.float32) for name, values in measured.items()
        }
    ranges = {name: values for name, values in stored.items() if np.isfinite(values).all()}
    if not ranges:
        return EightBits({}, None)
    exact = _stylize_all(graph, weights, {}, others)
    rounded = _stylize_all(graph, weights, ranges, others)
    error = np.mean([np.abs(one - other).mean() for one, other in zip(rounded, exact, strict=True)])
    return EightBits(ranges, float(error))


def _stylize_all(
    graph: bytes, weights: Mapping[str, HostArray], ranges: Ranges, images: Sequence[HostArray]
) -> list[HostArray]:
    model = read_graph(graph)
    quantize(model, weights, ranges, same_in_float32)
    fix_weights(model, weights)
    model.reshape({INPUT: [1, 3, *images[0].shape[:2]]})
    request = compile_model(model, threads=1).create_infer_request()
    return [
        np.array(request.infer([np.ascontiguousarray(image.transpose(2, 0, 1))[None]])[0])
        for image in images
    ]
