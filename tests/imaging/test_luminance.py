"""Luminance transfer against the matrix of Y'IQ in float64."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.luminance import match_luma, with_luma

TO_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)
RANDOM = np.random.default_rng(0)


def yiq(image: HostArray) -> np.ndarray:
    return np.asarray(image.astype(np.float64) @ TO_YIQ.T)


def test_it_is_luma_of_one_and_chroma_of_the_other_in_yiq() -> None:
    source = 0.4 + 0.2 * RANDOM.random((20, 30, 3), np.float32)
    luma = 0.35 + 0.3 * RANDOM.random((20, 30), np.float32)
    wanted = yiq(source)
    wanted[..., 0] = luma
    np.testing.assert_allclose(with_luma(source, luma), wanted @ np.linalg.inv(TO_YIQ).T, atol=1e-5)


def test_colors_that_do_not_fit_are_paled_and_keep_luma_and_hue() -> None:
    source = RANDOM.random((40, 40, 3), np.float32)
    luma = RANDOM.random((40, 40), np.float32)
    result = with_luma(source, luma)
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_allclose(yiq(result)[..., 0], luma, atol=1e-4)
    before, after = yiq(source)[..., 1:], yiq(result)[..., 1:]
    cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    np.testing.assert_allclose(cross, 0, atol=1e-4)
    assert ((before * after).sum(2) > -1e-6).all()
    assert (np.hypot(*after.T) <= np.hypot(*before.T) + 1e-4).all()
    assert np.hypot(*after.T).mean() < 0.9 * np.hypot(*before.T).mean()


@pytest.mark.parametrize("luma", [0.0, 1.0])
def test_black_and_white_stay_so(luma: float) -> None:
    source = RANDOM.random((8, 9, 3), np.float32)
    result = with_luma(source, np.full((8, 9), luma, np.float32))
    np.testing.assert_allclose(result, luma, atol=1e-6)


def test_a_gray_source_gives_a_gray_image() -> None:
    luma = RANDOM.random((8, 9), np.float32)
    result = with_luma(np.full((8, 9, 3), 0.3, np.float32), luma)
    np.testing.assert_allclose(result, np.repeat(luma[..., np.newaxis], 3, 2), atol=1e-6)


def test_matching_gives_mean_and_deviation_of_the_other() -> None:
    luma = 0.2 + 0.1 * RANDOM.random((30, 30), np.float32)
    other = 0.4 + 0.3 * RANDOM.random((30, 30), np.float32)
    result = match_luma(luma, other)
    assert result.mean() == pytest.approx(other.mean(), abs=1e-5)
    assert result.std() == pytest.approx(other.std(), abs=1e-5)


def test_contrast_changes_by_a_factor_of_four_at_most() -> None:
    luma = 0.5 + 0.001 * RANDOM.random((30, 30), np.float32)
    other = RANDOM.random((30, 30), np.float32)
    assert match_luma(luma, other).std() == pytest.approx(4 * luma.std(), rel=1e-3)
    assert match_luma(other, luma).std() == pytest.approx(other.std() / 4, rel=1e-3)


def test_a_flat_image_takes_the_mean_alone() -> None:
    flat, other = np.full((9, 9), 0.2, np.float32), RANDOM.random((9, 9), np.float32)
    np.testing.assert_allclose(match_luma(flat, other), other.mean(), atol=1e-6)
