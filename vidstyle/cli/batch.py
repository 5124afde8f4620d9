"""``vidstyle batch``: a folder of clips; the output folder has the same sub-folders."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
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
    device: given.Device = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing outputs.")
    ] = False,
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Stylize every clip of a folder. Existing outputs are skipped."""
    from vidstyle.cli.interruption import explain_interruption
    from vidstyle.cli.progress import clip_listener
    from vidstyle.cli.style_learning import with_learned_styles
    from vidstyle.core.errors import BatchError
    from vidstyle.runner.batch import find_clips, run_batch
    from vidstyle.runner.job import check_without_clip

    overrides = given.overrides_of(set_, style, strength, consistency)
    loaded = given.pipeline_of(pipeline, overrides, plugins=plugins)
    clips, others = find_clips(folder, leave_out=output)
    if others:
        say(f"skipped, not clips: {', '.join(p.name for p in others)}")
    loaded = with_learned_styles(
        loaded,
        device=device,
        as_json=json,
        check=lambda stand_in: check_without_clip(stand_in, device=device),
    )
    failed: list[Path] = []
    finished = 0
    outcomes = run_batch(
        loaded,
        folder,
        clips,
        output,
        device=device,
        overwrite=overwrite,
        listen_to=lambda clip: clip_listener(clip, as_json=json),
    )
    with explain_interruption(
        lambda: f"{finished} of {len(clips)} clips are done: the same command does the others"
    ):
        for number, outcome in enumerate(outcomes, 1):
            line = f"[{number} of {len(clips)}] {outcome.input.relative_to(folder)}: "
            if outcome.error is not None:
                failed.append(outcome.input.relative_to(folder))
                where = f" in {outcome.stage}" if outcome.stage else ""
                line += f"failed{where}: {outcome.error}"
            elif outcome.result is None:
                line += f"skipped, {outcome.output} exists"
            else:
                line += f"{outcome.result.frames} frames in {outcome.result.seconds:.1f} s"
            if json:
                error = None if outcome.error is None else str(outcome.error)
                print(
                    json_module.dumps(
                        {
                            "event": "clip",
                            "input": str(outcome.input),
                            "output": str(outcome.output),
                            "error": error,
                        }
                    ),
                    flush=True,
                )
            say(line)
            finished = number - len(failed)
    if failed:
        names = ", ".join(map(str, failed))
        raise BatchError(f"{len(failed)} of {len(clips)} clips failed: {names}")
