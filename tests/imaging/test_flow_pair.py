"""Flow layers of a pair, with a method whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.derived import Gray8
from vidstyle.imaging.flow_pair import Directions, both_ways, flow_layers, pair_layers


def brighter_is_later(first: Gray8, second: Gray8) -> HostArray:
    """(2, 1) from the brighter image to the darker one, and the opposite."""
    sign = 1 if first.mean() > second.mean() else -1
    return np.full((*first.shape, 2), (2 * sign, sign), np.float32)


def image(value: float, height: int = 40, width: int = 60) -> HostArray:
    return np.full((height, width, 3), value, np.float32)


def test_both_directions_lie_on_their_own_grids() -> None:
    layers = pair_layers(image(0.9), image(0.1), both_ways(brighter_is_later), directions="both")
    assert layers["flow"][0, 0].tolist() == [2, 1]
    assert layers["flow_from_previous"][0, 0].tolist() == [-2, -1]
    assert (layers["visible"][:-4, :-5] == 1).all()
    assert layers["visible"][:, -1].max() < 0.05
    assert (layers["visible_from_previous"][4:, 5:] == 1).all()
    assert layers["visible_from_previous"][:, 0].max() < 0.05


@pytest.mark.parametrize("directions", ["to_previous", "both"])
def test_without_a_previous_frame_all_is_zero(directions: Directions) -> None:
    layers = pair_layers(image(0.5), None, both_ways(brighter_is_later), directions=directions)
    assert tuple(layers) == flow_layers(directions)
    assert not any(layer.any() for layer in layers.values())


def test_flow_at_reduced_size_is_in_pixels_of_the_full_size() -> None:
    layers = pair_layers(
        image(0.9, 41, 60), image(0.1, 41, 60), both_ways(brighter_is_later), scale=0.5
    )
    assert layers["flow"].shape == (41, 60, 2)
    np.testing.assert_allclose(layers["flow"][20, 30], (2 * 60 / 30, 41 / 20), rtol=1e-6)


def test_the_smallest_image_keeps_its_size_at_any_scale() -> None:
    layers = pair_layers(
        image(0.9, 1, 1), image(0.1, 1, 1), both_ways(brighter_is_later), scale=0.1
    )
    assert layers["flow"].shape == (1, 1, 2)


def test_auto_compares_at_the_size_at_which_strokes_are_drawn() -> None:
    seen = []

    def method(first: Gray8, second: Gray8) -> HostArray:
        seen.append(first.shape)
        return brighter_is_later(first, second)

    layers = pair_layers(
        image(0.9, 720, 1280), image(0.1, 720, 1280), both_ways(method), scale="auto"
    )
    assert seen == [(360, 640)] * 2
    # Two pixels and one of an image half as large.
    assert layers["flow"][300, 300].tolist() == [4, 2]
    assert layers["flow_from_previous"][300, 300].tolist() == [-4, -2]
    assert layers["visible"].shape == (720, 1280)
    assert (layers["visible"][:-8, :-10] == 1).all()
    assert layers["visible"][:, -1].max() < 0.05


def test_auto_leaves_frames_up_to_that_size_as_they_are() -> None:
    images = image(0.9, 360, 640), image(0.1, 360, 640)
    auto, full = (
        pair_layers(*images, both_ways(brighter_is_later), scale=scale) for scale in ("auto", 1)
    )
    for name, layer in full.items():
        np.testing.assert_array_equal(auto[name], layer)
