"""``vidstyle batch``: a folder of clips; the output folder has the same sub-folders."""

from __future__ import annotations

import json as json_module
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import say

if TYPE_CHECKING:
    from vidstyle.runner.batch import OccupiedError, Outcome, Rule


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
    redo: Annotated[
        bool, typer.Option("--redo", help="Make outputs again that other options made.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave outputs that other options made.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace all existing outputs, whoever made them.")
    ] = False,
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Stylize every clip of a folder. What is done already is left as it is."""
    from vidstyle.cli.interruption import explain_interruption, stopping_softly
    from vidstyle.cli.progress import clip_listener
    from vidstyle.cli.style_learning import with_learned_styles
    from vidstyle.core.errors import BatchError
    from vidstyle.runner.batch import OccupiedError, find_clips, run_batch
    from vidstyle.runner.job import check_without_clip

    rule = _rule_of(redo=redo, keep=keep, overwrite=overwrite)
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
    with (
        _listing_outputs(OccupiedError),
        explain_interruption(
            lambda: f"{finished} of {len(clips)} clips are done: the same command does the others"
        ),
        stopping_softly() as stop,
    ):
        outcomes = run_batch(
            loaded,
            folder,
            clips,
            output,
            device=device,
            rule=rule,
            listen_to=lambda clip: clip_listener(clip, as_json=json),
            stop=stop,
        )
        for number, outcome in enumerate(outcomes, 1):
            line = f"[{number} of {len(clips)}] {outcome.input.relative_to(folder)}: "
            if outcome.error is not None:
                failed.append(outcome.input.relative_to(folder))
                where = f" in {outcome.stage}" if outcome.stage else ""
                line += f"failed{where}: {outcome.error}"
            elif outcome.result is None:
                line += _kept_line(outcome)
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


def _kept_line(outcome: Outcome) -> str:
    standing = outcome.standing
    if standing is None or standing.state == "done":
        return "done already"
    return f"kept; {standing.sentence}"


def _rule_of(*, redo: bool, keep: bool, overwrite: bool) -> Rule:
    """Raises UsageError where two contradict each other."""
    from vidstyle.core.errors import UsageError

    asked: dict[Rule, bool] = {"redo": redo, "keep": keep, "overwrite": overwrite}
    chosen = [rule for rule, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"give one of {', '.join(f'--{rule}' for rule in chosen)}")
    return chosen[0] if chosen else "refuse"


@contextmanager
def _listing_outputs(kind: type[OccupiedError]) -> Generator[None, None, None]:
    """Print a line for each output that is in the way, before the error."""
    try:
        yield
    except kind as error:
        for standing in error.standings:
            say(standing.sentence)
        raise
