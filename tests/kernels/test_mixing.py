"""The mixed and sharpened frame beside the same by OpenCV and numpy."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.contrast import detail_edges, sharpen, sharpening_to
from vidstyle.imaging.derived import double
from vidstyle.kernels.blend import WarpedChange
from vidstyle.kernels.library import has_kernels
from vidstyle.kernels.mixing import mix_change

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")

SIZES = [(36, 64), (34, 50), (8, 6), (2, 2), (64, 2), (2, 64)]


def noise(seed: int, *shape: int) -> HostArray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sharpened", [False, True])
@pytest.mark.parametrize("ahead", ["nothing", "coarse", "fine"])
def test_the_mixed_frame(size: tuple[int, int], ahead: str, sharpened: bool) -> None:
    height, width = size
    half = height // 2, width // 2
    image, sure = 0.3 + 0.4 * noise(1, *size, 3), noise(3, *size)
    change, coarse, following = (0.2 * noise(k, *size, 3) - np.float32(0.1) for k in (2, 5, 6))
    coarse, following = coarse[: half[0], : half[1]].copy(), following[: half[0], : half[1]].copy()
    fine = noise(4, *half)
    finer = noise(7, *size, 3) - np.float32(0.5) if ahead == "fine" else None
    wanted = image + change * double(fine, *size)[..., None]
    wanted += double(coarse, *size) * sure[..., None]
    if ahead != "nothing":
        wanted += double(following, *size)
    if finer is not None:
        wanted += finer
    wanted = np.clip(wanted, 0, 1)
    sharpening = None
    if sharpened:
        edges = 16 * detail_edges(noise(8, *size, 3))
        sharpening = sharpening_to(edges, limit=8, part=noise(9, *half))
        soft, wanted = wanted, sharpen(wanted, sharpening, sure)
        assert np.abs(wanted - soft).max() > 0.02
    given = WarpedChange(change, sure, coarse, fine)
    mixed = mix_change(
        image, given, fine, coarse, None if ahead == "nothing" else following, finer, sharpening
    )
    np.testing.assert_allclose(mixed, wanted, atol=1e-5)
