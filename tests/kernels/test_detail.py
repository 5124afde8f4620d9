"""Enlarging with detail beside the same by OpenCV."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.imaging.strokes import reduced, restore_detail
from vidstyle.kernels.library import has_kernels, without_kernels

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((72, 96), (36, 48)),
        ((73, 95), (36, 48)),
        ((90, 120), (61, 47)),
        ((40, 40), (3, 2)),
        ((9, 7), (1, 1)),
        # Smaller one way, larger the other.
        ((20, 90), (40, 30)),
    ],
)
def test_it_is_what_opencv_gives(size: tuple[int, int], small: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    image = random.random((*size, 3), dtype=np.float32)
    stylized = random.random((*small, 3), dtype=np.float32)
    given = stylized, reduced(image, *small), image
    found = restore_detail(*given)
    with without_kernels():
        wanted = restore_detail(*given)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert found.std() > 0.05
