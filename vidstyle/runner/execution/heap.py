"""Makes the C library's heap keep memory that frames will need again."""

from __future__ import annotations

import ctypes
import platform

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
# Bytes; the most that glibc takes for the second.
_LARGE = 32 * 2**20


def keep_heap() -> None:
    """Keep memory that was freed for the next frame; process-wide, and nothing but glibc's.

    Every frame takes arrays of megabytes and frees them. By default glibc hands such memory back
    to the kernel and takes it again, with a page fault for every 4 KiB. One heap for all threads,
    since frames are freed by other threads than took them. Arrays of the largest images are
    still handed back: what they would leave between them is too much to keep.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_ARENA_MAX, 1)
    libc.mallopt(_MMAP_THRESHOLD, _LARGE)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
