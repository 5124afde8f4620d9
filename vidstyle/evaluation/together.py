"""Several clips of one source, one frame of each at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TypeAlias

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray

Frames: TypeAlias = tuple[HostArray, ...]
"""One frame of each clip, (H, W, 3) RGB in [0, 1], all of one size."""

Named: TypeAlias = tuple[str, Iterable[HostArray]]
"""A clip and what an error calls it."""


def together(clips: Sequence[Named]) -> Iterator[Frames]:
    """The frames that belong together, in order; none are kept.

    Raises InputError where the clips differ in length or size, naming the one that does.
    """
    names = [name for name, _ in clips]
    for index, frames in enumerate(zip_longest(*(frames for _, frames in clips))):
        present = tuple(frame for frame in frames if frame is not None)
        if len(present) < len(frames):
            _refuse_length(index, names, frames)
        for name, frame in zip(names, present, strict=True):
            if frame.shape != present[0].shape:
                raise InputError(
                    f"frame {index}: {name} is {_size(frame)}, {names[0]} is {_size(present[0])};"
                    " give clips of one size, or have them scaled (--resize)"
                )
        yield present


def _refuse_length(count: int, names: Sequence[str], frames: Sequence[HostArray | None]) -> None:
    # Two clips may have one name: a styled one may be called "the source".
    ended = names[next(at for at, frame in enumerate(frames) if frame is None)]
    longer = names[next(at for at, frame in enumerate(frames) if frame is not None)]
    raise InputError(
        f"{ended} has {count} frames and {longer} has more; give clips made from one source,"
        " or choose frames that all of them have (--frames A:B)"
    )


def _size(frame: HostArray) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
