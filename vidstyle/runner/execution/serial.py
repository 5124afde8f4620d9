"""One frame after the other through one stage after the other: the oracle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.runner.plan.guard import Guard

Flow: TypeAlias = Callable[[Iterable[Frame]], Generator[Frame, None, None]]
"""A piece of the pipeline: frames in, as many frames out, in order."""


def run_serial(frames: Iterable[Frame], flows: Iterable[Flow]) -> Iterator[Frame]:
    """All frames as they leave the last flow."""
    stream = iter(frames)
    for flow in flows:
        stream = flow(stream)
    return stream


@contextmanager
def drive_serial(
    frames: Iterable[Frame],
    flows: Sequence[Flow],
    guards: Sequence[Guard],
    plan: Plan,
    limit: float,
) -> Iterator[Iterable[Frame]]:
    """Lead frames through flows on this thread; it waits for a stage as long as that takes."""
    yield run_serial(frames, flows)
