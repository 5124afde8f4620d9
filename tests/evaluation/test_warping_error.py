"""E_warp against a loop in float64 and against clips whose error is known."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.warping_error import (
    WarpingError,
    warping_error_reduction,
    warping_errors,
)

SHIFT = 3


def clip(frames: int, seed: int = 0) -> list[HostArray]:
    """An image that moves right by SHIFT pixels a frame."""
    wide = np.random.default_rng(seed).random((32, 48 + SHIFT * frames, 3), dtype=np.float32)
    return [wide[:, SHIFT * (frames - t) :][:, :48].copy() for t in range(frames)]


def known(source: list[HostArray]):  # type: ignore[no-untyped-def]
    """The true flow between frames of ``clip``."""

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        order = [next(i for i, s in enumerate(source) if s is p) for p in (first, second)]
        forward = np.full((32, 48, 2), (SHIFT * (order[1] - order[0]), 0), np.float32)
        return forward, -forward

    return flow


def test_what_moves_with_the_source_has_no_error() -> None:
    source = clip(5)
    errors = warping_errors(source, {"same": source}, known(source))
    assert errors["same"].value == 0
    assert errors["same"].pairs == 4
    assert errors["same"].coverage == pytest.approx((48 - SHIFT) / 48)


def test_error_equals_a_loop_in_float64() -> None:
    source, other = clip(4), clip(4, seed=1)
    noisy = [o + np.float32(0.05 * t) for t, o in enumerate(other)]
    error = warping_errors(source, {"noisy": noisy}, known(source))["noisy"]
    values, over_all = [], []
    for t in range(3):
        total, count = 0.0, 0
        for y in range(32):
            for x in range(48 - SHIFT):
                for c in range(3):
                    total += (float(noisy[t + 1][y, x + SHIFT, c]) - float(noisy[t][y, x, c])) ** 2
                    count += 1
        values.append(total / count)
        over_all.append(total / (32 * 48 * 3))
    assert error.value == pytest.approx(np.mean(values), rel=1e-6)
    assert error.stability == pytest.approx(np.sqrt(np.mean(over_all)), rel=1e-6)


def test_white_flicker_gives_its_square() -> None:
    source = clip(6)
    flicker = [frame * 0 + np.float32(0.1 * (t % 2)) for t, frame in enumerate(source)]
    error = warping_errors(source, {"flicker": flicker}, known(source))["flicker"]
    assert error.value == pytest.approx(0.01, rel=1e-5)


def test_no_pair_crosses_a_cut() -> None:
    source = clip(6)
    jump = [frame if t < 3 else 1 - frame for t, frame in enumerate(source)]
    flow = known(source)
    assert warping_errors(source, {"jump": jump}, flow)["jump"].value > 0
    error = warping_errors(source, {"jump": jump}, flow, cuts=[3])["jump"]
    assert error.value == 0
    assert error.pairs == 4


def test_several_clips_are_judged_by_one_motion_each_pair() -> None:
    source, calls = clip(4), []
    flow = known(source)

    def counted(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        calls.append(1)
        return flow(first, second)

    warping_errors(source, {"a": source, "b": source}, counted)
    assert len(calls) == 3


def test_clips_may_be_iterators_that_are_read_once() -> None:
    source = clip(4)
    errors = warping_errors(iter(source), {"same": iter(source)}, known(source))
    assert errors["same"].pairs == 3


def test_flicker_removed_is_a_share() -> None:
    half, whole = (WarpingError(value, 0, 1, 1) for value in (0.5, 2.0))
    assert warping_error_reduction(half, whole) == 0.75
    assert warping_error_reduction(half, WarpingError(0, 0, 1, 1)) == 0


def test_clips_of_other_lengths_or_sizes_are_refused() -> None:
    source = clip(4)
    with pytest.raises(InputError, match="short has 3 frames and the source has more"):
        warping_errors(source, {"short": source[:3]}, known(source))
    with pytest.raises(InputError, match="the source has 3 frames and long has more"):
        warping_errors(source[:3], {"long": source}, known(source))
    with pytest.raises(InputError, match="frame 0: narrow is 40x32, the source is 48x32"):
        warping_errors(source, {"narrow": [f[:, :40] for f in source]}, known(source))


def test_a_single_frame_cannot_be_judged() -> None:
    source = clip(1)
    with pytest.raises(InputError, match="nothing to judge"):
        warping_errors(source, {"one": source}, known(source))
