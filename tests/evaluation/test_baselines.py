"""The baselines against their closed forms, a loop in float64, and clips of known motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest

from vidstyle.core import Frame, HostArray
from vidstyle.evaluation.baselines import (
    BASELINES,
    Baseline,
    Blend,
    bidirectional,
    masked_warp,
    moving_average,
    unmasked_warp,
)
from vidstyle.testing import hard_cut, occluder, pan

SHAPE = (24, 32)
STEP = (2, -1)
every_baseline = pytest.mark.parametrize("baseline", BASELINES, ids=lambda one: one.name)


def frames_of(
    sources: Sequence[HostArray],
    images: Sequence[HostArray],
    *,
    step: tuple[float, float] = (0, 0),
    visible: HostArray | None = None,
) -> list[Frame]:
    """One shot that moves by ``step`` a frame, all of it visible by default."""
    to_previous = np.broadcast_to(np.float32(step) * -1, (*SHAPE, 2)).astype(np.float32)
    seen = np.ones(SHAPE, np.float32) if visible is None else visible
    frames = []
    for index, (source, image) in enumerate(zip(sources, images, strict=True)):
        there = np.float32(index > 0)
        layers = {
            "source": source,
            "image": image,
            "flow": to_previous * there,
            "flow_from_previous": -to_previous * there,
            "visible": seen * there,
        }
        frames.append(Frame(index, index, 1, layers))
    return frames


def still(images: Sequence[HostArray]) -> list[Frame]:
    gray = np.full((*SHAPE, 3), 0.5, np.float32)
    return frames_of([gray] * len(images), images)


def noise(count: int, seed: int = 0) -> list[HostArray]:
    random = np.random.default_rng(seed)
    return [random.normal(0.5, 0.03, (*SHAPE, 3)).astype(np.float32) for _ in range(count)]


def moving(count: int, seed: int = 0) -> list[HostArray]:
    """An image that moves by STEP a frame."""
    wide = np.random.default_rng(seed).random((80, 100, 3), dtype=np.float32)
    right, down = STEP
    return [
        wide[20 - down * t : 20 - down * t + SHAPE[0], 40 - right * t : 40 - right * t + SHAPE[1]]
        for t in range(count)
    ]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.9])
@pytest.mark.parametrize(
    "blend",
    [
        lambda share: partial(moving_average, weight=share),
        lambda share: partial(unmasked_warp, strength=share),
        lambda share: partial(masked_warp, strength=share),
    ],
    ids=["moving average", "warp without mask", "masked warp"],
)
def test_recurrence_leaves_its_share_of_static_noise(blend, share: float) -> None:  # type: ignore[no-untyped-def]
    outputs = list(blend(share)(still(noise(160))))
    left = np.stack(outputs[60:]).std(axis=0, dtype=np.float64).mean()
    per_frame = np.stack(noise(160)[60:]).std(axis=0, dtype=np.float64).mean()
    # Of 100 frames in a row a slow recurrence shows a little less than all of its deviation.
    correlated = 1 - (1 + share) / (1 - share) / 100
    wanted = np.sqrt((1 - share) / (1 + share)) * np.sqrt(correlated / (1 - 1 / 100))
    assert left / per_frame == pytest.approx(wanted, rel=0.02)


def test_both_neighbors_leave_the_root_of_the_squared_weights_of_static_noise() -> None:
    outputs = list(bidirectional(still(noise(120))))
    left = np.stack(outputs[1:-1]).std(axis=0, dtype=np.float64).mean() / 0.03
    assert left == pytest.approx(np.sqrt(0.45**2 + 0.3**2 + 0.25**2), rel=0.02)


@pytest.mark.parametrize(
    "blend",
    [
        partial(moving_average, weight=0),
        partial(unmasked_warp, strength=0),
        partial(masked_warp, strength=0),
    ],
)
def test_strength_zero_gives_every_stylized_frame_bit_for_bit(blend: Blend) -> None:
    frames = [
        replace(frame, layers={**frame.layers, "image": 1 - frame.host("source")})
        for frame in occluder(frames=5).with_truth()
    ]
    for frame, image in zip(frames, blend(frames), strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))


@every_baseline
def test_a_cut_resets(baseline: Baseline) -> None:
    frames = _complete(hard_cut(frames=8, at=4).with_truth())
    whole = list(baseline.blend(frames))
    parts = [*baseline.blend(frames[:4]), *baseline.blend(frames[4:])]
    assert len(whole) == 8
    for image, part in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(image, part)
    if baseline.method != "bidirectional":
        np.testing.assert_array_equal(whole[4], frames[4].host("image"))


def _complete(frames: Sequence[Frame]) -> list[Frame]:
    """With the other direction, as a pan has it, and stylized frames that flicker."""
    return [
        replace(
            frame,
            layers={
                **frame.layers,
                "image": np.clip(frame.host("source") + 0.1 * (frame.index % 2), 0, 1),
                "flow_from_previous": -frame.host("flow"),
            },
        )
        for frame in frames
    ]


@every_baseline
def test_a_pan_is_followed_by_all_but_the_moving_average(baseline: Baseline) -> None:
    images = moving(6)
    outputs = list(baseline.blend(frames_of(images, images, step=STEP)))
    worst = max(
        np.abs(output - image)[8:-8, 12:-12].max()
        for output, image in zip(outputs, images, strict=True)
    )
    assert (worst > 0.2) if baseline.method == "moving average" else (worst < 1e-5)


def test_flow_of_opencv_is_followed_too() -> None:
    frames = pan(frames=8, step=(3, 1)).with_truth()
    outputs = list(masked_warp(frames, strength=0.9))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    first, second = (
        cv2.cvtColor((image * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        for image in (frames[6].host("source"), outputs[7])
    )
    flow = search.calc(first, second, None)
    np.testing.assert_allclose(flow[20:-20, 20:-20].mean(axis=(0, 1)), (3, 1), atol=0.1)


def test_the_mask_decides_where_history_counts() -> None:
    left = np.zeros(SHAPE, np.float32)
    left[:, :16] = 1
    black, white = (np.full((*SHAPE, 3), value, np.float32) for value in (0, 1))
    frames = frames_of([black, black], [black, white], visible=left)
    masked = list(masked_warp(frames, strength=0.8))[1]
    np.testing.assert_allclose(masked[:, :16], 0.2, atol=1e-6)
    np.testing.assert_array_equal(masked[:, 16:], 1)
    np.testing.assert_allclose(list(unmasked_warp(frames, strength=0.8))[1], 0.2, atol=1e-6)


def test_bidirectional_equals_a_loop_in_float64() -> None:
    random = np.random.default_rng(4)
    base = random.random((*SHAPE, 3))
    # Differences around the length at which the weights leave their limits: 0.01 and 0.016.
    sources = [(base + random.normal(0, 0.01, base.shape)).astype(np.float32) for _ in range(3)]
    images = [random.random((*SHAPE, 3), dtype=np.float32) for _ in range(3)]
    result = list(bidirectional(frames_of(sources, images)))[1]
    limited = 0
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            weights = []
            for other, most in ((0, 0.45), (2, 0.3)):
                length = sum(
                    (float(sources[1][y, x, c]) - float(sources[other][y, x, c])) ** 2
                    for c in range(3)
                )
                weights.append(min(most, np.exp(-6800 * length)))
                limited += weights[-1] == most
            wanted = (
                weights[0] * images[0][y, x].astype(float)
                + weights[1] * images[2][y, x]
                + (1 - sum(weights)) * images[1][y, x]
            )
            np.testing.assert_allclose(result[y, x], wanted, atol=1e-5)
    assert 0.02 < limited / (2 * SHAPE[0] * SHAPE[1]) < 0.9


def test_bidirectional_looks_one_way_at_the_ends_of_a_shot() -> None:
    gray = [np.full((*SHAPE, 3), value, np.float32) for value in (0.2, 0.6, 0.8)]
    first, middle, last = bidirectional(still(gray))
    np.testing.assert_allclose(first, 0.7 * 0.2 + 0.3 * 0.6, atol=1e-6)
    np.testing.assert_allclose(middle, 0.45 * 0.2 + 0.25 * 0.6 + 0.3 * 0.8, atol=1e-6)
    np.testing.assert_allclose(last, 0.55 * 0.8 + 0.45 * 0.6, atol=1e-6)


def test_bidirectional_without_frames_gives_none() -> None:
    assert list(bidirectional([])) == []


@every_baseline
def test_frames_are_not_hoarded(baseline: Baseline) -> None:
    given = 0

    def counted():  # type: ignore[no-untyped-def]
        nonlocal given
        for frame in still(noise(6)):
            given += 1
            yield frame

    for number, _ in enumerate(baseline.blend(counted()), 1):
        assert given <= number + 1


@every_baseline
def test_results_stay_in_range(baseline: Baseline) -> None:
    random = np.random.default_rng(2)
    images = [random.integers(0, 2, (*SHAPE, 3)).astype(np.float32) for _ in range(5)]
    for image in baseline.blend(still(images)):
        assert image.dtype == np.float32
        assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.parametrize("share", [-0.1, 1.01])
def test_shares_out_of_bounds_are_refused(share: float) -> None:
    for blend in (
        partial(moving_average, weight=share),
        partial(unmasked_warp, strength=share),
        partial(masked_warp, strength=share),
    ):
        with pytest.raises(ValueError, match="from 0 to 1"):
            list(blend(still(noise(2))))


def test_the_table_of_baselines_begins_with_the_yardstick_and_has_five_methods() -> None:
    assert BASELINES[0].name == "per frame"
    assert len({one.method for one in BASELINES}) == 5
    assert len({one.name for one in BASELINES}) == len(BASELINES)
