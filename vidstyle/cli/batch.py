"""``vidstyle batch``: a folder of clips; the output folder has the same sub-folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.cluster_options import Address, BatchEngine, chosen_cluster
from vidstyle.cli.command_options import as_command
from vidstyle.cli.option_groups import (
    CodecOptions,
    ComputationOptions,
    ExistingOptions,
    FrameOptions,
    StyleOptions,
    changes_of,
)
from vidstyle.cli.option_values import jobs_of, pipeline_of
from vidstyle.cli.terminal import say

_SECTIONS = {
    "Clips": ("include", "exclude", "photos", "jobs", "retries"),
    ComputationOptions.TITLE: ("engine", "address"),
}


def register(app: typer.Typer) -> None:
    app.command("batch")(as_command(batch, _SECTIONS, quiet=True))


def batch(
    pipeline: given.PipelineFile,
    folder: Annotated[
        Path, typer.Argument(help="The folder of clips or photos.", metavar="FOLDER")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Output folder; sub-folders are mirrored.", metavar="DIR"
        ),
    ],
    *,
    include: given.Include = None,
    exclude: given.Exclude = None,
    photos: given.Photos = None,
    look: StyleOptions,
    frame: FrameOptions,
    codec: CodecOptions,
    existing: ExistingOptions,
    jobs: given.Jobs = "auto",
    retries: given.Retries = 1,
    computation: ComputationOptions,
    engine: BatchEngine = "local",
    address: Address = None,
    set_: given.Set = None,
    plugins: given.Plugins = None,
    dry_run: given.DryRun = False,
    json: given.Json = False,
) -> None:
    """Stylize every clip of a folder. What is done already is left as it is."""
    from vidstyle.runner.forks import prepare_forks

    # First of all: it takes its time while this process imports as well.
    prepare_forks()
    from vidstyle.cli.clip_batch import ClipBatch, skipped_lines
    from vidstyle.core.errors import InputError
    from vidstyle.imaging.photo_file import is_photo
    from vidstyle.runner.clips import find_clips
    from vidstyle.runner.config.pipeline_file import read_pipeline_file
    from vidstyle.runner.job import output_suffix
    from vidstyle.runner.plan.naming import mirrored_paths
    from vidstyle.runner.storage.destination import check_folder

    rule, workers = existing.rule, jobs_of(jobs)
    interval, overrides = frame.interval, changes_of(set_, look, frame, codec)
    try:
        found = find_clips(
            folder,
            leave_out=output,
            source=read_pipeline_file(pipeline).stages[0].use,
            photos=photos,
            include=include or (),
            exclude=exclude or (),
        )
    except InputError:
        # What is wrong with the command itself comes first.
        pipeline_of(pipeline, overrides, plugins=plugins)
        raise
    clips = found.clips
    for pattern in found.unused:
        say(f"the pattern {pattern} matches no clip in {folder}")
    for line in found.reasons:
        say(f"{line} (--no-photos takes them for one clip)")
    for line in skipped_lines(found.skipped, folder):
        say(line)
    still = ".png" if all(map(is_photo, clips)) else ""
    loaded = pipeline_of(pipeline, overrides, plugins=plugins, suffix=still)
    # Whoever only looks at what is there needs no right to write.
    if not output.is_dir():
        check_folder(output)
    make_job = computation.job_maker(loaded, interval)
    destinations = mirrored_paths(clips, folder, output, partial(output_suffix, loaded))
    wanted = list(map(make_job, clips, destinations))
    names = [str(clip.relative_to(folder)) for clip in clips]
    clip_batch = ClipBatch(
        wanted, names, size=workers, rule=rule, retries=retries, summary=output, as_json=json
    )
    cluster = chosen_cluster(engine, address, computation.cache)
    if dry_run:
        clip_batch.print_plan()
    else:
        clip_batch.run(cluster)
