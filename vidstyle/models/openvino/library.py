"""OpenVINO, which on its own would tell Google Analytics of each import and write to the home."""

from __future__ import annotations

import sys

# Its telemetry is a package of its own; where that cannot be imported it does without.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not to be had

import openvino as ov  # type: ignore[import-untyped]  # noqa: E402  # it has no types
from openvino import opset13 as op  # noqa: E402

__all__ = ["op", "ov"]
