"""The recurrent blend at half size, for whole frames whose sides are even."""

from __future__ import annotations

from ctypes import c_float
from dataclasses import dataclass

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import call, readable


@dataclass(frozen=True, slots=True, eq=False)
class FollowedSource:
    """The source before, along the flow; at half size, (h, w) but for the first."""

    source: HostArray
    """(h, w, 3)."""
    length: HostArray
    """Of the flow, in pixels of the frame."""
    moved: HostArray
    """Squared difference in luma of the new source to this one."""
    stood: HostArray
    """The same to the source before where it was."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedSources:
    """How a source agrees with the one before; (h, w) each."""

    near: HostArray
    """Agreement in areas, in (0, 1]."""
    pixels: HostArray
    """Squared distance, pixel for pixel."""
    still: HostArray
    """1 where nothing moves, else 0."""


def halve_image(image: HostArray) -> tuple[HostArray, HostArray]:
    """Halve an image, and find its edges.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        (h, w, 3), and the squared Laplacian of luma, halved, (h, w).
    """
    height, width, _ = image.shape
    half, edges = _new(height, width, 3), _new(height, width)
    call("halve_image", height, width, readable(image, height, width, 3), half, edges)
    return half, edges


def halve_source(image: HostArray) -> tuple[HostArray, HostArray, HostArray]:
    """Give the luma of an image, and both at half size.

    Args:
        image: (H, W, 3) RGB.

    Returns:
        Luma (H, W) by the weights of BT.601, the image (h, w, 3), and its luma (h, w).
    """
    height, width, _ = image.shape
    luma = np.empty((height, width), np.float32)
    half, half_luma = _new(height, width, 3), _new(height, width)
    call("halve_source", height, width, readable(image, height, width, 3), luma, half, half_luma)
    return luma, half, half_luma


def follow_source(flow: HostArray, now: HostArray, before: HostArray) -> FollowedSource:
    """Sample a source at half size along every other pixel of a flow, and compare.

    Args:
        flow: (H, W, 2) pixels.
        now: (h, w, 3), the new source.
        before: (h, w, 3), that is sampled.

    Returns:
        What was found.
    """
    height, width, _ = flow.shape
    half = height // 2, width // 2
    found = FollowedSource(
        _new(height, width, 3), _new(height, width), _new(height, width), _new(height, width)
    )
    call(
        "follow_source",
        height,
        width,
        readable(flow, height, width, 2),
        readable(now, *half, 3),
        readable(before, *half, 3),
        found.source,
        found.length,
        found.moved,
        found.stood,
    )
    return found


def compare_sources(
    now: HostArray,
    before: HostArray,
    found: FollowedSource,
    still: HostArray | None,
    *,
    noise: HostArray,
    pixel: HostArray,
    rest: HostArray,
    exponent: float,
    shortest: float,
) -> ComparedSources:
    """Compare two sources pixel by pixel and in areas, and find where nothing moves.

    Gaussians are given as their middle and what lies on one side.

    Args:
        now: (h, w, 3).
        before: (h, w, 3), the source before.
        found: The same along the flow; its source, in one piece, is kept where it was as ``still``
            says, and written to.
        still: (h, w) in [0, 1]; None is 0.
        noise: Gaussian that differences are averaged with; 4 pixels beside its middle.
        pixel: The same of squared differences; 2 pixels.
        rest: The same of what is short; 5 pixels.
        exponent: What turns a squared difference into agreement, below 0.
        shortest: Length of the flow below which nothing moves.

    Returns:
        What was found.

    Raises:
        ValueError: The source cannot be written to where it lies.
    """
    height, width, _ = now.shape
    source = found.source
    if readable(source, height, width, 3) is not source or not source.flags.writeable:
        raise ValueError("a kernel writes to arrays that are writable and lie in one piece")
    result = ComparedSources(*(np.empty((height, width), np.float32) for _ in range(3)))
    call(
        "compare_sources",
        height,
        width,
        readable(now, height, width, 3),
        readable(before, height, width, 3),
        None if still is None else readable(still, height, width),
        readable(found.length, height, width),
        readable(noise, 5),
        readable(pixel, 3),
        readable(rest, 6),
        c_float(exponent),
        c_float(shortest),
        source,
        result.near,
        result.pixels,
        result.still,
    )
    return result


def change_of_next(
    flow: HostArray,
    lumas: tuple[HostArray, HostArray],
    images: tuple[HostArray, HostArray],
    used: HostArray,
    *,
    noise: HostArray,
    most: float,
    exponent: float,
) -> tuple[HostArray, HostArray]:
    """Find what the next stylized frame changes in this one, in coarse.

    Args:
        flow: (H, W, 2) pixels, to the next frame.
        lumas: (h, w) of this source and the next one.
        images: (h, w, 3), this stylized frame and the next one.
        used: (h, w), the weight that is given already.
        noise: Gaussian that differences in luma are averaged with: its middle and 4 beside.
        most: Weight at full agreement where nothing is given.
        exponent: What turns a squared difference into agreement, below 0.

    Returns:
        The weight (h, w), 0 outside of the frame, and the change in that weight (h, w, 3).
    """
    height, width, _ = flow.shape
    half = height // 2, width // 2
    weight, change = _new(height, width), _new(height, width, 3)
    call(
        "change_of_next",
        height,
        width,
        readable(flow, height, width, 2),
        *(readable(luma, *half) for luma in lumas),
        readable(noise, 5),
        readable(used, *half),
        c_float(most),
        c_float(exponent),
        *(readable(image, *half, 3) for image in images),
        weight,
        change,
    )
    return weight, change


def weigh_coarse(
    half: HostArray,
    change: HostArray,
    confidence: HostArray,
    still: HostArray,
    overshoot: HostArray | None,
    ahead: HostArray | None,
    *,
    moving: float,
    resting: float,
    part: float,
    least: float,
) -> tuple[HostArray, HostArray]:
    """Give coarse structure what it gets beyond fine detail, and mix the frame at half size.

    Args:
        half: (h, w, 3), the stylized frame.
        change: (h, w, 3), what the history changes, weighted by confidence.
        confidence: (h, w).
        still: (h, w), 1 where nothing moves.
        overshoot: (h, w, 3), what the change exceeds its limit by; None is 0.
        ahead: (h, w, 3), what the next frame changes; None is 0.
        moving: Weight of the history in what moves.
        resting: The same at rest.
        part: Of it, what moving fine detail gets.
        least: Of the confidence, so that nothing is divided by 0.

    Returns:
        What coarse structure gets at a confidence of 1, and the mixed frame, (h, w, 3) both.
    """
    height, width, _ = half.shape
    coarse, mixed = np.empty(half.shape, np.float32), np.empty(half.shape, np.float32)
    call(
        "weigh_coarse",
        height * width,
        readable(half, height, width, 3),
        readable(change, height, width, 3),
        readable(confidence, height, width),
        readable(still, height, width),
        None if overshoot is None else readable(overshoot, height, width, 3),
        None if ahead is None else readable(ahead, height, width, 3),
        *map(c_float, (moving, resting, part, least)),
        coarse,
        mixed,
    )
    return coarse, mixed


def move_towards(image: HostArray, other: HostArray, weight: HostArray) -> HostArray:
    """Mix two images of any size: ``image + weight · (other - image)``.

    Args:
        image: (h, w, 3).
        other: (h, w, 3).
        weight: (h, w).

    Returns:
        (h, w, 3).
    """
    height, width, _ = image.shape
    mixed = np.empty(image.shape, np.float32)
    given = readable(image, height, width, 3), readable(other, height, width, 3)
    call("move_towards", height * width, *given, readable(weight, height, width), mixed)
    return mixed


def _new(height: int, width: int, *channels: int) -> HostArray:
    """At half of that size."""
    return np.empty((height // 2, width // 2, *channels), np.float32)
