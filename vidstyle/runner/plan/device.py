"""Which device a run uses, and how many threads: fixed rules, never timing."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from vidstyle.core.errors import DeviceError, UsageError


def resolve_device(wanted: str, *, needs_torch: bool) -> str:
    """``auto`` is the first GPU if there is one; ``cuda`` is ``cuda:0``.

    torch is asked only where the system has a driver and, for ``auto``, a stage runs on a device:
    importing it takes seconds. Raises UsageError for an unknown name and DeviceError for
    a GPU that is not there.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,4})?", wanted):
        raise UsageError(f"--device {wanted}: wanted auto, cpu, cuda or cuda:N")
    if wanted == "cpu" or (wanted == "auto" and not (needs_torch and _has_driver())):
        return "cpu"
    count = _usable_gpus()
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    number = int(wanted.partition(":")[2] or 0)
    if number >= count:
        raise DeviceError(f"--device {wanted}: this machine has {count} usable GPUs; use cpu")
    return f"cuda:{number}"


def _usable_gpus() -> int:
    if not _has_driver():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _has_driver() -> bool:
    """Whether there may be a GPU that torch can use; False only where there is none for sure."""
    if sys.platform != "linux":
        return True
    # NVIDIA's, NVIDIA's under Windows' Linux, and AMD's.
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd"))


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(threads: int) -> None:
    """Set how many threads the libraries in use may have; process-wide."""
    import cv2

    cv2.setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
