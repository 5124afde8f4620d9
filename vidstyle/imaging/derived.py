"""Images derived from an image (halved, averaged, gray), and a cache for the newest ones."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.core.planes import Planes
from vidstyle.imaging.warp import positions

Gray8: TypeAlias = npt.NDArray[np.uint8]
"""(H, W), 0 to 255."""
SeenT = TypeVar("SeenT")
DerivedT = TypeVar("DerivedT")

# Code values 16 to 235 as 0 to 255.
_FULL_RANGE = np.rint(np.clip((np.arange(256) - 16) / 219, 0, 1) * 255).astype(np.uint8)
# Standard deviations on each side; 99 % of the weight. OpenCV's own default for floats is 4.
_REACH = 2.5


def halve(image: HostArray) -> HostArray:
    """Reduce an image to half its size: 2x2 pixels averaged.

    Args:
        image: (H, W) or (H, W, C).

    Returns:
        (h, w) or (h, w, C), sides rounded up.
    """
    height, width = image.shape[:2]
    size = ((width + 1) // 2, (height + 1) // 2)
    # The same mean where sides are even. It takes OpenCV less time for planes, but more for color.
    by_area = image.ndim == 2 and height % 2 == 0 and width % 2 == 0
    kind = cv2.INTER_AREA if by_area else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=kind), np.float32)


def double(image: HostArray, height: int, width: int) -> HostArray:
    """Enlarge what ``halve`` gave, bilinearly.

    Args:
        image: (h, w) or (h, w, C).
        height: Of the result, in pixels.
        width: Of the result, in pixels.

    Returns:
        (height, width) or (height, width, C).
    """
    larger = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def halve_flow(flow: HostArray) -> tuple[HostArray, HostArray]:
    """Take every other pixel of a flow, which changes slowly, in every other row.

    Args:
        flow: (H, W, 2) pixels.

    Returns:
        Its planes, (h, w) each, in the same pixels; sides as those of ``halve``.
    """
    part = flow[::2, ::2]
    return np.ascontiguousarray(part[..., 0]), np.ascontiguousarray(part[..., 1])


def halve_positions(
    across: HostArray, down: HostArray, whole: tuple[int, ...]
) -> tuple[HostArray, HostArray]:
    """Give the positions in the halved image that a halved flow leads to.

    Args:
        across: (h, w), the flow's plane as ``halve`` gives it, still in pixels of the image.
        down: The same of the other plane.
        whole: Shape of the image: its height and width come first.

    Returns:
        Columns and rows, (h, w) each, in pixels of the halved image.
    """
    height, width = across.shape
    return positions(across * np.float32(width / whole[1]), down * np.float32(height / whole[0]))


def smooth(image: HostArray, sigma: float) -> HostArray:
    """Average an image with a Gaussian that ends at 2.5 sigma and sums to 1.

    Args:
        image: (H, W) or (H, W, C); its edge is repeated.
        sigma: Standard deviation in pixels.

    Returns:
        Of the same shape.
    """
    side = 2 * reach_of(sigma) + 1
    result = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(result, np.float32).reshape(image.shape)


def gaussian(sigma: float) -> HostArray:
    """Give the weights of ``smooth`` along one side.

    Args:
        sigma: Standard deviation in pixels.

    Returns:
        An odd number of them; their sum is 1.
    """
    kernel = cv2.getGaussianKernel(2 * reach_of(sigma) + 1, sigma, cv2.CV_32F)
    return np.asarray(kernel, np.float32).ravel()


def half_gaussian(sigma: float) -> HostArray:
    """Give the weights of ``smooth`` from the middle to one side, as kernels take them.

    Args:
        sigma: Standard deviation in pixels.

    Returns:
        The middle's first.
    """
    return gaussian(sigma)[reach_of(sigma) :].copy()


def reach_of(sigma: float) -> int:
    """Give the reach of ``smooth``.

    Args:
        sigma: Standard deviation in pixels.

    Returns:
        Pixels on each side that it reads.
    """
    return math.ceil(_REACH * sigma)


def luma_plane(image: HostArray) -> HostArray:
    """Give the luma of an image, by the weights of BT.601.

    Args:
        image: (H, W, 3) RGB.

    Returns:
        (H, W).
    """
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def gray8(image: HostArray | Planes) -> Gray8:
    """Give the 8-bit luma that classic optical flow works on.

    Args:
        image: (H, W, 3) RGB in [0, 1], whose luma has the weights of BT.601; values outside are
            clamped. Planes have a luma of their own, which has those of their matrix.

    Returns:
        (H, W), rounded; black is 0 and white 255.
    """
    if isinstance(image, Planes):
        codes = image.samples[0]
        if image.format.range == "full":
            return codes
        return np.asarray(cv2.LUT(codes, _FULL_RANGE), np.uint8)
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.convertScaleAbs(np.maximum(luma, 0), alpha=255), np.uint8)


class Latest(Generic[SeenT, DerivedT]):
    """Identity-keyed cache of what a function derives from the two newest images.

    A stage sees each frame twice or more: as a neighbor and as its own. Nobody may write to such
    an image or to the result. One thread at a time may use it, in the order of frames. It does
    not keep the image alive.

    Args:
        derive: Computes what is derived of an array, or of planes.
    """

    def __init__(self, derive: Callable[[SeenT], DerivedT]) -> None:
        self._derive = derive
        self._cache: tuple[tuple[weakref.ref[SeenT], DerivedT], ...] = ()

    def __call__(self, image: SeenT) -> DerivedT:
        """Give ``derive(image)``, from the cache where it is there."""
        for seen, derived in self._cache:
            if seen() is image:
                return derived
        derived = self._derive(image)
        self._cache = (*self._cache[-1:], (weakref.ref(image), derived))
        return derived
