"""Which device a run uses, and how many threads: fixed rules, never timing."""

from __future__ import annotations

import os
import re
import sys

from vidstyle.core.errors import DeviceError, UsageError


def resolve_device(wanted: str, *, needs_torch: bool) -> str:
    """``auto`` is the first GPU if there is one; ``cuda`` is ``cuda:0``.

    torch is asked only where a stage runs on a device. Raises UsageError for an unknown
    name and DeviceError for a GPU that is not there.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,4})?", wanted):
        raise UsageError(f"--device {wanted}: wanted auto, cpu, cuda or cuda:N")
    if wanted == "cpu" or (wanted == "auto" and not needs_torch):
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    number = int(wanted.partition(":")[2] or 0)
    if number >= count:
        raise DeviceError(f"--device {wanted}: this machine has {count} usable GPUs; use cpu")
    return f"cuda:{number}"


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(threads: int) -> None:
    """Tell the libraries in use how many threads they may have; process-wide."""
    import cv2

    cv2.setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
