"""Several clips of one source, one frame of each at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray

Frames: TypeAlias = tuple[HostArray, ...]
"""One frame of each clip, (H, W, 3) RGB in [0, 1], all of one size."""


def together(*clips: Iterable[HostArray]) -> Iterator[Frames]:
    """The frames that belong together, in order; none are kept.

    Raises InputError where the clips differ in length or size.
    """
    for index, frames in enumerate(zip_longest(*clips)):
        present = tuple(frame for frame in frames if frame is not None)
        if len(present) < len(frames):
            raise InputError(
                f"frame {index}: some of the clips to compare have ended and some have not;"
                " give clips made from one source"
            )
        shapes = sorted({frame.shape for frame in present})
        if len(shapes) > 1:
            sizes = ", ".join(f"{shape[1]}x{shape[0]}" for shape in shapes)
            raise InputError(
                f"frame {index}: the clips to compare differ in size: {sizes};"
                " give clips of one size"
            )
        yield present
