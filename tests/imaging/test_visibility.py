"""Visibility against the inequalities in float64, known occlusions and a published checker."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.flow_file import read_flow
from vidstyle.imaging.visibility import consistent, visibility
from vidstyle.testing import occluder


def smooth_flow(height: int, width: int, reach: float, seed: int) -> HostArray:
    noise = np.random.default_rng(seed).normal(size=(height, width, 2))
    flow = cv2.GaussianBlur(noise, (0, 0), 12, borderType=cv2.BORDER_REPLICATE)
    return (flow / np.abs(flow).max() * reach).astype(np.float32)


Grid = npt.NDArray[np.float64]


def targets64(flow: HostArray) -> tuple[Grid, Grid]:
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float64)
    return columns + flow[..., 0], rows + flow[..., 1]


def occluded64(flow: HostArray, back: HostArray) -> npt.NDArray[np.bool_]:
    """The forward-backward inequality in float64."""
    height, width = flow.shape[:2]
    f, b = (
        flow.astype(np.float64),
        np.pad(back.astype(np.float64), ((0, 1), (0, 1), (0, 0)), "edge"),
    )
    columns, rows = targets64(flow)
    columns, rows = np.clip(columns, 0, width - 1), np.clip(rows, 0, height - 1)
    i, j = rows.astype(int), columns.astype(int)
    s, t = (rows - i)[..., np.newaxis], (columns - j)[..., np.newaxis]
    above = (1 - t) * b[i, j] + t * b[i, j + 1]
    below = (1 - t) * b[i + 1, j] + t * b[i + 1, j + 1]
    at = (1 - s) * above + s * below
    lengths = (f**2).sum(2) + (at**2).sum(2)
    return ((f + at) ** 2).sum(2) > 0.01 * lengths + 0.5


def boundary64(flow: HostArray) -> npt.NDArray[np.bool_]:
    """The motion boundary inequality in float64."""
    f = flow.astype(np.float64)
    edge = np.pad(f, ((1, 1), (1, 1), (0, 0)), "edge")
    across = (edge[1:-1, 2:] - edge[1:-1, :-2]) / 2
    down = (edge[2:, 1:-1] - edge[:-2, 1:-1]) / 2
    return (across**2 + down**2).sum(2) > 0.01 * (f**2).sum(2) + 0.002


def consistent64(flow: HostArray, back: HostArray) -> npt.NDArray[np.bool_]:
    height, width = flow.shape[:2]
    columns, rows = targets64(flow)
    inside = (columns >= -0.05) & (columns <= width - 0.95)
    inside &= (rows >= -0.05) & (rows <= height - 0.95)
    return inside & ~occluded64(flow, back) & ~boundary64(flow)


# From one band of rows to many, and flows that leave the frame a little or altogether.
@pytest.mark.parametrize("reach", [9, 60])
@pytest.mark.parametrize("size", [(60, 300), (130, 620), (7, 9000), (300, 1), (1, 300), (2, 2)])
def test_consistent_equals_the_inequalities_in_float64(size: tuple[int, int], reach: float) -> None:
    # In 32nds of pixels, to which positions may be rounded.
    flow = np.round(smooth_flow(*size, reach, 0) * 32) / np.float32(32)
    back = -flow + np.round(smooth_flow(*size, 1.2, 1) * 32) / np.float32(32)
    expected = consistent64(flow, back)
    if min(size) > 50:
        assert 0.02 < expected.mean() < 0.9
    assert (consistent(flow, back) == expected).mean() > 0.9999  # ties fall either way


def test_flow_that_is_not_a_number_is_visible_nowhere() -> None:
    flow = np.zeros((20, 40, 2), np.float32)
    flow[5, 7] = np.nan
    flow[11, 30, 1] = np.inf
    mask = consistent(flow, np.zeros_like(flow))
    assert not mask[5, 7]
    assert not mask[11, 30]
    assert mask[15:, :20].all()


def test_flows_are_left_as_they_are() -> None:
    flow, back = smooth_flow(90, 500, 5, 0), smooth_flow(90, 500, 5, 1)
    kept = flow.copy(), back.copy()
    visibility(flow, back)
    np.testing.assert_array_equal(flow, kept[0])
    np.testing.assert_array_equal(back, kept[1])


def test_still_frames_are_visible_everywhere() -> None:
    nothing = np.zeros((33, 47, 2), np.float32)
    assert (visibility(nothing, nothing) == 1).all()


def test_a_pan_hides_just_what_comes_in_from_outside() -> None:
    flow = np.full((40, 60, 2), (5, 0), np.float32)
    mask = consistent(flow, -flow)
    assert mask[:, :55].all()
    assert not mask[:, 55:].any()


def test_noise_in_a_still_clip_does_not_blind_the_frame_edge() -> None:
    flow = np.random.default_rng(0).normal(0, 0.01, (32, 32, 2)).astype(np.float32)
    assert consistent(flow, -flow).all()


def test_a_motion_boundary_is_not_visible() -> None:
    flow = np.zeros((20, 40, 2), np.float32)
    flow[:, 20:, 0] = 0.5  # too small a step for the forward-backward check to mind
    mask = consistent(flow, -flow)
    assert not mask[:, 19:21].any()
    assert mask[:, :18].all()
    assert mask[:, 22:-1].all()


def test_soft_edges_lie_between_occluded_and_visible() -> None:
    flow = np.full((40, 60, 2), (5, 0), np.float32)
    soft = visibility(flow, -flow)
    assert soft.dtype == np.float32
    assert (soft[:, :50] == 1).all()
    assert (soft[:, 58:] == 0).all()
    assert ((soft[:, 54:56] > 0) & (soft[:, 54:56] < 1)).all()


def test_shrinking_takes_pixels_from_the_edge_of_what_is_visible() -> None:
    flow = np.full((40, 60, 2), (5, 0), np.float32)
    assert (visibility(flow, -flow, shrink=3)[:, 55:] == 0).all()
    assert visibility(flow, -flow, shrink=3)[0, 52] < visibility(flow, -flow)[0, 52]


def test_known_occlusions_of_a_moving_disc_are_found() -> None:
    clip = occluder()
    first, second = clip.frames[4], clip.frames[5]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [
        cv2.cvtColor((frame.host("source") * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        for frame in (first, second)
    ]
    flow, back = search.calc(gray[1], gray[0], None), search.calc(gray[0], gray[1], None)
    found, true = visibility(flow, back), clip.true_visible[5]
    assert found[true == 0].mean() < 0.35
    assert found[true == 1].mean() > 0.85


@pytest.fixture(params=[("forward_1_2", "backward_2_1"), ("backward_2_1", "forward_1_2")])
def published(
    request: pytest.FixtureRequest, shared_data: Path
) -> tuple[HostArray, HostArray, Grid]:
    """Flow, flow back and the mask that a published checker made of them, 0 to 255."""
    folder = shared_data / "flow" / "consistency_ref"
    flow, back = (read_flow(folder / f"{name}.flo") for name in request.param)
    mask = cv2.imread(str(folder / f"reliable_{request.param[0][-3:]}.pgm"), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return flow, back, mask.astype(np.float64)


def test_a_published_checker_makes_the_same_masks(
    published: tuple[HostArray, HostArray, Grid],
) -> None:
    flow, back, reference = published
    difference = np.abs(visibility(flow, back) * 255 - reference)
    assert (difference <= 26).mean() > 0.997


def test_what_differs_from_the_published_checker_is_known(
    published: tuple[HostArray, HostArray, Grid],
) -> None:
    flow, back, reference = published
    height, width = flow.shape[:2]
    columns, rows = targets64(flow)
    # It wants all four neighbors of a target within the frame, the last column and row included.
    leaves = (columns < 0) | (columns >= width - 1) | (rows < 0) | (rows >= height - 1)
    # And takes what is occluded below zero, so that softening does not lead into it.
    mask = np.where(occluded64(flow, back), -255.0, np.where(boundary64(flow), 0.0, 255.0))
    mask[leaves] = 0
    soft = cv2.GaussianBlur(mask, (5, 5), 0.8, borderType=cv2.BORDER_REFLECT).clip(0, 255)
    assert np.abs(soft - reference).max() < 1.001  # it cuts off what follows the point


def test_flows_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="have one shape"):
        visibility(np.zeros((4, 4, 2), np.float32), np.zeros((4, 5, 2), np.float32))


def test_a_mask_cannot_shrink_backwards() -> None:
    flow = np.zeros((4, 4, 2), np.float32)
    with pytest.raises(ValueError, match="at least 0"):
        visibility(flow, flow, shrink=-1)
