"""A lattice is found where there is one, by its period, and none elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.evaluation.lattice import (
    FLAT_SIDE,
    NOISE,
    PERIODS,
    flat_images,
    lattice_peaks,
    mean_peaks,
)

ROWS, COLUMNS = np.mgrid[:FLAT_SIDE, :FLAT_SIDE]


def gray(pattern: np.ndarray) -> np.ndarray:
    return np.repeat(pattern[..., np.newaxis], 3, axis=2).astype(np.float32)


def noise(deviation: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return deviation * random.standard_normal((FLAT_SIDE, FLAT_SIDE, 3)).astype(np.float32)


def lattice(period: int, amplitude: float) -> np.ndarray:
    """One pixel of each cell of ``period`` x ``period`` is brighter."""
    return gray(amplitude * ((ROWS % period == 0) & (COLUMNS % period == 0)))


@pytest.mark.parametrize("period", PERIODS)
def test_a_lattice_is_found_by_its_period(period: int) -> None:
    peaks = lattice_peaks(0.5 + lattice(period, 0.1) + noise(0.01))
    assert peaks[period] > 4
    # Its harmonics are lattices of shorter periods, and there are no longer ones.
    assert all(peaks[longer] < 1.6 for longer in PERIODS if longer > period)


def test_a_checkerboard_and_stripes_are_lattices() -> None:
    checkerboard = gray(0.02 * ((ROWS + COLUMNS) % 2))
    stripes = gray(0.05 * (COLUMNS % 4 < 2))
    assert lattice_peaks(0.4 + checkerboard + noise(0.005))[2] > 4
    assert lattice_peaks(0.4 + stripes + noise(0.005))[4] > 4


def test_a_stronger_lattice_has_a_higher_peak() -> None:
    found = [lattice_peaks(0.5 + lattice(4, one) + noise(0.02))[4] for one in (0, 0.05, 0.1, 0.2)]
    assert found == sorted(found)
    assert found[-1] > 2 * found[0]


@pytest.mark.parametrize(
    "image",
    [
        gray(np.full(ROWS.shape, 0.3)),
        gray(ROWS / FLAT_SIDE),
        gray(0.5 + 0.4 * np.sin(ROWS / 20) * np.cos(COLUMNS / 30)),
        # Strokes of 5 and 11 pixels.
        gray(0.5 + 0.2 * np.sin(2 * np.pi * ROWS / 5) + 0.2 * np.sin(2 * np.pi * COLUMNS / 11)),
        0.5 + noise(0.1),
        0.5 + noise(0.002),
    ],
    ids=["flat", "gradient", "waves", "strokes", "noise", "slight noise"],
)
def test_a_smooth_image_has_none(image: np.ndarray) -> None:
    # Noise has peaks of its own, at any frequency.
    assert all(0.5 < peak < 1.6 for peak in lattice_peaks(image).values())


def test_what_rounding_hides_is_no_lattice() -> None:
    assert max(lattice_peaks(0.5 + lattice(2, 1e-5)).values()) < 1.01


def test_a_frame_along_the_edges_does_not_count() -> None:
    framed = gray(np.full(ROWS.shape, 0.5))
    framed[:40:2] = 1
    assert max(lattice_peaks(framed).values()) < 1.01


def test_flat_images_are_the_same_every_time_and_have_the_noise_that_is_asked_for() -> None:
    images, again = list(flat_images()), list(flat_images())
    assert all(np.array_equal(one, other) for one, other in zip(images, again, strict=True))
    assert max(mean_peaks([lattice_peaks(image) for image in images]).values()) < 1.2
    middles = [image[64:192, 64:192].std(axis=(0, 1)) for image in images]
    np.testing.assert_allclose(middles, NOISE, rtol=0.05)
    assert all(np.ptp(image, axis=(0, 1)).max() == 0 for image in flat_images(0.0))


def test_peaks_of_several_images_are_averaged() -> None:
    peaks = [{2: 1.0, 4: 2.0, 8: 3.0}, {2: 3.0, 4: 2.0, 8: 1.0}]
    assert mean_peaks(peaks) == {2: 2.0, 4: 2.0, 8: 2.0}


def test_a_small_image_is_refused() -> None:
    with pytest.raises(ValueError, match="128 pixels a side at least"):
        lattice_peaks(np.zeros((127, 200, 3), np.float32))
