"""How much memory a run takes at most, and what is done to stay within a budget: fixed rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vidstyle.core.clip import Clip
from vidstyle.core.errors import DeviceError, UsageError
from vidstyle.core.needs import Needs
from vidstyle.core.plan import Plan
from vidstyle.runner.plan.wiring import frame_bytes

BUDGET = 4 * 2**30
"""Bytes that a run may take unless the user sets another limit."""
QUEUE = 2
"""Frames that wait between two stages: enough to overlap them, and little memory."""
BATCH = 4
"""Frames that a GPU is given at once."""
# Bytes of the process before the first frame: Python with the libraries of video, and torch's.
_BARE, _TORCH = 170 * 2**20, 560 * 2**20


@dataclass(frozen=True, slots=True)
class Choice:
    """What memory can be saved by."""

    queue: int
    """Frames that wait between two stages; 0: one frame goes through one stage at a time."""
    batch: int = 1
    """On a GPU; a processor gains nothing by batches."""


def choices(queue: int | None, *, live: bool = False) -> Iterator[Choice]:
    """The fastest first. ``queue`` is what the pipeline asks for.

    ``live``: no frame waits longer than it must, for others of a batch or in a queue.
    """
    if live:
        yield Choice(1)
        return
    yield Choice(queue or QUEUE, BATCH)
    shortest = queue or 1
    if shortest < (queue or QUEUE):
        yield Choice(shortest, BATCH)
    yield Choice(shortest)
    if queue is None:
        yield Choice(0)


def frames_memory(
    needs: Needs, arriving: tuple[str, ...], leaving: tuple[str, ...], clip: Clip, queue: int
) -> int:
    """Bytes of the frames that a stage and the queue behind it hold at most, but for a span's."""
    behind = [name for name, reach in needs.reads.items() if reach.behind]
    # Without queues the frame in work is the same one in every stage, and is counted apart.
    in_work = 1 if queue else 0
    return (
        needs.behind * frame_bytes(behind, clip)
        + (needs.ahead + in_work) * frame_bytes(arriving, clip)
        + queue * frame_bytes(leaving, clip)
    )


def process_memory(*, torch: bool) -> int:
    """Bytes of a process that has no frames yet."""
    return _BARE + (_TORCH if torch else 0)


def refusal(plan: Plan, smaller: Plan, budget: int) -> DeviceError:
    """The error for a plan that needs more memory, whatever is chosen: what it needs, what fits.

    ``smaller`` is the plan for images of half the sides: the difference is what grows with size.
    """
    clip = plan.source.clip
    pixels, fewer = (p.source.clip.width * p.source.clip.height for p in (plan, smaller))
    bytes_per_pixel = max((plan.memory - smaller.memory) / max(pixels - fewer, 1), 1e-6)
    fitting = (budget - plan.memory) / bytes_per_pixel + pixels
    # A little less, since networks extend sides to multiples of their own.
    shrink = 0.999 * math.sqrt(max(fitting, 0) / pixels)
    width, height = (int(shrink * side) // 2 * 2 for side in (clip.width, clip.height))
    fits = f", or use images of {width}x{height}" if min(width, height) >= 16 else ""
    most = max((*plan.stages, plan.sink), key=lambda stage: stage.memory)
    # On a processor a network's features take half of it; torch has copies in float32.
    halves = most.needs.home == "host" and most.options.get("precision") == "float32"
    less = f", set {most.name}.precision=bfloat16, which takes less" if halves else ""
    return DeviceError(
        f"needs {size_text(plan.memory)} for images of {clip.width}x{clip.height}, the largest part"
        f" for {most.name} ({size_text(most.memory)}), but --max-memory is {size_text(budget)}."
        f" Raise it{less}{fits}."
    )


def size_text(size: int) -> str:
    """Bytes in the unit that a person would use."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.3g} MiB"


def parse_size(text: str, option: str) -> int:
    """Bytes of ``3G``, ``800M`` or ``1.5GiB``.

    Raises UsageError, which names the option, for anything else.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?([MG])(?:i?B)?", text, re.IGNORECASE)
    if match is None or not float(match[1]):
        raise UsageError(
            f"{option} {text}: wanted an amount of memory with its unit, such as 3G or 800M"
        )
    unit = 2**20 if match[2].upper() == "M" else 2**30
    return int(float(match[1]) * unit)
