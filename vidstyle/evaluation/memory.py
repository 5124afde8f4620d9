"""Memory that runs out while clips are judged, told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vidstyle.core.errors import DeviceError, is_out_of_memory


@contextmanager
def enough_memory(work: str, remedy: str) -> Iterator[None]:
    """Turn an allocation that fails, of whatever library, into a DeviceError.

    Its message says that ``work`` ran out of memory, and the ``remedy``.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(f"{work}: out of memory; {remedy}") from error
