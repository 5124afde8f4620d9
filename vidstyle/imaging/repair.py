"""Fill damage in a stylized image from its surroundings and its source."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.dead_pixels import Dead
from vidstyle.imaging.derived import smooth
from vidstyle.imaging.visibility import BoolMask

# Of 25 pixels; a median of fewer comes from one side.
_ENOUGH = 8
# Pixels by which an area is enlarged before it is filled. What is next to a blown-out area is
# nearly blown out itself, and a fill that starts there would be as flat as the blob was.
_GROWTH = 4
# Pixels around an area in which the image's relation to the source is measured.
_NEAR = 24
# Times the source's contrast that a fill has at most.
_STEEPEST = 1.5
# Added to the variance of the source's luma, so that a flat surrounding gives a flat fill.
_REGULARIZER = 1e-4
# From values to values: a fill keeps away from black and white, so that it is no blob again.
_KNEES = (0, 0.1, 0.9, 1), (0.05, 0.1, 0.9, 0.95)
# Averages with the neighbors: they level the steps that a fill from coarse to fine leaves.
_PASSES = 24
# Of a weight, so that nothing is divided by 0.
_LEAST = 1e-4


def repair(image: HostArray, dead: Dead, source: HostArray) -> HostArray:
    """Replace all that is dead in an image.

    Dead pixels and runs become the median of the good pixels in the 5x5 around them. Blobs and
    larger areas of NaN are filled from their surroundings, so that no edge shows, with the light
    and dark of the source as far as the image follows it nearby. Where no pixel is good the
    source takes its place. Everything farther than 4 pixels from dead areas keeps its bits.

    Args:
        image: (H, W, 3) RGB in [0, 1].
        dead: What ``find_dead`` found in it.
        source: Of the same shape.

    Returns:
        (H, W, 3), repaired pixels in [0, 1]; ``image`` itself where nothing is dead.
    """
    if not dead.found:
        return image
    small = dead.pixels | dead.runs | dead.not_finite
    bad = small | dead.blobs
    repaired = np.where(dead.not_finite[..., np.newaxis], source, image)
    left = _set_medians(repaired, small & ~dead.blobs, bad)
    areas = dead.blobs | left
    return _filled(repaired, areas, source) if areas.any() else repaired


def _set_medians(image: HostArray, small: BoolMask, bad: BoolMask) -> BoolMask:
    """Write the medians of good neighbors into ``image``; gives the pixels that have too few."""
    rows, columns = np.nonzero(small)
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
    good = np.pad(~bad, 2)
    down, across = (shift.ravel() for shift in np.mgrid[0:5, 0:5])
    y, x = rows[:, np.newaxis] + down, columns[:, np.newaxis] + across
    usable = good[y, x]
    # The middle of the sorted values, those that cannot be used behind all others.
    values = np.where(usable[..., np.newaxis], padded[y, x], np.float32(np.inf))
    values.sort(axis=1)
    count = usable.sum(1)
    enough = count >= _ENOUGH
    middle = np.stack([(count - 1) // 2, count // 2], 1)[enough]
    chosen = np.take_along_axis(values[enough], middle[..., np.newaxis], axis=1)
    image[rows[enough], columns[enough]] = chosen.mean(1).clip(0, 1)
    left = np.zeros_like(small)
    left[rows[~enough], columns[~enough]] = True
    return left


def _filled(image: HostArray, areas: BoolMask, source: HostArray) -> HostArray:
    """``image`` with areas filled, and a soft transition of 4 pixels around them."""
    hole = _grown(areas, _GROWTH)
    if hole.all():
        hole = areas
    if hole.all():
        return source.copy()
    part = _extent(hole.max(1), _NEAR), _extent(hole.max(0), _NEAR)
    filled = image.copy()
    filled[part] = _fill(image[part], areas[part], hole[part], source[part])
    return filled


def _extent(used: BoolMask, margin: int) -> slice:
    """From the first to the last that is used, and a margin."""
    positions = np.flatnonzero(used)
    return slice(max(0, int(positions[0]) - margin), int(positions[-1]) + 1 + margin)


def _fill(image: HostArray, areas: BoolMask, hole: BoolMask, source: HostArray) -> HostArray:
    luma = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), np.float32)
    # Only how the source differs from its own membrane is added: a slope that changes from pixel
    # to pixel then makes no shapes of its own.
    light = np.repeat(luma[..., np.newaxis], 3, axis=2)
    relief = light - _membrane(light, hole)
    fill = _membrane(image, hole) + _slopes(image, luma, hole) * relief
    fill = np.asarray(np.interp(fill, *_KNEES), np.float32)
    soft = 2 * smooth(areas.astype(np.float32), _GROWTH / 2)
    weight = np.where(areas, np.float32(1), np.minimum(soft, 1) * hole)[..., np.newaxis]
    mixed: HostArray = image + weight * (fill - image)
    return np.where(weight > 0, mixed, image)


def _slopes(image: HostArray, luma: HostArray, hole: BoolMask) -> HostArray:
    """How steeply each channel follows the source's luma near each pixel, (H, W, 3), at least 0.

    The local regression of He, Sun and Tang (Guided Image Filtering, 2013, equation 5), over what
    is good.
    """
    good = (~hole).astype(np.float32)
    weight = np.maximum(_near(good), _LEAST)
    mean_luma = _near(good * luma) / weight
    variance = _near(good * luma * luma) / weight - mean_luma**2
    known = good[..., np.newaxis] * image
    mean = _near(known) / weight[..., np.newaxis]
    product = _near(known * luma[..., np.newaxis]) / weight[..., np.newaxis]
    covariance = product - mean * mean_luma[..., np.newaxis]
    slope = covariance / (np.maximum(variance, 0) + _REGULARIZER)[..., np.newaxis]
    # Deep inside of a large area nothing good is near, and the slope fades out by itself.
    return np.asarray(_near(np.clip(slope, 0, _STEEPEST)), np.float32)


def _near(plane: HostArray) -> HostArray:
    side = 2 * _NEAR + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)


def _membrane(image: HostArray, hole: BoolMask) -> HostArray:
    """``image`` with the hole spanned smoothly from its rim: a solution near Laplace's.

    Coarse to fine, as in Gortler et al. (The Lumigraph, 1996), then averaged with its neighbors.
    """
    known = (~hole).astype(np.float32)
    spanned = _pulled(image * known[..., np.newaxis], known)
    spanned = np.where(hole[..., np.newaxis], spanned, image)
    for _ in range(_PASSES):
        spanned = np.where(hole[..., np.newaxis], cv2.blur(spanned, (3, 3)), image)
    return np.asarray(spanned, np.float32)


def _pulled(weighted: HostArray, weight: HostArray) -> HostArray:
    """The weighted image over its weight, with values from coarser scales where it has none."""
    own = weighted / np.maximum(weight, _LEAST)[..., np.newaxis]
    if min(weight.shape) < 2 or (weight >= 1).all():
        return np.asarray(own, np.float32)
    half_weight = np.asarray(cv2.pyrDown(weight), np.float32)
    coarse = _pulled(np.asarray(cv2.pyrDown(weighted), np.float32), half_weight)
    height, width = weight.shape
    above = cv2.pyrUp(coarse, dstsize=(width, height))
    part = np.minimum(weight, 1)[..., np.newaxis]
    return np.asarray(part * own + (1 - part) * above, np.float32)


def _grown(mask: BoolMask, pixels: int) -> BoolMask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    return np.asarray(cv2.dilate(mask.view(np.uint8), kernel), np.uint8).view(np.bool_)
