"""``vidstyle run``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vidstyle.cli import shared_options as given


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    pipeline: given.PipelineFile,
    inputs: Annotated[
        list[Path], typer.Argument(help="Clips, or folders of images.", metavar="INPUT...")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="A file; with several inputs, a folder.", metavar="OUT"
        ),
    ] = None,
    set_: given.Set = None,
    style: given.Style = None,
    device: given.Device = "auto",
    frames: given.Frames = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Go on with what a run that was stopped has left."
        ),
    ] = True,
    timeout: Annotated[
        float,
        typer.Option(help="Seconds that a stage may take for a frame, or a span of them.", min=0.1),
    ] = 1800.0,
    max_memory: given.MaxMemory = "4G",
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Keep flow and stylization there, and look them up: a changed blend is quick.",
            metavar="DIR",
        ),
    ] = None,
    cache_size: Annotated[
        float, typer.Option(help="Most that --cache may take, in GiB.", min=0.001, max=1e6)
    ] = 20.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print the plan; decode nothing.")
    ] = False,
    engine: Annotated[
        Literal["threaded", "serial"],
        typer.Option(help="A thread a stage, or one frame through one stage at a time."),
    ] = "threaded",
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Run a pipeline on clips."""
    from vidstyle.cli.plan_text import print_plan
    from vidstyle.cli.progress import listener
    from vidstyle.runner.plan import job as jobs
    from vidstyle.runner.plan.memory import parse_size
    from vidstyle.runner.plan.naming import output_paths

    interval = given.interval_of(frames)
    loaded = given.pipeline_of(pipeline, set_=set_, style=style, plugins=plugins)
    suffix = jobs.output_suffix(loaded)
    for source, destination in output_paths(inputs, output, suffix, label=pipeline.stem):
        job = jobs.Job(
            loaded,
            source,
            destination,
            device,
            interval,
            overwrite=overwrite,
            resume=resume,
            timeout=timeout,
            budget=parse_size(max_memory, "--max-memory"),
            cache=cache,
            cache_limit=int(cache_size * 2**30),
        )
        if dry_run:
            with jobs.prepared(job) as (_, plan):
                print_plan(plan, as_json=json)
        else:
            with listener(as_json=json) as listen:
                jobs.run(job, engine=engine, listen=listen)
