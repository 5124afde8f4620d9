"""``vidstyle compare``: clips beside one another, in a video, an image or a page."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.comparison_options import LayoutOptions
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_groups import (
    CodecOptions,
    ComputationOptions,
    ExistingOptions,
    FrameOptions,
    StyleOptions,
)
from vidstyle.cli.option_values import indices_of
from vidstyle.cli.terminal import say_note, say_unless_quiet

if TYPE_CHECKING:
    from vidstyle.runner.storage.destination import Destination
    from vidstyle.stages.filter.compare import CompareOptions

_PAGE = ".html"


def register(app: typer.Typer) -> None:
    app.command("compare")(as_command(compare, quiet=True))


def compare(
    clips: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more videos, folders of images, or photos. The first one gives size,"
            " frame rate, length and sound.",
            metavar="A B...",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="A video (such as .mp4, .webm or .gif), an image (.png, .jpg or .webp), or a page"
            " for two clips (.html).",
            metavar="OUT",
        ),
    ],
    *,
    frames: given.Frames = None,
    rows: Annotated[
        int | None,
        typer.Option(
            help="Frames of videos in an image, spread evenly. Without it 4.",
            min=1,
            max=100,
            metavar="N",
        ),
    ] = None,
    layout: LayoutOptions,
    codec: CodecOptions,
    existing: ExistingOptions,
    max_memory: Annotated[
        str | None,
        typer.Option(help="Memory that making a video may use. Without it 4G.", metavar="SIZE"),
    ] = None,
    set_: given.Set = None,
    dry_run: given.DryRun = False,
    json: given.Json = False,
) -> None:
    """Show clips beside one another, in a video, an image or a page.

    Frames are matched by time. Other sizes are brought to the first clip's, with black edges where
    the shape is another one. The last frame of a shorter clip is held. A video is made by the
    pipeline `compare`; --dry-run prints it.
    """
    from vidstyle.runner.storage.destination import Destination
    from vidstyle.stages.encode.image_format import IMAGE_FORMATS

    _check_clips(clips)
    suffix = output.suffix.lower()
    moving: dict[str, object] = {
        "--redo": existing.redo,
        "--keep": existing.keep,
        "--max-memory": max_memory,
        "--codec": codec.codec,
        "--crf": codec.crf,
        "--preset": codec.preset,
        "--set": set_,
        "--dry-run": dry_run,
    }
    if suffix == _PAGE:
        _refuse({**layout.typed(), **moving, "--rows": rows}, "a page")
        count = _write_page(clips, Destination(output, existing.overwrite), frames)
        _report(output, count, json=json)
        return
    options = layout.for_clips(clips)
    if suffix in IMAGE_FORMATS:
        _refuse(moving, "an image")
        destination = Destination(output, existing.overwrite)
        count = _write_image(clips, destination, options, frames, rows, layout.size, json=json)
        _report(output, count, json=json)
        return
    _refuse({"--rows": rows}, "a video")
    _run(
        clips,
        output,
        options,
        frame=FrameOptions(frames=frames, size=layout.size),
        codec=codec,
        existing=existing,
        computation=ComputationOptions(max_memory=max_memory or "4G"),
        set_=set_ or [],
        dry_run=dry_run,
        json=json,
    )


def _check_clips(clips: Sequence[Path]) -> None:
    from vidstyle.core.errors import UsageError
    from vidstyle.runner.plan.naming import check_there

    if len(clips) < 2:
        raise UsageError(f"compare takes two clips or more, got one: {clips[0]}")
    for path in clips:
        check_there(path)


def _refuse(options: Mapping[str, object], kind: str) -> None:
    """Raise UsageError for an option that would have no effect."""
    from vidstyle.core.errors import UsageError

    for name, value in options.items():
        if value is not None and value is not False:
            raise UsageError(f"{name} has no effect on {kind}; leave it out")


def _write_page(clips: Sequence[Path], destination: Destination, frames: str | None) -> int:
    from vidstyle.core.errors import UsageError
    from vidstyle.report.comparison import write_comparison

    if len(clips) != 2:
        raise UsageError(f"a page shows two clips, got {len(clips)}; write a video or an image")
    before, after = clips
    for clip in clips:
        destination.check(clip)
    return write_comparison(destination, before, after, indices_of(frames, clips[0]))


def _write_image(
    clips: Sequence[Path],
    destination: Destination,
    options: CompareOptions,
    frames: str | None,
    rows: int | None,
    size: str | None,
    *,
    json: bool,
) -> int:
    from pydantic import ValidationError

    from vidstyle.cli.progress import print_json
    from vidstyle.core.errors import UsageError
    from vidstyle.report.comparison_image import write_comparison_image
    from vidstyle.runner.execution.events import NoteEvent
    from vidstyle.stages.geometry.scale import ScaleOptions

    if size is not None:
        try:
            size = ScaleOptions(size=size).size
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(f"--size {size}: {reason}") from None
    for clip in clips:
        destination.check(clip)
    written = write_comparison_image(
        destination,
        clips,
        options,
        frames=indices_of(frames, clips[0]),
        rows=rows or 4,
        size=size,
    )
    for note in written.notes:
        if json:
            print_json(NoteEvent(note))
        else:
            say_note(note.text)
    return written.frames


def _report(output: Path, count: int, *, json: bool) -> None:
    if json:
        row = {"event": "done", "output": str(output), "frames": count}
        put_json(row)
    else:
        say_unless_quiet(f"wrote {output}: {count} frame{'s' if count != 1 else ''}")


def _run(
    clips: Sequence[Path], output: Path, options: CompareOptions, *, set_: list[str], **more: Any
) -> None:
    """Run the pipeline ``compare`` with what it is given here, as ``--set`` says it."""
    from vidstyle.cli.pipes import StreamOptions
    from vidstyle.cli.run import run
    from vidstyle.core.errors import UsageError
    from vidstyle.imaging.photo_file import is_photo
    from vidstyle.runner.config.shipped import pipeline_file

    first, *others = clips
    if is_photo(first):
        raise UsageError(
            f"{first} is a photo: name a clip first, or write an image, as in -o compare.png"
        )
    layers = [f"clip{number}" for number in range(2, len(clips) + 1)]
    changes: dict[str, object] = {
        f"inputs.{name}": {"file": str(path), "color": True, "pad": True}
        for name, path in zip(layers, others, strict=True)
    }
    changes["filter.clips"] = layers
    for name, value in options.model_dump(exclude_unset=True).items():
        changes[f"filter.{name}"] = value
    run(
        pipeline_file(Path("compare")),
        [first],
        str(output),
        look=StyleOptions(),
        stream=StreamOptions(),
        set_=[*(f"{name}={_yaml_of(value)}" for name, value in changes.items()), *set_],
        **more,
    )


def _yaml_of(value: object) -> str:
    """JSON, which is YAML whatever characters a name has."""
    return json_module.dumps(value, ensure_ascii=False)
