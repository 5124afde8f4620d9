"""Making a style ready for 8 bits: ranges from a few images, and the difference that they make.

Frames go further than photos. A normalization divides by what there is in an image: where most of
it is flat, the rest becomes large. Ranges are therefore measured on photos, and on the same photos
faint, blurred, and small on a flat background; and where 8 bits differ too much on these, the
convolutions that differ most stay out of them.

Why it is built so: docs/decisions/038-eight-bits.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
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

# Of contrast, of the sides, and of the shorter side.
_FAINT, _SMALL, _BLUR = 0.1, 0.3, 0.025
# Mean difference above which a convolution stays out: frames go further than these images.
_WANTED = 1.1 / 255
# Each takes 1 to 3 % more of the time in bfloat16.
_MOST_LEFT_OUT = 2
# Photos that decide about it.
_DECIDING = 4


@dataclass(frozen=True)
class EightBits:
    """What a style file holds for convolutions in 8 bits."""

    ranges: Ranges
    """None where the network has no convolutions for them."""
    error: float | None
    """Mean difference to float32, images being in [0, 1], of the kind of image where it is largest;
    None without ranges."""


def measure_eight_bits(
    network: StyleNetwork, photos: Sequence[HostArray], others: Sequence[HostArray]
) -> EightBits:
    """Measure the ranges of a network, and how far images by them are from float32.

    All is computed in float32, whatever the processor has: the same network and photos give the
    same ranges.

    Args:
        network: Of a style.
        photos: (H, W, 3) RGB in [0, 1], all of one size: the ranges are theirs.
        others: Of that size, at least one: the difference is measured on these.

    Returns:
        Ranges and error.

    Raises:
        ValueError: There are no photos.
    """
    from vidstyle.models.style.graph_export import export_graph
    from vidstyle.models.style.style_file import stored_weights

    graph = export_graph(network.architecture, network.width)
    weights = {key: value.float().cpu().numpy() for key, value in stored_weights(network).items()}
    ranges = _storable(_measure_wide_ranges(graph, weights, photos))
    if not ranges:
        return EightBits({}, None)
    deciding = _Difference(graph, weights, others[:_DECIDING])
    ranges = _leave_out_worst(deciding, ranges)
    few = len(others) <= _DECIDING
    difference = deciding if few else _Difference(graph, weights, others)
    return EightBits(ranges, difference.largest_mean(ranges))


def vary_photo(photo: HostArray) -> Mapping[str, HostArray]:
    """Make images of a photo that are flat for the most part, as frames of clips may be.

    Args:
        photo: (H, W, 3) RGB in [0, 1].

    Returns:
        Images of that shape by what they are, the photo itself among them.
    """
    mean = photo.mean((0, 1), dtype=np.float64).astype(np.float32)
    black, white = np.zeros(3, np.float32), np.ones(3, np.float32)
    spread = max(1.0, _BLUR * min(photo.shape[:2]))
    return {
        "photo": photo,
        "faint": mean + np.float32(_FAINT) * (photo - mean),
        "blurred": np.asarray(cv2.GaussianBlur(photo, (0, 0), spread), np.float32),
        "on black": _put_small(photo, black),
        "on white": _put_small(photo, white),
        "on its mean": _put_small(photo, mean),
    }


def _put_small(photo: HostArray, color: HostArray) -> HostArray:
    """The photo small in the middle of an image of one color."""
    small = cv2.resize(photo, None, fx=_SMALL, fy=_SMALL, interpolation=cv2.INTER_AREA)
    (height, width), (whole, wide) = small.shape[:2], photo.shape[:2]
    top, left = (whole - height) // 2, (wide - width) // 2
    image = np.broadcast_to(color, photo.shape).copy()
    image[top : top + height, left : left + width] = small
    return image


def _measure_wide_ranges(
    graph: bytes, weights: Mapping[str, HostArray], photos: Sequence[HostArray]
) -> Ranges:
    """Ends by all images of the photos; means, by which weights are corrected, by the photos."""
    images = [image for photo in photos for image in vary_photo(photo).values()]
    means = measure_ranges(graph, weights, photos)
    ends = measure_ranges(graph, weights, images)
    return {name: np.stack([*ends[name][:2], means[name][2]]) for name in means}


def _storable(measured: Ranges) -> Ranges:
    """As a file has them, in float16; values that it cannot hold stay out of 8 bits."""
    with np.errstate(over="ignore"):
        stored = {
            name: values.astype(np.float16).astype(np.float32) for name, values in measured.items()
        }
    return {name: values for name, values in stored.items() if np.isfinite(values).all()}


def _leave_out_worst(difference: _Difference, ranges: Ranges) -> Ranges:
    for _ in range(_MOST_LEFT_OUT):
        if len(ranges) == 1 or difference.largest_mean(ranges) <= _WANTED:
            break
        choices = [{key: ranges[key] for key in ranges if key != name} for name in ranges]
        ranges = min(choices, key=difference.largest_mean)
    return ranges


class _Difference:
    """What 8 bits change in the images of some photos.

    A blurred photo has next to nothing to divide by: bfloat16 differs more there than 8 bits do.
    It does not count.
    """

    def __init__(
        self, graph: bytes, weights: Mapping[str, HostArray], photos: Sequence[HostArray]
    ) -> None:
        self._graph, self._weights = graph, weights
        self._varied = [
            {kind: image for kind, image in vary_photo(photo).items() if kind != "blurred"}
            for photo in photos
        ]
        self._exact = self._stylize_all({})

    def largest_mean(self, ranges: Ranges) -> float:
        """The mean difference over the photos, of the kind of image where it is largest."""
        rounded = self._stylize_all(ranges)
        pairs = list(zip(rounded, self._exact, strict=True))
        return max(
            float(np.mean([np.abs(one[kind] - other[kind]).mean() for one, other in pairs]))
            for kind in self._varied[0]
        )

    def _stylize_all(self, ranges: Ranges) -> list[dict[str, HostArray]]:
        model = read_graph(self._graph)
        quantize(model, self._weights, ranges, same_in_float32)
        fix_weights(model, self._weights)
        model.reshape({INPUT: [1, 3, *self._varied[0]["photo"].shape[:2]]})
        request = compile_model(model, threads=1).create_infer_request()
        return [
            {kind: _infer(request, image) for kind, image in images.items()}
            for images in self._varied
        ]


def _infer(request: Any, image: HostArray) -> HostArray:
    return np.array(request.infer([np.ascontiguousarray(image.transpose(2, 0, 1))[None]])[0])
