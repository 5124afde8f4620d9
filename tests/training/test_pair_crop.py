"""Crops stay true: the flow still leads from what a crop shows to the same thing before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core import HostArray
from vidstyle.training.pairs import Pair, random_crop, resize_flow, resize_mask

STEP = (6, -4)


def frames() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], HostArray, HostArray]:
    """Ramps in x and y that move by STEP; not visible is a square that is there by name only."""
    y, x = np.mgrid[:90, :120].astype(np.float64)

    def image(right: int, down: int) -> npt.NDArray[np.uint8]:
        return np.stack([2 * (x - right), 2 * (y - down), np.full_like(x, 9)], -1).clip(0, 255)

    previous, current = image(-8, -8), image(STEP[0] - 8, STEP[1] - 8)
    flow = np.broadcast_to(-np.float32(STEP), (90, 120, 2)).copy()
    visible = np.ones((90, 120), np.float32)
    visible[40:50, 60:70] = 0
    return previous.astype(np.uint8), current.astype(np.uint8), flow, visible


def drawn(side: int, count: int = 30) -> list[Pair]:
    generator = np.random.default_rng(0)
    return [random_crop(*frames(), side=side, generator=generator) for _ in range(count)]


def test_the_flow_of_every_crop_leads_to_the_same_place() -> None:
    mirrored = set()
    for pair in drawn(30):
        # One level in red is half a pixel of the whole frame.
        slope = float(pair.current[0, 0, 5, 20] - pair.current[0, 0, 5, 10]) * 255 / 10
        down = float(pair.current[0, 1, 20, 5] - pair.current[0, 1, 10, 5]) * 255 / 10
        assert down + 0.2 >= 2
        assert down <= 6.2
        assert abs(abs(slope) - down) < 0.2
        gap = (pair.previous - pair.current)[0, :2, 10:20, 10:20] * 255
        change = pair.flow[0, :, 10:20, 10:20] * torch.tensor([slope, down])[:, None, None]
        assert (change + gap).abs().max() < 2
        mirrored.add(slope < 0)
    assert mirrored == {True, False}


def test_crops_are_of_several_scales_and_places() -> None:
    pairs = drawn(30)
    lengths = {round(30 * STEP[0] / abs(float(pair.flow[0, 0, 0, 0]))) for pair in pairs}
    assert min(lengths) >= 30
    assert max(lengths) <= 90
    assert len(lengths) > 15
    assert len({float(pair.current[0, 1, 0, 0]) for pair in pairs}) > 15


def test_what_the_crop_does_not_show_of_the_previous_frame_is_not_visible() -> None:
    for pair in drawn(30):
        across, down = (float(v) for v in pair.flow[0, :, 0, 0])
        columns, rows = np.arange(30) + across, np.arange(30) + down
        outside = (columns < -0.05) | (columns > 29.05)
        assert not pair.visible[0, 0][:, outside].any()
        assert not pair.visible[0, 0][(rows < -0.05) | (rows > 29.05)].any()
        assert pair.visible[0, 0][12:16, ~outside].any()


def test_what_is_hidden_stays_hidden_where_it_is() -> None:
    pair = random_crop(*frames(), side=90, generator=np.random.default_rng(3))
    hidden = (pair.visible[0, 0] == 0).numpy()
    # Green is the row, red the column: the square is at rows 40 to 49, columns 60 to 69.
    rows = (pair.current[0, 1].numpy() * 255 / 2 - 8 + STEP[1])[hidden]
    columns = (pair.current[0, 0].numpy() * 255 / 2 - 8 + STEP[0])[hidden]
    there = (rows >= 39.4) & (rows <= 49.6) & (columns >= 59.4) & (columns <= 69.6)
    assert there.sum() == 100


def test_frames_smaller_than_the_crop_are_enlarged() -> None:
    pair = random_crop(*frames(), side=180, generator=np.random.default_rng(0))
    assert pair.current.shape == (1, 3, 180, 180)
    np.testing.assert_allclose(pair.flow[0, :, 90, 90].abs(), [2 * 6, 2 * 4], rtol=1e-6)


def test_masks_of_8_bits_and_flows_of_half_floats_are_the_same() -> None:
    previous, current, flow, visible = frames()
    plain, short = (
        random_crop(previous, current, f, v, side=50, generator=np.random.default_rng(1))
        for f, v in (
            (flow, visible),
            (flow.astype(np.float16), (visible * 255).astype(np.uint8)),
        )
    )
    np.testing.assert_allclose(plain.flow, short.flow, rtol=1e-6)
    np.testing.assert_allclose(plain.visible, short.visible, atol=1e-6)


def test_a_resized_flow_is_in_pixels_of_its_grid() -> None:
    flow = np.full((20, 30, 2), (3, -2), np.float32)
    np.testing.assert_allclose(resize_flow(flow, 10, 10), np.full((10, 10, 2), (1, -1)))
    np.testing.assert_allclose(resize_flow(flow, 40, 30), np.full((40, 30, 2), (3, -4)))
    assert resize_mask(np.ones((20, 30), np.float32), 7, 9).shape == (7, 9)
