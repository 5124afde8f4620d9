"""The work at half size beside the same by OpenCV and numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.kernels.blend import WarpedChange
from vidstyle.kernels.half import FollowedSource
from vidstyle.kernels.library import has_kernels, without_kernels
from vidstyle.stages.blend.halves import (
    follow,
    match_sources,
    mix_sources,
    reduce_image,
    reduce_source,
)
from vidstyle.stages.blend.history import History
from vidstyle.stages.blend.mixing import BlendFrame, _find_coarse, look_ahead
from vidstyle.stages.blend.warped_options import WarpedOptions, resolve_weights

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")

SIZES = [(36, 64), (34, 50), (8, 6), (4, 4), (2, 2), (64, 2), (2, 64)]
WEIGHTS = resolve_weights(WarpedOptions(drift=0.02))


def noise(seed: int, *shape: int) -> HostArray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def soft_noise(seed: int, *shape: int) -> HostArray:
    return np.asarray(cv2.GaussianBlur(noise(seed, *shape), (0, 0), 2), np.float32).reshape(shape)


def flow(size: tuple[int, int]) -> HostArray:
    """It leads out of the frame in places."""
    return 60 * (soft_noise(9, *size, 2) - np.float32(0.5))


def arrays(found: Any) -> list[HostArray]:
    if isinstance(found, np.ndarray):
        return [found]
    names = getattr(found, "__slots__", None)
    parts = [getattr(found, name) for name in names] if names else list(found)
    return [array for part in parts if part is not None for array in arrays(part)]


def both_ways(function: Callable[[], Any], *, atol: float = 1e-5, mean: float = 1e-6) -> None:
    """Compare what the kernels give with what OpenCV and numpy do."""
    found = arrays(function())
    with without_kernels():
        wanted = arrays(function())
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)
        assert np.abs(one - other).mean() <= mean


@pytest.mark.parametrize("size", SIZES)
def test_halves(size: tuple[int, int]) -> None:
    image = noise(1, *size, 3)
    both_ways(lambda: reduce_image(image))
    both_ways(lambda: reduce_source(image))


@pytest.mark.parametrize("size", SIZES)
def test_a_source_along_the_flow(size: tuple[int, int]) -> None:
    half = size[0] // 2, size[1] // 2
    now, before = soft_noise(2, *half, 3), soft_noise(3, *half, 3)
    # A position that is rounded to the other side is off by 1/32 pixel.
    both_ways(lambda: follow(flow(size), now, before), atol=0.01, mean=4e-4)


def followed(*size: int) -> FollowedSource:
    """A source that was found along a flow which is short in places."""
    length = 0.5 * soft_noise(6, *size) ** 2
    return FollowedSource(noise(2, *size, 3), length, noise(3, *size), noise(4, *size))


@pytest.mark.parametrize("size", [(18, 32), (1, 1), (16, 31), (3, 40), (40, 3)])
@pytest.mark.parametrize("rests", [False, True])
def test_how_sources_agree(size: tuple[int, int], rests: bool) -> None:
    now, before = soft_noise(1, *size, 3), noise(0, *size, 3)
    still = noise(4, *size) if rests else None

    def compared() -> Any:
        found = followed(*size)
        found.source[:] = now + 0.1 * (found.source - np.float32(0.5))
        return match_sources(now, before, found, still, tolerance=0.1), found.source

    both_ways(compared)
    both_ways(lambda: mix_sources(now, before, noise(5, *size)))


@pytest.mark.parametrize(
    "source", [np.zeros((4, 6, 3), np.float32)[:, ::2], np.zeros((2, 3, 3), np.float32)]
)
def test_nothing_is_written_beside_an_array(source: HostArray) -> None:
    image = noise(0, 4, 3, 3)
    found = replace(followed(4, 3), source=source)
    with pytest.raises(ValueError, match=r"a kernel (takes|writes)"):
        match_sources(image, image, found, None, tolerance=0.1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("smoothing", [0, 0.5])
def test_the_next_frame(size: tuple[int, int], smoothing: float) -> None:
    frames = []
    for seed in (1, 2):
        image, source = (
            soft_noise(seed, *size, 3),
            soft_noise(3, *size, 3) + 0.02 * noise(seed, *size, 3),
        )
        frames.append(BlendFrame(image, reduce_image(image), reduce_source(source)))
    used = noise(6, size[0] // 2, size[1] // 2)
    weights = resolve_weights(WarpedOptions(smoothing=smoothing))
    both_ways(
        lambda: look_ahead(frames[0], frames[1], flow(size), used, weights), atol=0.02, mean=2e-4
    )


@pytest.mark.parametrize("size", [(18, 32), (2, 2), (16, 31)])
@pytest.mark.parametrize("ahead", [False, True])
def test_coarse_structure(size: tuple[int, int], ahead: bool) -> None:
    change, sure = noise(1, *size, 3) - np.float32(0.3), noise(2, *size)
    warped = WarpedChange(change, sure, change * sure[..., None], sure)
    history = History(warped, change, (noise(3, *size) > 0.5).astype(np.float32))
    half, following = noise(4, *size, 3), 0.1 * noise(5, *size, 3) if ahead else None
    both_ways(lambda: _find_coarse(half, history, following, WEIGHTS), atol=1e-4, mean=1e-5)


def test_flow_that_is_no_number_reads_nothing_outside() -> None:
    wild = flow((36, 64))
    wild[::3] = np.nan
    wild[1::3] = [np.inf, -np.inf]
    found = follow(wild, noise(1, 18, 32, 3), noise(2, 18, 32, 3))
    assert np.isfinite(found.source).all()
