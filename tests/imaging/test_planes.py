"""There and back."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.imaging.bands import channels, three_times


@pytest.mark.parametrize("shape", [(4, 6), (1, 6), (4, 1), (1, 1)])
def test_each_channel_is_the_plane(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random(shape, dtype=np.float32)
    image = three_times(plane)
    assert image.shape == (*shape, 3)
    for channel in range(3):
        np.testing.assert_array_equal(image[..., channel], plane)


def test_channels_are_copies_of_their_own() -> None:
    flow = np.random.default_rng(0).random((4, 6, 2), dtype=np.float32)
    flow.flags.writeable = False
    across, down = channels(flow)
    np.testing.assert_array_equal(np.dstack([across, down]), flow)
    across += 1
    np.testing.assert_array_equal(flow[..., 0] + 1, across)
