"""What ``vidstyle image`` is asked for, checked before torch is imported, which takes seconds."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vidstyle.cli.image_files import Still, read_mask, read_still
from vidstyle.cli.terminal import say_note
from vidstyle.core.errors import DeviceError, OutputError, UsageError
from vidstyle.core.layers import HostArray
from vidstyle.models.optimization.options import SMALLEST_SIDE, StillOptions, level_divisors
from vidstyle.models.optimization.style_image_file import check_style_image
from vidstyle.runner.plan.device import resolve_device
from vidstyle.runner.plan.memory import process_memory, size_text
from vidstyle.runner.storage.destination import Destination

PREVIEW_VIDEO_CODECS: Final = {".gif": "gif", ".mp4": "libx264"}
"""By the end of a preview video's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """What the command line asks for, beside the options of the optimization."""

    content: Path
    output: Path
    mask: Path | None
    device: str
    budget: int
    """Bytes of memory."""
    previews: tuple[int, Path] | None
    """Steps between previews, and their folder."""
    preview_video: Path | None
    overwrite: bool
    as_json: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CheckedRequest:
    """The inputs of a request, and its options without ``auto``."""

    options: StillOptions
    still: Still
    mask: HostArray | None
    """(H, W) in [0, 1], of the still's size."""
    device: str
    """By torch's name."""
    weights: Path
    """The file of the loss network's weights."""


def check_request(request: ImageRequest, options: StillOptions) -> CheckedRequest:
    """Read the inputs and check all that can be wrong before the work begins.

    Weights that are missing are downloaded. torch is imported only where there may be a GPU to ask
    for.

    Raises:
        VidstyleError: something is wrong; the output is untouched.
    """
    still = read_still(request.content, options.size)
    mask = None if request.mask is None else read_mask(request.mask, still)
    for path in options.style_images:
        check_style_image(path)
    if request.preview_video is not None:
        _check_preview_video(request.preview_video)
        Destination(request.preview_video, request.overwrite).check(request.content)
    if request.previews is not None:
        _check_previews(*request.previews)
    device = resolve_device(request.device, needs_torch=True)
    options = options.resolve(device)
    height, width = still.colors.shape[:2]
    _check_memory(options, width, height, device=device, budget=request.budget)
    _note_levels(width, height, options.levels)
    for note in still.notes:
        say_note(note.text)
    weights = options.weights_file()
    return CheckedRequest(options=options, still=still, mask=mask, device=device, weights=weights)


def _check_memory(
    options: StillOptions, width: int, height: int, *, device: str, budget: int
) -> None:
    """Raise DeviceError, with a size that fits, where an image takes more than ``budget`` bytes."""
    needed = _memory(options, width, height, device)
    if needed <= budget:
        return
    longest = max(width, height)
    sizes = range(SMALLEST_SIDE, longest)
    fitting = bisect_right(
        sizes,
        budget,
        key=lambda size: _memory(
            options, width * size // longest, height * size // longest, device
        ),
    )
    fits = f"--size {sizes[fitting - 1]} would fit" if fitting else "no --size would fit"
    raise DeviceError(
        f"{width}x{height} takes about {size_text(needed)}, and --max-memory is"
        f" {size_text(budget)}: {fits}, or raise it"
    )


def _memory(options: StillOptions, width: int, height: int, device: str) -> int:
    return process_memory(torch=True) + options.memory(width, height, device)


def _check_preview_video(path: Path) -> None:
    if path.suffix.lower() not in PREVIEW_VIDEO_CODECS:
        raise UsageError(
            f"--progress {path}: a preview video ends in {' or '.join(PREVIEW_VIDEO_CODECS)}"
        )


def _check_previews(every: int, folder: Path) -> None:
    """Whether there can be a folder; the first preview makes it, so that none stays empty."""
    if every < 1:
        raise UsageError(f"--preview-every {every}: wanted 1 or more")
    whole = folder.absolute()
    there = next(position for position in (whole, *whole.parents) if os.path.lexists(position))
    if not there.is_dir():
        raise OutputError(f"cannot make the folder {folder}: {there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {there} cannot be written; choose another for previews")


def _note_levels(width: int, height: int, wanted: int) -> None:
    count = len(level_divisors(min(width, height), wanted))
    if count < wanted:
        say_note(
            f"{width}x{height} pixels are too few for --levels {wanted}: --levels {count} is used"
        )
