"""Whether an image holds nothing but numbers."""

from __future__ import annotations

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import call, has_kernels


def all_finite(array: HostArray) -> bool:
    """Check that there is neither NaN nor infinity.

    Args:
        array: Of any shape, float32.

    Returns:
        True where there is none.
    """
    if not (array.flags.c_contiguous and has_kernels()):
        # A sum is finite only if all terms are, and costs a fraction of isfinite().all().
        return bool(np.isfinite(float(array.sum())))
    answer = np.empty(1, np.int32)
    call("all_finite", array.size, array, answer)
    return bool(answer[0])
