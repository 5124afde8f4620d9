"""``vidstyle run --preview N``: a few frames as one image before the long run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import answer, say_note, say_unless_quiet

# Of a sheet that is JPEG or WebP.
_QUALITY = 92

if TYPE_CHECKING:
    from vidstyle.runner.job import Job
    from vidstyle.runner.preview import PreviewFrame


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
    jobs: Sequence[Job],
    path: Path,
    count: int,
    *,
    overwrite: bool,
    as_json: bool,
    dry_run: bool = False,
) -> None:
    """Stylize frames of a clip, or one frame each of several inputs, and write the sheet.

    Args:
        jobs: What would be run.
        path: Of the sheet.
        count: How many images.
        overwrite: Whether the sheet may replace a file.
        as_json: Whether the result is printed as JSON.
        dry_run: Whether only what would be written is printed.
    """
    from vidstyle.cli.run_title import run_title
    from vidstyle.cli.style_learning import with_learned_styles
    from vidstyle.core.errors import InputError
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
    if dry_run:
        _print_outlook(jobs, path, count, as_json=as_json)
        return
    loaded = jobs[0].pipeline
    label = run_title(loaded)
    loaded = with_learned_styles(loaded, device=jobs[0].device, as_json=as_json, check=check)
    jobs = [replace(job, pipeline=loaded) for job in jobs]
    if len(jobs) == 1:
        (job,) = jobs
        found = list(preview_frames(job, count))
        labels = time_labels([each.seconds for each in found])
        images = [LabeledImage(text, each.image) for text, each in zip(labels, found, strict=True)]
        title = f"{job.input.name}: {label}"
    else:
        chosen = [jobs[at] for at in spread_evenly(len(jobs), count)]
        images = [
            LabeledImage(job.input.name, each.image)
            for job in chosen
            for each in _frame_of_readable(job)
        ]
        if not images:
            raise InputError(
                f"none of {len(chosen)} inputs can be read; the notes have the reasons"
            )
        title = f"{len(images)} of {len(jobs)} inputs: {label}"
    put_image(destination, preview_sheet(images, title), quality=_QUALITY)
    if as_json:
        row = {"event": "preview", "output": str(path), "frames": len(images)}
        put_json(row)
    else:
        frames = "1 frame" if len(images) == 1 else f"{len(images)} frames"
        say_unless_quiet(f"wrote {path}: {frames}, each stylized by itself")


def _print_outlook(jobs: Sequence[Job], path: Path, count: int, *, as_json: bool) -> None:
    """Print which frames there would be, and the image."""
    from vidstyle.cli.style_learning import with_planned_styles
    from vidstyle.runner.interval import spread_evenly
    from vidstyle.runner.preview import preview_moments

    if len(jobs) == 1:
        job = replace(jobs[0], pipeline=with_planned_styles(jobs[0].pipeline))
        names = time_labels(preview_moments(job, count))
        what = f"{len(names)} of {job.input} at {', '.join(names)}"
    else:
        names = [str(jobs[at].input) for at in spread_evenly(len(jobs), count)]
        what = f"one each of {', '.join(names)}"
    if as_json:
        put_json({"event": "preview", "output": str(path), "frames": len(names), "planned": True})
    else:
        answer(f"Frames, each stylized by itself: {what}.")
        answer(f"They would be shown in {path}.")


def _frame_of_readable(job: Job) -> Iterator[PreviewFrame]:
    """The frame of one of several inputs; a note where it is broken, as the others can be seen."""
    from vidstyle.core.errors import InputError
    from vidstyle.runner.preview import preview_frames

    try:
        yield from preview_frames(job, 1)
    except InputError as error:
        say_note(f"left out: {error}")


def time_labels(moments: Sequence[Fraction]) -> list[str]:
    """Times such as ``1:02:03.5``, with as many decimals as tell them apart, from 1 to 3."""
    for decimals in (1, 2, 3):
        labels = [_time_label(moment, decimals) for moment in moments]
        if len(set(labels)) == len(labels):
            break
    return labels


def _time_label(seconds: Fraction, decimals: int) -> str:
    unit = 10**decimals
    minutes, rest = divmod(round(seconds * unit), 60 * unit)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02}" if hours else f"{minutes}"
    start = f"{hours}:" if hours else ""
    return f"{start}{text}:{rest // unit:02}.{rest % unit:0{decimals}}"
