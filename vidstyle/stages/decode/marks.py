"""Finding the place after a frame again: by its time and by what the last frames look like."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from av import VideoFrame

from vidstyle.core import Mark
from vidstyle.core.errors import InputError
from vidstyle.media.planes import digest
from vidstyle.stages.decode.timestamps import Decoded, Timed

REMEMBERED: Final = 3
"""Images whose hashes make a mark: enough to tell repeated images from moving ones."""


def found_after_seek(decoded: Iterator[Decoded], mark: Mark) -> bool:
    """Go past the mark's frame; False where the images there are others, or it is not met.

    Times are compared as the file gives them: where they were repaired, only reading from
    the beginning gives the same again.
    """
    recent: deque[VideoFrame] = deque(maxlen=len(mark.digests))
    for item in decoded:
        recent.append(item.image)
        if item.pts == mark.pts and digests(recent) == mark.digests:
            return True
        if item.pts is not None and item.pts > mark.pts:
            return False
    return False


def skip_to(timed: Iterator[Timed], mark: Mark, path: Path) -> None:
    """Go past the mark's frame from the beginning. Raises InputError where it is another."""
    recent: deque[VideoFrame] = deque(maxlen=len(mark.digests))
    last: Timed | None = None
    for last in islice(timed, mark.index + 1):
        recent.append(last.image)
    if last is None or last.pts != mark.pts or digests(recent) != mark.digests:
        raise InputError(
            f"{path}: frame {mark.index} is not the one that an earlier run stopped after; "
            "the file has changed; start again from the beginning"
        )


def digests(images: Iterable[VideoFrame]) -> tuple[str, ...]:
    """Hashes of decoded images, in their order."""
    return tuple(digest(image) for image in images)
