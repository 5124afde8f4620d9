"""``vidstyle run``: the main job."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.cluster_options import Address, RunEngine, chosen_cluster
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
from vidstyle.cli.output_target import parse_output, with_photos
from vidstyle.cli.pipes import PipeCall, StreamOptions, clip_path
from vidstyle.cli.run_preview import preview_path, write_preview

_SECTIONS = {
    ExistingOptions.TITLE: ("resume",),
    "Several clips": ("photos", "at_once", "retries"),
    ComputationOptions.TITLE: ("engine", "address"),
}


def register(app: typer.Typer) -> None:
    app.command("run")(as_command(run, _SECTIONS, quiet=True))


def run(
    pipeline: given.PipelineFile,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Videos, photos, or folders of images; - is standard input.",
            metavar="INPUT...",
            parser=clip_path,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Output file; its suffix chooses the writer: a video, a .gif, an image. A new"
            " folder such as frames/, or frames/%04d.jpg, gets an image for each frame. Several"
            " inputs need a folder. - is standard output. If not set: INPUT-PIPELINE.mp4 in the"
            " current folder. A photo becomes an image.",
            metavar="OUT",
        ),
    ] = None,
    *,
    preview: Annotated[
        int | None,
        typer.Option(
            help="Write one image of N evenly spread frames instead, each stylized by itself: what"
            " the blend keeps of earlier frames is not in it.",
            min=1,
            max=100,
            metavar="N",
        ),
    ] = None,
    photos: given.Photos = None,
    look: StyleOptions,
    frame: FrameOptions,
    codec: CodecOptions,
    stream: StreamOptions,
    existing: ExistingOptions,
    resume: given.Resume = True,
    at_once: given.Jobs = "auto",
    retries: given.Retries = 1,
    computation: ComputationOptions,
    engine: RunEngine = "threaded",
    address: Address = None,
    set_: given.Set = None,
    plugins: given.Plugins = None,
    dry_run: given.DryRun = False,
    json: given.Json = False,
) -> None:
    """Stylize clips with a pipeline."""
    call = PipeCall(
        inputs,
        output,
        stream,
        frame.interval,
        computation,
        existing,
        {"--preview": preview, "--photos": photos, f"--engine {engine}": engine != "threaded"},
        dry_run=dry_run,
        as_json=json,
    )
    if call.is_piped:
        call.check()
        changes = changes_of(set_, look, frame, codec)
        call.run(pipeline_of(pipeline, changes, plugins=plugins, suffix=call.suffix))
        return
    files = with_photos(inputs, photos, output, pipeline)
    many = len(files) > 1 or files != inputs
    if many and preview is None:
        from vidstyle.runner.forks import prepare_forks

        # First of all, as `batch` does.
        prepare_forks()
    from vidstyle.runner.job import output_suffix
    from vidstyle.runner.plan.naming import output_paths

    rule, workers = existing.rule, jobs_of(at_once)
    interval, overrides = frame.interval, changes_of(set_, look, frame, codec)
    target = parse_output(output if preview is None else None, files, many=many)
    loaded = pipeline_of(
        pipeline, [*overrides, *target.changes], plugins=plugins, suffix=target.suffix
    )
    make_job = computation.job_maker(loaded, interval)
    wanted = [
        replace(
            make_job(source, destination),
            overwrite=existing.overwrite,
            redo=existing.redo,
            resume=resume,
            engine="threaded" if engine == "ray" else engine,
        )
        for source, destination in output_paths(
            files,
            target.path,
            partial(output_suffix, loaded),
            label=pipeline.stem,
            into=target.into,
        )
    ]
    if preview is not None:
        write_preview(
            wanted,
            preview_path(output, inputs, pipeline.stem),
            preview,
            overwrite=existing.overwrite,
            as_json=json,
            dry_run=dry_run,
        )
        return
    cluster = chosen_cluster(engine, address, computation.cache)
    if many:
        from vidstyle.cli.clip_batch import ClipBatch

        names = list(map(str, files))
        several = ClipBatch(
            wanted,
            names,
            size=workers,
            rule=rule,
            retries=retries,
            summary=target.path,
            as_json=json,
        )
        if dry_run:
            several.print_plan()
        else:
            several.run(cluster)
        return
    from vidstyle.cli.run_clip import run_clip

    (job,) = wanted
    run_clip(
        job,
        keep=existing.keep,
        cluster=cluster,
        dry_run=dry_run,
        as_json=json,
        makes_folder=target.into,
    )
