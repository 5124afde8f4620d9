"""OpenVINO itself: the library, its plugin for processors, and how networks are compiled.

On its own the library would report each import to Google Analytics and write to the home folder.
Its telemetry is a package of its own; where that cannot be imported it does without.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import cv2

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not to be had

import openvino as ov  # type: ignore[import-untyped]  # noqa: E402  # it has no types
from openvino import opset13 as op  # noqa: E402

__all__ = ["compile_model", "has_native_bfloat16", "has_vnni", "op", "ov", "shared_core"]

# CV_CPU_AVX_512VNNI of OpenCV, which has no name in Python.
_VNNI = 23


@cache
def shared_core() -> ov.Core:
    """The core of the process: loading the plugin once is enough."""
    return ov.Core()


def has_native_bfloat16() -> bool:
    """Whether this processor computes in bfloat16, and not by way of float32."""
    return "BF16" in shared_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def has_vnni() -> bool:
    """Whether this processor multiplies and adds bytes in one instruction (AVX-512 VNNI).

    Without it sums of bytes overflow on the way, or take as long as wider numbers.
    """
    return cv2.checkHardwareSupport(_VNNI)


def compile_model(model: ov.Model, *, threads: int) -> Any:
    """Compile a model for this processor, which keeps every node in the precision it states.

    Args:
        model: With a fixed size.
        threads: Of the processor.

    Returns:
        OpenVINO's compiled model.
    """
    settings = {
        "EXECUTION_MODE_HINT": "ACCURACY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # Other stages have threads too: the system may move ours out of their way.
        "ENABLE_CPU_PINNING": False,
    }
    return shared_core().compile_model(model, "CPU", settings)
