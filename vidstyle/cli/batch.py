"""``vidstyle batch``: a folder of clips; the output folder has the same sub-folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.cluster_options import Address, BatchEngine, chosen_cluster
from vidstyle.cli.terminal import say


def register(app: typer.Typer) -> None:
    app.command("batch")(batch)


def batch(
    pipeline: given.PipelineFile,
    folder: Annotated[Path, typer.Argument(help="The folder of clips.", metavar="FOLDER")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Output folder; sub-folders are mirrored.", metavar="DIR"
        ),
    ],
    set_: given.Set = None,
    style: given.Style = None,
    strength: given.Strength = None,
    consistency: given.Consistency = None,
    stroke_size: given.StrokeSize = None,
    codec: given.Codec = None,
    crf: given.Crf = None,
    preset: given.Preset = None,
    size: given.Size = None,
    keep_colors: given.KeepColors = False,
    mask: given.Mask = None,
    invert_mask: given.InvertMask = False,
    device: given.Device = "auto",
    frames: given.Frames = None,
    split_shots: given.SplitShots = None,
    include: given.Include = None,
    exclude: given.Exclude = None,
    jobs: given.Jobs = "auto",
    retries: given.Retries = 1,
    redo: given.Redo = False,
    keep: given.Keep = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace all existing outputs, whoever made them.")
    ] = False,
    timeout: given.Timeout = 1800.0,
    max_memory: given.MaxMemory = "4G",
    cache: given.Cache = None,
    cache_size: given.CacheSize = 20.0,
    dry_run: given.DryRun = False,
    engine: BatchEngine = "local",
    address: Address = None,
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Stylize every clip of a folder. What is done already is left as it is."""
    from vidstyle.runner.forks import prepare_forks

    # First of all: it takes its time while this process imports as well.
    prepare_forks()
    from vidstyle.cli.clip_batch import ClipBatch, skipped_lines
    from vidstyle.runner.clips import find_clips
    from vidstyle.runner.job import output_suffix
    from vidstyle.runner.plan.naming import mirrored_paths
    from vidstyle.runner.storage.destination import check_folder

    rule, workers = given.rule_of(redo=redo, keep=keep, overwrite=overwrite), given.jobs_of(jobs)
    interval = given.interval_of(frames)
    overrides = given.overrides_of(
        set_,
        style,
        strength,
        consistency,
        stroke_size,
        codec=codec,
        crf=crf,
        preset=preset,
        size=size,
        keep_colors=keep_colors,
        mask=mask,
        invert_mask=invert_mask,
    )
    loaded = given.pipeline_of(pipeline, overrides, plugins=plugins)
    found = find_clips(
        folder,
        leave_out=output,
        source=loaded.stages[0].use,
        include=include or (),
        exclude=exclude or (),
    )
    clips = found.clips
    for pattern in found.unused:
        say(f"the pattern {pattern} matches no clip in {folder}")
    for line in skipped_lines(found.skipped, folder):
        say(line)
    # Whoever only looks at what is there needs no right to write.
    if not output.is_dir():
        check_folder(output)
    make_job = given.job_maker(
        loaded,
        device=device,
        interval=interval,
        split_shots=split_shots,
        timeout=timeout,
        max_memory=max_memory,
        cache=cache,
        cache_size=cache_size,
    )
    destinations = mirrored_paths(clips, folder, output, output_suffix(loaded))
    wanted = list(map(make_job, clips, destinations))
    names = [str(clip.relative_to(folder)) for clip in clips]
    clip_batch = ClipBatch(
        wanted, names, size=workers, rule=rule, retries=retries, summary=output, as_json=json
    )
    cluster = chosen_cluster(engine, address, cache)
    if dry_run:
        clip_batch.print_plan()
    else:
        clip_batch.run(cluster)
