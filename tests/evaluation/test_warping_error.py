"""Warping error against its formula, and beside that of the source."""

from __future__ import annotations

from itertools import count, pairwise

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.warping_error import (
    WarpingError,
    compare_with_source,
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


def test_several_clips_share_one_flow_per_pair() -> None:
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


def test_reduction_is_a_fraction_of_the_baselines_error() -> None:
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


def test_a_single_frame_cannot_be_evaluated() -> None:
    source = clip(1)
    with pytest.raises(InputError, match="nothing to evaluate"):
        warping_errors(source, {"one": source}, known(source))


def grain(frames: int = 4) -> list[HostArray]:
    """A still image with noise of its own in each frame, in [0.3, 0.6]."""
    random = np.random.default_rng(0)
    image = random.uniform(0.35, 0.55, (24, 32, 3))
    noisy = image + random.uniform(-0.05, 0.05, (frames, 24, 32, 3))
    return list(noisy.astype(np.float32))


def still(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    nothing = np.zeros((*first.shape[:2], 2), np.float32)
    return nothing, nothing


def test_contrast_raises_both_ratios_alike() -> None:
    rows = compare_with_source(
        grain(), {"same": lambda p: p, "strong": lambda p: 1.5 * p - 0.2}, still
    )
    assert (rows["same"].error_ratio, rows["same"].gradient_ratio) == (1, 1)
    assert rows["strong"].error_ratio == pytest.approx(2.25, rel=1e-5)
    assert rows["strong"].gradient_ratio == pytest.approx(2.25, rel=1e-5)


def test_flicker_raises_the_warping_error_only() -> None:
    numbers = count()
    source = grain()
    offset = np.float32(0.1)
    row = compare_with_source(
        source, {"flickering": lambda p: p + offset * (next(numbers) % 2)}, still
    )
    assert row["flickering"].gradient_ratio == pytest.approx(1, rel=1e-5)
    stylized = [frame.astype(np.float64) + 0.1 * (t % 2) for t, frame in enumerate(source)]
    wanted = [np.mean(np.square(b - a)) for a, b in pairwise(stylized)]
    plain = [np.mean(np.square(b.astype(np.float64) - a)) for a, b in pairwise(source)]
    assert row["flickering"].error.value == pytest.approx(np.mean(wanted), rel=1e-5)
    assert row["flickering"].error_ratio == pytest.approx(
        np.mean(wanted) / np.mean(plain), rel=1e-5
    )


def test_gradients_are_squared_differences_of_neighbors() -> None:
    source = grain(3)

    def gradient(frames: list[HostArray]) -> float:
        return sum(
            np.square(np.diff(f.astype(float), axis=axis)).mean() for f in frames for axis in (0, 1)
        )

    mirrored = [np.square(frame) for frame in source]
    row = compare_with_source(iter(source), {"square": np.square}, still)["square"]
    assert row.gradient_ratio == pytest.approx(gradient(mirrored) / gradient(source), rel=1e-5)


def test_stylizers_are_compared_within_shots() -> None:
    assert (
        compare_with_source(grain(5), {"same": np.copy}, still, cuts=[2])["same"].error.pairs == 3
    )


def test_each_frame_is_stylized_once() -> None:
    seen: list[HostArray] = []

    def stylizer(image: HostArray) -> HostArray:
        seen.append(image)
        return image

    source = grain(5)
    compare_with_source(iter(source), {"watched": stylizer}, still)
    assert [id(frame) for frame in seen] == [id(frame) for frame in source]


def test_a_single_frame_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="nothing to evaluate"):
        compare_with_source(grain(1), {"same": np.copy}, still)


@pytest.mark.parametrize(
    "source", [grain(1) * 3, [np.full((24, 32, 3), v, np.float32) for v in (0.1, 0.2)]]
)
def test_a_clip_without_motion_or_edges_cannot_be_compared_with(source: list[HostArray]) -> None:
    with pytest.raises(InputError, match="still or blank"):
        compare_with_source(source, {"same": np.copy}, still)
