"""Where and how a stage runs: values of the resolved plan, never of timing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "bfloat16", "float16", "int8"]


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What one stage may use of the machine, resolved before the first frame."""

    device: str = "cpu"
    """``cpu`` or ``cuda:N``."""
    threads: int = 1
    """Threads that the stage's library may use; part of what the pixels depend on."""
    batch: int = 1
    """Frames that are computed at once."""
    precision: Precision = "float32"
