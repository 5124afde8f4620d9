"""Half the size and back: means, places, and odd sides."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.imaging.derived import doubled, halved, halved_places
from vidstyle.imaging.warp import sample, targets


def test_halving_averages_two_by_two() -> None:
    image = np.random.default_rng(0).random((8, 12, 3), dtype=np.float32)
    expected = image.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(halved(image), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 12), (7, 11), (1, 1), (9, 16, 3)])
def test_there_and_back_keeps_the_shape_and_a_flat_image(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.3, np.float32)
    small = halved(image)
    assert small.shape == ((shape[0] + 1) // 2, (shape[1] + 1) // 2, *shape[2:])
    np.testing.assert_allclose(doubled(small, *shape[:2]), image, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 47)])
def test_targets_lead_to_the_same_place_at_half_size(height: int, width: int) -> None:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ramp = np.asarray(x / width + y / height, np.float32)
    flow = np.broadcast_to(np.float32([2.5, -1.5]), (height, width, 2))
    full = halved(sample(ramp, *targets(flow)))
    half = sample(
        halved(ramp), *halved_places(halved(flow[..., 0]), halved(flow[..., 1]), flow.shape)
    )
    inner = np.s_[3:-3, 3:-3]
    np.testing.assert_allclose(half[inner], full[inner], atol=2e-3)
