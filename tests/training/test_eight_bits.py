"""Photos for 8 bits: spread over a folder, and enough for a style that stays near float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidstyle.models.style.architectures import empty_network
from vidstyle.training.eight_bits import measure_on_squares, spread_photos
from vidstyle.training.photos import list_photos


def test_sixteen_photos_are_spread_over_all() -> None:
    photos = [Path(f"{index}.jpg") for index in range(40)]
    chosen = spread_photos(photos)
    assert len(chosen) == len(set(chosen)) == 16
    assert chosen[0] == photos[0]
    assert chosen[-1] in photos[-4:]
    assert spread_photos(photos[:5]) == photos[:5]
    assert spread_photos(photos, 4) == photos[::10]


def test_a_network_gets_ranges_and_what_they_cost(photos: Path) -> None:
    network = empty_network("fast", 6).eval()
    network.initialize(torch.Generator().manual_seed(1))
    paths = list_photos(photos)
    found, again = (measure_on_squares(network, paths[:2], paths[2:4]) for _ in range(2))
    assert found.error is not None
    assert 0 < found.error < 2 / 255
    assert {values.shape for values in found.ranges.values()} == {(3, 18)}
    assert found.error == again.error
    # Of the photos that they were measured on, the difference is another one.
    same = measure_on_squares(network, paths[:2], paths[:2])
    assert same.error != found.error


@pytest.mark.parametrize("gain", [1e5, 1e30])
def test_what_a_style_file_cannot_hold_stays_out(photos: Path, gain: float) -> None:
    network = empty_network("fast", 6).eval()
    network.initialize(torch.Generator().manual_seed(1))
    with torch.no_grad():
        network.transform[1].layers[1][1].weight.mul_(gain)  # type: ignore[index,union-attr]  # a block
    found = measure_on_squares(network, list_photos(photos)[:2], list_photos(photos)[:2])
    assert "transform.1.layers.1.0.weight" in found.ranges
    assert "transform.2.layers.0.0.weight" not in found.ranges


def test_a_thin_network_has_none(photos: Path) -> None:
    network = empty_network("fast", 2).eval()
    network.initialize(torch.Generator().manual_seed(1))
    found = measure_on_squares(network, list_photos(photos)[:1], list_photos(photos)[:1])
    assert (found.ranges, found.error) == ({}, None)
