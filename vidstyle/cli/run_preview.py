"""``vidstyle run --preview N``: a few frames as one image before the long run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import say_unless_quiet

# Of a sheet that is JPEG or WebP.
_QUALITY = 92

if TYPE_CHECKING:
    from vidstyle.runner.job import Job


def preview_path(output: str | None, inputs: Sequence[Path], label: str) -> Path:
    """Where the sheet is written. Raises UsageError for the name of anything but an image."""
    from vidstyle.core.errors import UsageError
    from vidstyle.stages.encode.image_format import IMAGE_FORMATS

    if output is None:
        return Path(f"{inputs[0].stem}-{label}-preview.png")
    path = Path(output)
    if path.suffix.lower() not in IMAGE_FORMATS:
        raise UsageError(
            f"--preview writes one image: name it {path.stem or 'preview'}.png, or leave -o out"
        )
    return path


def write_preview(
    jobs: Sequence[Job], path: Path, count: int, *, overwrite: bool, as_json: bool
) -> None:
    """Stylize frames of a clip, or one frame each of several inputs, and write the sheet.

    Args:
        jobs: What would be run.
        path: Of the sheet.
        count: How many images.
        overwrite: Whether the sheet may replace a file.
        as_json: Whether the result is printed as JSON.
    """
    from vidstyle.cli.run_title import run_title
    from vidstyle.cli.style_learning import with_learned_styles
    from vidstyle.report.image_output import put_image
    from vidstyle.report.preview_sheet import LabeledImage, preview_sheet
    from vidstyle.runner.interval import spread_evenly
    from vidstyle.runner.preview import preview_frames
    from vidstyle.runner.storage.destination import Destination

    destination = Destination(path, overwrite)

    def check(_: object = None) -> None:
        for job in jobs:
            destination.check(job.input)

    check()
    loaded = jobs[0].pipeline
    label = run_title(loaded)
    loaded = with_learned_styles(loaded, device=jobs[0].device, as_json=as_json, check=check)
    jobs = [replace(job, pipeline=loaded) for job in jobs]
    if len(jobs) == 1:
        (job,) = jobs
        images = [
            LabeledImage(time_label(each.seconds), each.image)
            for each in preview_frames(job, count)
        ]
        title = f"{job.input.name}: {label}"
    else:
        chosen = [jobs[at] for at in spread_evenly(len(jobs), count)]
        images = [
            LabeledImage(job.input.name, each.image)
            for job in chosen
            for each in preview_frames(job, 1)
        ]
        title = f"{len(images)} of {len(jobs)} inputs: {label}"
    put_image(destination, preview_sheet(images, title), quality=_QUALITY)
    if as_json:
        row = {"event": "preview", "output": str(path), "frames": len(images)}
        put_json(row)
    else:
        frames = "1 frame" if len(images) == 1 else f"{len(images)} frames"
        say_unless_quiet(f"wrote {path}: {frames}, each stylized by itself")


def time_label(seconds: Fraction) -> str:
    """``1:02:03.5``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02}" if hours else f"{minutes}"
    start = f"{hours}:" if hours else ""
    return f"{start}{text}:{rest // 10:02}.{rest % 10}"
