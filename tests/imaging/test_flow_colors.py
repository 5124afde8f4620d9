"""Colors of flow against the wheel's closed form and against torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.utils import flow_to_image

from vidstyle.imaging.flow_colors import flow_colors

# Places on the wheel of red, yellow, green, cyan, blue, magenta, and red again.
CORNERS = [0, 15, 21, 25, 36, 49, 55]


def turning(count: int, length: float = 1.0) -> np.ndarray:
    """Flows (1, count, 2) of one length all around, none of them straight to the right."""
    angles = 2 * np.pi * (np.arange(count) + 0.5) / count
    return (length * np.stack([np.cos(angles), np.sin(angles)], -1))[np.newaxis].astype(np.float32)


def test_full_colors_follow_the_wheel() -> None:
    flow = turning(720)
    u, v = flow[0].astype(np.float64).T
    position = (np.arctan2(-v, -u) / np.pi + 1) / 2 * 54
    channels = [
        np.interp(position, CORNERS, values)
        for values in (
            [255, 255, 0, 0, 0, 255, 255],
            [0, 255, 255, 255, 0, 0, 0],
            [0, 0, 0, 255, 255, 255, 0],
        )
    ]
    colors = flow_colors(flow, longest=1.0)[0].astype(int)
    # One for the whole 255ths of the wheel's steps, one for those of the result.
    assert np.abs(colors - np.stack(channels, -1)).max() <= 2


def test_shorter_flow_is_paler_in_proportion() -> None:
    full = flow_colors(turning(360), longest=1.0).astype(float)
    half = flow_colors(turning(360), longest=2.0).astype(float)
    np.testing.assert_allclose(half, (255 + full) / 2, atol=1)


def test_colors_are_those_of_torchvision() -> None:
    flow = np.random.default_rng(0).normal(0, 3, (40, 50, 2)).astype(np.float32)
    expected = flow_to_image(torch.from_numpy(flow).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    assert np.abs(flow_colors(flow).astype(int) - expected.astype(int)).max() <= 1


def test_still_is_white_right_is_red_and_beyond_is_darker() -> None:
    flow = np.array([[[0, 0], [2, 0], [2, -0.0], [8, 0]]], np.float32)
    colors = flow_colors(flow, longest=2.0)[0].tolist()
    assert colors == [[255, 255, 255], [255, 0, 0], [255, 0, 0], [191, 0, 0]]


def test_flow_that_is_not_finite_is_black_and_leaves_the_rest() -> None:
    flow = np.zeros((1, 3, 2), np.float32)
    flow[0, 0], flow[0, 1] = (3, 0), (np.inf, 0)
    assert flow_colors(flow)[0].tolist() == [[255, 0, 0], [0, 0, 0], [255, 255, 255]]


def test_still_flow_alone_is_white() -> None:
    assert (flow_colors(np.zeros((4, 5, 2), np.float32)) == 255).all()


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="flow is"):
        flow_colors(np.zeros(shape, np.float32))


@pytest.mark.parametrize("longest", [0.0, -1.0, float("nan")])
def test_longest_is_positive(longest: float) -> None:
    with pytest.raises(ValueError, match="longest"):
        flow_colors(np.zeros((4, 5, 2), np.float32), longest=longest)
