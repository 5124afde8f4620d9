"""Visibility against the inequalities in float64, known occlusions and a published checker."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.visibility import consistent, visibility
from vidstyle.testing import occluder


def smooth_flow(height: int, width: int, reach: float, seed: int) -> HostArray:
    noise = np.random.default_rng(seed).normal(size=(height, width, 2))
    flow = cv2.GaussianBlur(noise, (0, 0), 12, borderType=cv2.BORDER_REPLICATE)
    return (flow / np.abs(flow).max() * reach).astype(np.float32)


def slow_consistent(flow: HostArray, back: HostArray) -> np.ndarray:
    """The inequalities pixel by pixel in float64; flows are in 32nds of pixels."""
    height, width = flow.shape[:2]
    result = np.zeros((height, width), bool)
    f, b = (
        flow.astype(np.float64),
        np.pad(back, ((0, 1), (0, 1), (0, 0)), "edge").astype(np.float64),
    )
    edge = np.pad(f, ((1, 1), (1, 1), (0, 0)), "edge")
    for y in range(height):
        for x in range(width):
            column, row = x + f[y, x, 0], y + f[y, x, 1]
            if not (-0.05 <= column <= width - 0.95 and -0.05 <= row <= height - 0.95):
                continue
            column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
            i, j = int(row), int(column)
            s, t = row - i, column - j
            at = (1 - s) * ((1 - t) * b[i, j] + t * b[i, j + 1])
            at = at + s * ((1 - t) * b[i + 1, j] + t * b[i + 1, j + 1])
            length = (f[y, x] ** 2).sum()
            agree = ((f[y, x] + at) ** 2).sum() <= 0.01 * (length + (at**2).sum()) + 0.5
            dx = (edge[y + 1, x + 2] - edge[y + 1, x]) / 2
            dy = (edge[y + 2, x + 1] - edge[y, x + 1]) / 2
            calm = (dx**2).sum() + (dy**2).sum() <= 0.01 * length + 0.002
            result[y, x] = agree and calm
    return result


def test_consistent_equals_the_inequalities_in_float64() -> None:
    flow = np.round(smooth_flow(60, 300, 9, 0) * 32) / np.float32(32)
    back = -flow + np.round(smooth_flow(60, 300, 1.2, 1) * 32) / np.float32(32)
    expected = slow_consistent(flow, back)
    assert 0.1 < expected.mean() < 0.9
    assert (consistent(flow, back) == expected).mean() > 0.9999  # ties fall either way


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
    grey = [
        cv2.cvtColor((frame.host("source") * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        for frame in (first, second)
    ]
    flow, back = search.calc(grey[1], grey[0], None), search.calc(grey[0], grey[1], None)
    found, true = visibility(flow, back), clip.true_visible[5]
    assert found[true == 0].mean() < 0.35
    assert found[true == 1].mean() > 0.85


def test_a_published_checker_makes_the_same_masks(shared_data: Path) -> None:
    folder = shared_data / "flow" / "consistency_ref"
    forward, backward = (
        read_flow(folder / name) for name in ("forward_1_2.flo", "backward_2_1.flo")
    )
    for name, flow, back in (("1_2", forward, backward), ("2_1", backward, forward)):
        reference = cv2.imread(str(folder / f"reliable_{name}.pgm"), cv2.IMREAD_GRAYSCALE)
        assert reference is not None
        difference = np.abs(visibility(flow, back) * 255 - reference.astype(np.float64))
        assert (difference <= 26).mean() > 0.997


def read_flow(path: Path) -> HostArray:
    data = path.read_bytes()
    width, height = np.frombuffer(data, np.int32, 2, 4)
    return np.frombuffer(data, np.float32, offset=12).reshape(height, width, 2)


def test_flows_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="have one shape"):
        visibility(np.zeros((4, 4, 2), np.float32), np.zeros((4, 5, 2), np.float32))


def test_a_mask_cannot_shrink_backwards() -> None:
    flow = np.zeros((4, 4, 2), np.float32)
    with pytest.raises(ValueError, match="at least 0"):
        visibility(flow, flow, shrink=-1)
