"""One frame after the other through one stage after the other: the oracle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeAlias

from vidstyle.core.frame import Frame

Flow: TypeAlias = Callable[[Iterable[Frame]], Generator[Frame, None, None]]
"""A piece of the pipeline: frames in, as many frames out, in order."""


def run_serial(frames: Iterable[Frame], flows: Iterable[Flow]) -> Iterator[Frame]:
    """All frames as they leave the last flow."""
    stream = iter(frames)
    for flow in flows:
        stream = flow(stream)
    return stream
