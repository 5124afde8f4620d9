"""Flow and mask of moving surfaces against closed forms and images made by hand."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from vidstyle.core import HostArray
from vidstyle.testing.textures import make_waves
from vidstyle.training.composition import Box, MovingPlane, PlaneMotion, compose
from vidstyle.training.pairs import Pair

SIDE = 64
CENTER = (30.3, 33.8)
EVERYTHING = PlaneMotion((3.4, -2.1), math.radians(3), 0.04, (2e-4, -3e-4))


def waves(seed: int, side: int = 121) -> HostArray:
    """A smooth texture: no detail that sampling between its pixels could miss."""
    y, x = np.mgrid[:side, :side].astype(np.float64)
    return make_waves(seed)(x, y)[0].astype(np.float32)


def host(pair: Pair, name: str) -> npt.NDArray[np.float64]:
    return getattr(pair, name)[0].permute(1, 2, 0).double().numpy()


def warped(image: npt.NDArray[np.float64], flow: npt.NDArray[np.float64]) -> npt.NDArray:
    """Bilinear sampling by its definition, the edge repeated."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width] + flow.transpose(2, 0, 1)[::-1]
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    top, left = (np.floor(v).astype(int) for v in (rows, columns))
    down, right = ((v - np.floor(v))[..., None] for v in (rows, columns))
    below, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    upper = image[top, left] * (1 - right) + image[top, beside] * right
    lower = image[below, left] * (1 - right) + image[below, beside] * right
    return upper * (1 - down) + lower * down


@pytest.mark.parametrize(
    ("motion", "matrix"),
    [
        (PlaneMotion((3.0, -2.0)), [[1, 0], [0, 1]]),
        (PlaneMotion(turn=0.1), [[math.cos(0.1), math.sin(0.1)], [-math.sin(0.1), math.cos(0.1)]]),
        (PlaneMotion(zoom=math.log(1.25)), [[0.8, 0], [0, 0.8]]),
    ],
)
def test_flow_of_a_simple_motion_has_its_closed_form(
    motion: PlaneMotion, matrix: list[list[float]]
) -> None:
    """A point x now was at c + A (x - c) - shift before."""
    flow = MovingPlane(waves(0), CENTER, motion).flow(Box(0, 0, SIDE, SIDE))
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.stack([x, y], axis=-1) - CENTER
    expected = away @ np.transpose(matrix) - away - motion.shift
    np.testing.assert_allclose(flow, expected, atol=2e-5)


def test_flow_of_any_motion_leads_to_the_same_point_of_the_texture() -> None:
    surface = MovingPlane(waves(0), CENTER, EVERYTHING)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    flow = surface.flow(Box(0, 0, SIDE, SIDE))
    now = np.stack([x, y, np.ones_like(x)])
    before = np.stack([x + flow[..., 0], y + flow[..., 1], np.ones_like(x)])
    points = []
    for share, places in ((0.5, now), (-0.5, before)):
        point = np.linalg.solve(surface.pose(share), places.reshape(3, -1))
        points.append(point[:2] / point[2])
    np.testing.assert_allclose(points[0], points[1], atol=1e-4)
    assert np.abs(flow).max() > 3


def test_the_previous_image_warped_by_the_flow_is_the_current_one() -> None:
    pair = compose(MovingPlane(waves(0), CENTER, EVERYTHING), None, SIDE)
    error = np.abs(warped(host(pair, "previous"), host(pair, "flow")) - host(pair, "current"))
    seen = host(pair, "visible")
    # Bilinear interpolation of waves of 10 px and more; and OpenCV rounds to 1/32 px.
    assert (error * seen).max() < 0.03
    assert (error * seen).mean() < 0.003
    assert 0.8 < seen.mean() < 1


def test_so_it_is_behind_and_on_a_foreground() -> None:
    shape = np.zeros((41, 41), np.float32)
    shape[8:33, 10:31] = 1
    front = MovingPlane(waves(1, 41), (33.2, 30.7), PlaneMotion((-4.3, 3.6), -0.05, -0.03), shape)
    pair = compose(MovingPlane(waves(0), CENTER, EVERYTHING), front, SIDE)
    error = np.abs(warped(host(pair, "previous"), host(pair, "flow")) - host(pair, "current"))
    seen = host(pair, "visible")
    assert (error * seen).max() < 0.04
    assert (error * (1 - seen)).max() > 0.1
    flow = host(pair, "flow")
    assert np.abs(flow[30, 33] - flow[2, 2]).max() > 4


@pytest.fixture
def square() -> MovingPlane:
    """9x9 pixels around (20, 16) that go 4 to the right: from 18 to 22."""
    return MovingPlane(
        np.full((11, 11, 3), 0.9, np.float32), (20, 16), PlaneMotion((4, 0)), framed(9)
    )


def framed(side: int) -> HostArray:
    return np.pad(np.ones((side, side), np.float32), 1)


def still() -> MovingPlane:
    return MovingPlane(waves(2), (23.7, 23.2), PlaneMotion())


def test_what_the_foreground_uncovers_is_not_visible(square: MovingPlane) -> None:
    pair = compose(still(), square, 48)
    expected = np.ones((48, 48))
    expected[12:21, 14:18] = 0
    np.testing.assert_array_equal(pair.visible[0, 0], expected)
    flow = np.zeros((2, 48, 48))
    flow[0, 12:21, 18:27] = -4
    np.testing.assert_array_equal(pair.flow[0], flow)
    covered = (pair.previous[0] - 0.9).abs().amax(0) < 1e-3
    np.testing.assert_array_equal(covered.nonzero().amin(0), [12, 14])
    np.testing.assert_array_equal(covered.nonzero().amax(0), [20, 22])


def test_what_comes_into_the_image_is_not_visible() -> None:
    pair = compose(MovingPlane(waves(2), (23.7, 23.2), PlaneMotion((3, -5))), None, 48)
    expected = np.ones((48, 48))
    expected[:, :3] = 0
    expected[-5:] = 0
    np.testing.assert_array_equal(pair.visible[0, 0], expected)


def test_mixed_pixels_are_not_visible(square: MovingPlane) -> None:
    half = MovingPlane(square.texture, square.center, PlaneMotion((1, 0)), square.shape)
    pair = compose(still(), half, 48)
    hidden = (pair.visible[0, 0] == 0).nonzero()
    # Half covered now: columns 16 and 25. All else that 15.5 to 24.5 covered is still covered.
    assert sorted(set(hidden[:, 1].tolist())) == [15, 16, 25]
    assert sorted(set(hidden[:, 0].tolist())) == list(range(12, 21))


def test_nothing_is_hidden_where_both_move_alike(square: MovingPlane) -> None:
    camera = MovingPlane(waves(2), (23.7, 23.2), PlaneMotion((4, 0)))
    visible = compose(camera, square, 48).visible[0, 0]
    assert (visible[:, :4] == 0).all()
    assert (visible[:, 4:] == 1).all()


def test_a_still_scene_is_the_same_image_twice() -> None:
    front = MovingPlane(waves(1, 21), (20.4, 16.9), PlaneMotion(), framed(19))
    pair = compose(still(), front, 48)
    assert (pair.previous == pair.current).all()
    assert not pair.flow.any()
    assert (pair.visible == 1).all()


def test_a_foreground_outside_of_the_image_changes_nothing(square: MovingPlane) -> None:
    away = MovingPlane(square.texture, (90.0, 16.0), square.motion, square.shape)
    pair, single = compose(still(), away, 48), compose(still(), None, 48)
    assert (pair.current == single.current).all()
    assert (pair.visible == 1).all()
    assert not away.box(48)


def test_a_foreground_is_only_where_its_shape_is() -> None:
    whole = MovingPlane(
        waves(1, 21), (20.4, 16.9), PlaneMotion((2, 1), 0.3), np.ones((21, 21), np.float32)
    )
    pair, single = compose(still(), whole, 96), compose(still(), None, 96)
    changed = (pair.current != single.current).any(1)[0].nonzero()
    assert changed.amax() < 40
