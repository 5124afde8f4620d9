"""Whether an image holds nothing but numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from vidstyle.kernels.library import AnyArray, call, has_kernels

# What the kernel's ``int`` counts.
_MOST: Final = 2**31 - 1


def all_finite(array: AnyArray) -> bool:
    """Check that there is neither NaN nor infinity.

    Args:
        array: Of any shape. A kernel reads float32 in one piece; numpy the rest.

    Returns:
        True where there is none.
    """
    readable = array.dtype == "float32" and array.flags.c_contiguous and array.size <= _MOST
    if not (readable and has_kernels()):
        # A sum is finite only if all terms are, and costs a fraction of isfinite().all().
        return bool(np.isfinite(float(array.sum())))
    answer = np.empty(1, np.int32)
    call("all_finite", array.size, array, answer)
    return bool(answer[0])
