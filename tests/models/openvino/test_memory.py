"""What painting takes: less where it is done strip by strip."""

from __future__ import annotations

from typing import get_args

import pytest

from vidstyle.core.context import Precision
from vidstyle.models.openvino.memory import network_memory
from vidstyle.models.style.style_file import Architecture, Credit, StyleInfo

SIZES = ((2160, 3840), (4320, 7680))


def told(
    architecture: Architecture,
    size: tuple[int, int],
    tile: int | None,
    precision: Precision = "bfloat16",
) -> int:
    info = StyleInfo("a", Credit(), architecture, 32)
    return network_memory(info, backend="openvino", precision=precision, size=size, tile=tile)


@pytest.mark.parametrize("architecture", get_args(Architecture))
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("size", SIZES)
def test_tiles_take_less_and_smaller_ones_no_more(
    architecture: Architecture, precision: Precision, size: tuple[int, int]
) -> None:
    tiles = [told(architecture, size, tile, precision) for tile in (None, 2048, 1024, 512, 256)]
    assert tiles[1] < tiles[0]
    assert sorted(tiles, reverse=True) == tiles


def test_the_largest_network_takes_less_than_half() -> None:
    assert (
        told("johnson", (2160, 3840), 2048) < 0.75 * 2**30 < told("johnson", (2160, 3840), None) / 2
    )


def test_a_tile_that_holds_the_image_changes_nothing() -> None:
    assert told("fast", (1080, 1920), 2048) == told("fast", (1080, 1920), None)


def test_torch_paints_whole_images_only() -> None:
    info = StyleInfo("a", Credit(), "johnson", 32)
    whole, tiled = (
        network_memory(info, backend="torch", precision="float32", size=(2160, 3840), tile=tile)
        for tile in (None, 256)
    )
    assert tiled == whole
