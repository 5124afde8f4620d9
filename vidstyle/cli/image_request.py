"""What ``vidstyle image`` is asked for, refused in time: before torch, which takes seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from vidstyle.cli.image_files import Still, read_mask, read_still
from vidstyle.cli.image_memory import check_memory
from vidstyle.cli.terminal import say
from vidstyle.core.errors import OutputError, UsageError
from vidstyle.core.layers import HostArray
from vidstyle.models.optimization.settings import level_divisors
from vidstyle.models.optimization.style_image_file import check_style_image
from vidstyle.runner.plan.device import resolve_device
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.stylize.gatys_options import OptimizationOptions

PREVIEW_VIDEO_CODECS: Final = {".gif": "gif", ".mp4": "libx264"}
"""By the end of a film's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for, beside the options of the painting."""

    content: Path
    output: Path
    size: int
    steps: int
    strength: float
    start: Literal["content", "noise"]
    mask: Path | None
    device: str
    budget: int
    """Bytes of memory."""
    previews: tuple[int, Path] | None
    preview_video: Path | None
    overwrite: bool
    as_json: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Checked:
    """What a request leads to."""

    still: Still
    mask: HostArray | None
    """(H, W) in [0, 1], of the still's size."""
    device: str
    """As torch calls it."""


def checked(request: Request, options: OptimizationOptions) -> Checked:
    """Read what is to be painted, and look for all that can be wrong before it is.

    Weights that are missing are fetched. Raises a VidstyleError. torch is imported only where there
    may be a GPU to ask for.
    """
    still = read_still(request.content, request.size)
    mask = None if request.mask is None else read_mask(request.mask, still)
    for path in options.style_images:
        check_style_image(path)
    if request.preview_video is not None:
        _check_preview_video(request.preview_video)
        Destination(request.preview_video, request.overwrite).check(request.content)
    if request.previews is not None:
        _check_previews(*request.previews)
    device = resolve_device(request.device, needs_torch=True)
    height, width = still.colors.shape[:2]
    check_memory(options, width, height, device=device, budget=request.budget)
    _tell_levels(width, height, options.levels)
    options.weights_file()
    return Checked(still=still, mask=mask, device=device)


def _check_preview_video(path: Path) -> None:
    if path.suffix.lower() not in PREVIEW_VIDEO_CODECS:
        raise UsageError(f"--progress {path}: a film ends in {' or '.join(PREVIEW_VIDEO_CODECS)}")


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


def _tell_levels(width: int, height: int, wanted: int) -> None:
    count = len(level_divisors(min(width, height), wanted))
    if count < wanted:
        say(
            f"note: {width}x{height} pixels are too few for --levels {wanted}: painted as with"
            f" --levels {count}"
        )
