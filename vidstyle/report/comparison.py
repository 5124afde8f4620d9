"""Before and after in one frame of a page, with a line between them that can be moved."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vidstyle.core.errors import UsageError
from vidstyle.report.flicker_report import write_text
from vidstyle.report.page import render
from vidstyle.report.preview_video import encode_previews
from vidstyle.report.side_by_side import Interval
from vidstyle.runner.storage.destination import Destination

_MOST_BYTES: Final = 12 * 2**20


def write_comparison(
    destination: Destination, before: Path, after: Path, frames: Interval = (0, None)
) -> int:
    """Write a page that plays two clips in step.

    The page contains small videos of both, of 12 MiB together: longer clips lose quality, and
    then later frames.

    Args:
        destination: The page's file.
        before: A clip, or a folder of images.
        after: Another of the same length.
        frames: The half-open interval that is shown.

    Returns:
        How many frames it shows.

    Raises:
        InputError: A clip cannot be read, or they differ in length.
        UsageError: One frame is too large.
        OutputError: The file cannot be written.
    """
    # By the names that an error shows.
    clips = {str(before): before, str(after) if after != before else "after": after}
    videos = encode_previews(clips, frames, most_bytes=_MOST_BYTES)
    if videos is None:
        raise UsageError(f"one frame of {before} is too large for a comparison")
    width, height = videos.size
    shown = dict(zip(("before", "after"), videos.content.values(), strict=True))
    page = render("comparison.html", width=width, height=height, videos=shown)
    write_text(destination, page)
    return len(videos.seconds)
