"""Contrast raises both ratios alike; flicker raises the warping error alone."""

from __future__ import annotations

from itertools import count, pairwise

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.warping_error import compare_with_source


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


def test_flicker_raises_the_warping_error_alone() -> None:
    numbers = count()
    source = grain()
    offset = np.float32(0.1)
    row = compare_with_source(
        source, {"restless": lambda p: p + offset * (next(numbers) % 2)}, still
    )
    assert row["restless"].gradient_ratio == pytest.approx(1, rel=1e-5)
    stylized = [frame.astype(np.float64) + 0.1 * (t % 2) for t, frame in enumerate(source)]
    wanted = [np.mean(np.square(b - a)) for a, b in pairwise(stylized)]
    plain = [np.mean(np.square(b.astype(np.float64) - a)) for a, b in pairwise(source)]
    assert row["restless"].error.value == pytest.approx(np.mean(wanted), rel=1e-5)
    assert row["restless"].error_ratio == pytest.approx(np.mean(wanted) / np.mean(plain), rel=1e-5)


def test_gradients_are_squared_differences_of_neighbors() -> None:
    source = grain(3)

    def gradient(frames: list[HostArray]) -> float:
        return sum(
            np.square(np.diff(f.astype(float), axis=axis)).mean() for f in frames for axis in (0, 1)
        )

    mirrored = [np.square(frame) for frame in source]
    row = compare_with_source(iter(source), {"square": np.square}, still)["square"]
    assert row.gradient_ratio == pytest.approx(gradient(mirrored) / gradient(source), rel=1e-5)


def test_no_pair_crosses_a_cut() -> None:
    assert (
        compare_with_source(grain(5), {"same": np.copy}, still, cuts=[2])["same"].error.pairs == 3
    )


def test_each_frame_is_painted_once() -> None:
    seen: list[HostArray] = []

    def stylizer(image: HostArray) -> HostArray:
        seen.append(image)
        return image

    source = grain(5)
    compare_with_source(iter(source), {"watched": stylizer}, still)
    assert [id(frame) for frame in seen] == [id(frame) for frame in source]


def test_a_single_frame_cannot_be_judged() -> None:
    with pytest.raises(InputError, match="nothing to judge"):
        compare_with_source(grain(1), {"same": np.copy}, still)


@pytest.mark.parametrize(
    "source", [grain(1) * 3, [np.full((24, 32, 3), v, np.float32) for v in (0.1, 0.2)]]
)
def test_a_clip_without_motion_or_edges_cannot_be_compared_with(source: list[HostArray]) -> None:
    with pytest.raises(InputError, match="still or blank"):
        compare_with_source(source, {"same": np.copy}, still)
