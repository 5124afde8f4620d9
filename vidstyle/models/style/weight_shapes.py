"""The weights that the networks of styles have, by name: known without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidstyle.models.style.style_file import Architecture

Shape = tuple[int, ...]
_Named = Iterator[tuple[str, Shape]]

_BLOCKS = 5


def weight_shapes(architecture: Architecture, width: int) -> Mapping[str, Shape]:
    """Name and shape of each weight of a network, as in its state dict and in style files."""
    if architecture == "fast":
        return dict(_fast(width))
    return dict(_johnson(width, transposed=architecture == "johnson-fractional"))


def _fast(width: int) -> _Named:
    body = 3 * width
    yield from _response_layer("encode", 4 * 3, width)
    yield from _response_layer("reduce", width, body)
    for block in range(_BLOCKS):
        yield from _response_layer(f"transform.{block}.layers.0", body, body)
        yield from _response_layer(f"transform.{block}.layers.1", body, body, threshold=False)
    yield from _response_layer("decode", body, width, first=1)
    yield "output.weight", (4 * 3, width, 3, 3)
    yield "output.bias", (4 * 3,)


def _response_layer(
    name: str, channels_in: int, channels_out: int, *, threshold: bool = True, first: int = 0
) -> _Named:
    yield f"{name}.{first}.weight", (channels_out, channels_in, 3, 3)
    for part in ("weight", "bias", *(("threshold",) if threshold else ())):
        yield f"{name}.{first + 1}.{part}", (1, channels_out, 1, 1)


def _johnson(width: int, *, transposed: bool) -> _Named:
    yield from _instance_layer("encode.0", (width, 3, 9, 9))
    yield from _instance_layer("encode.1", (2 * width, width, 3, 3))
    yield from _instance_layer("encode.2", (4 * width, 2 * width, 3, 3))
    for block in range(_BLOCKS):
        for layer in range(2):
            shape = (4 * width, 4 * width, 3, 3)
            yield from _instance_layer(f"transform.{block}.layers.{layer}", shape)
    for position, channels in ((0, 4 * width), (1, 2 * width)):
        half = channels // 2
        if transposed:
            yield f"decode.{3 * position}.weight", (channels, half, 3, 3)
            yield from _affine(f"decode.{3 * position + 1}", half)
        else:
            yield from _instance_layer(f"decode.{2 * position + 1}", (half, channels, 3, 3))
    yield "output.weight", (3, width, 9, 9)
    yield "output.bias", (3,)


def _instance_layer(name: str, kernel: Shape) -> _Named:
    yield f"{name}.0.weight", kernel
    yield from _affine(f"{name}.1", kernel[0])


def _affine(name: str, channels: int) -> _Named:
    yield f"{name}.weight", (channels,)
    yield f"{name}.bias", (channels,)
