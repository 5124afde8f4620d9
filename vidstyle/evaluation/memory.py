"""Memory that runs out while clips are judged, told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from vidstyle.core.errors import DeviceError

_NO_MEMORY = -4
# OpenCV's code of an allocation that failed.


@contextmanager
def enough_memory(work: str, remedy: str) -> Iterator[None]:
    """Turn an allocation that fails, of whatever library, into a DeviceError.

    Its message says that ``work`` ran out of memory, and the ``remedy``.
    """
    try:
        yield
    except (MemoryError, RuntimeError, cv2.error) as error:
        if not _is_allocation(error):
            raise
        raise DeviceError(f"{work}: out of memory; {remedy}") from error


def _is_allocation(error: Exception) -> bool:
    if isinstance(error, cv2.error):
        return error.code == _NO_MEMORY
    # By name, since torch takes seconds to import; on the CPU it has no class for this.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )
