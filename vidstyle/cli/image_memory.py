"""Whether a painting of a still fits into the memory that it may take."""

from __future__ import annotations

from bisect import bisect_right

from vidstyle.core.errors import DeviceError
from vidstyle.runner.plan.memory import process_memory, size_text
from vidstyle.stages.stylize.gatys_options import OptimizationOptions

LEAST_SIZE, MOST_SIZE = 100, 4096
"""Of the longer side in pixels."""


def check_memory(
    options: OptimizationOptions, width: int, height: int, *, device: str, budget: int
) -> None:
    """Raise DeviceError where an image of that size takes more than ``budget`` bytes.

    It says which size would not.
    """
    needed = _taken(options, width, height, device)
    if needed <= budget:
        return
    longest = max(width, height)
    sizes = range(LEAST_SIZE, longest)
    fitting = bisect_right(
        sizes,
        budget,
        key=lambda size: _taken(options, width * size // longest, height * size // longest, device),
    )
    fits = f"--size {sizes[fitting - 1]} would fit" if fitting else "no --size would fit"
    raise DeviceError(
        f"{width}x{height} takes about {size_text(needed)}, and --max-memory is"
        f" {size_text(budget)}: {fits}, or raise it"
    )


def _taken(options: OptimizationOptions, width: int, height: int, device: str) -> int:
    return process_memory(torch=True) + options.memory(width, height, device)
