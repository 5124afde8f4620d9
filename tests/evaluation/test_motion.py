"""Occlusions against the truth of a scene, and what stands still."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.evaluation.motion import PairMotion, occluded, pair_motion
from vidstyle.testing.scene import Scene, Surface, moves
from vidstyle.testing.textures import Disc, make_waves

WIDTH, HEIGHT = 96, 80


def ball(step: float = 6) -> Scene:
    """A disc that moves right over a still image."""
    behind = Surface(make_waves(0), moves([(0, 0), (0, 0)]))
    disc = Disc(make_waves(1), (40.0, 40.0), (14.0, 14.0))
    return Scene((behind, Surface(disc, moves([(0, 0), (step, 0)]))), WIDTH, HEIGHT)


def motion_of(scene: Scene) -> PairMotion:
    return PairMotion(scene.motion(0, 1)[0], scene.motion(1, 0)[0])


def test_motion_lies_on_the_grid_of_the_earlier_frame() -> None:
    forward = np.full((HEIGHT, WIDTH, 2), (3, 0), np.float32)
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    motion = pair_motion(image, image, lambda first, second: (forward, -forward))
    assert motion.mask[:, : WIDTH - 3].all()
    assert not motion.mask[:, WIDTH - 3 :].any()


def test_occlusions_are_those_of_the_scene() -> None:
    scene = ball()
    backward, visible = scene.motion(1, 0)
    hidden = occluded(backward, scene.motion(0, 1)[0])
    # The strip that the disc has left is uncovered; its rim mixes two surfaces.
    strip = (scene.owner(1) == 0) & (scene.owner(0) == 1)
    assert strip.sum() > 50
    assert hidden[strip].mean() > 0.95
    assert not hidden[(visible == 1)].any()


def test_near_an_occlusion_is_within_five_pixels() -> None:
    motion = motion_of(ball())
    hidden = np.argwhere(occluded(motion.backward, motion.forward))
    places = np.argwhere(np.ones((HEIGHT, WIDTH), np.bool_))
    away = np.sqrt(np.square(places[:, None] - hidden[None]).sum(2).min(1))
    expected = (away <= 5).reshape(HEIGHT, WIDTH)
    np.testing.assert_array_equal(motion.near_occlusions, expected)


def test_a_motion_boundary_alone_is_no_occlusion() -> None:
    x = np.arange(WIDTH, dtype=np.float32)
    forward = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    # Two halves that slide along each other: steep, and hiding nothing but at the frame's edge.
    forward[:, :, 1] = np.where(x < WIDTH / 2, 3, 0)
    motion = PairMotion(forward, -forward)
    inside = slice(4, -4)
    assert not occluded(forward, -forward)[inside].any()
    assert not motion.mask[inside, WIDTH // 2].any()
    assert not motion.near_occlusions[10:-10].any()


@pytest.mark.parametrize(("length", "still"), [(0.19, True), (0.21, False)])
def test_still_is_what_moves_less_than_a_fifth_of_a_pixel_both_ways(
    length: float, still: bool
) -> None:
    flow = np.full((HEIGHT, WIDTH, 2), (0, length), np.float32)
    nothing = np.zeros_like(flow)
    assert PairMotion(flow, nothing).still.all() == still
    assert PairMotion(nothing, flow).still.all() == still


def test_where_nothing_is_hidden_nothing_is_near() -> None:
    nothing = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert not PairMotion(nothing, nothing).near_occlusions.any()
