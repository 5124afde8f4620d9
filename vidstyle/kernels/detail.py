"""Enlarging a stylized image with the detail of the image that it was made of."""

from __future__ import annotations

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import call, readable


def enlarge_with_detail(
    image: HostArray, stylized: HostArray, luma: HostArray, weights: HostArray
) -> HostArray:
    """Enlarge an image bicubically, and add the luma that a smaller one has lost, weighted.

    Args:
        image: (H, W, 3) RGB, the source.
        stylized: (h, w, 3), to be enlarged.
        luma: (h, w) of the source at that size.
        weights: (h, w, 3), enlarged bilinearly; of what the source's luma has beyond the
            enlarged ``luma``.

    Returns:
        (H, W, 3) in [0, 1].
    """
    size, small = image.shape[:2], stylized.shape[:2]
    result = np.empty((*size, 3), np.float32)
    call(
        "enlarge_with_detail",
        *size,
        *small,
        readable(image, *size, 3),
        readable(stylized, *small, 3),
        readable(luma, *small),
        readable(weights, *small, 3),
        result,
    )
    return result
