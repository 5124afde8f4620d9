"""``vidstyle check``: validate a pipeline, and estimate time and disk of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_groups import FrameOptions, StyleOptions, changes_of
from vidstyle.cli.option_values import pipeline_of
from vidstyle.cli.terminal import answer
from vidstyle.cli.waiting import show_waiting


def register(app: typer.Typer) -> None:
    app.command("check")(as_command(check))


def check(
    pipeline: given.PipelineFile,
    input_: Annotated[
        Path | None,
        typer.Argument(help="A clip to plan and estimate for.", metavar="[INPUT]"),
    ] = None,
    *,
    look: StyleOptions,
    frame: FrameOptions,
    device: given.Device = "auto",
    set_: given.Set = None,
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Validate a pipeline. With a clip: print the plan, estimate time and disk."""
    from vidstyle.cli.plan_text import plan_json, print_plan
    from vidstyle.cli.style_learning import with_planned_styles
    from vidstyle.runner.job import check_without_clip

    interval, overrides = frame.interval, changes_of(set_, look, frame)
    loaded = with_planned_styles(pipeline_of(pipeline, overrides, plugins=plugins))
    if input_ is None:
        check_without_clip(loaded, device=device)
        names = [entry.use for entry in loaded.stages]
        if json:
            put_json({"stages": names})
        else:
            answer(f"{pipeline}: {' > '.join(names)}")
        return
    from vidstyle.runner.estimate import probe

    with show_waiting(f"measuring the first frames of {input_} ...", as_json=json):
        estimate = probe(loaded, input_, device=device, frames=interval)
    if json:
        expected = {"seconds": estimate.seconds, "bytes": estimate.bytes}
        put_json({**plan_json(estimate.plan), "estimate": expected})
        return
    answer(estimate_line(estimate.seconds, estimate.bytes, estimate.probed))
    print_plan(estimate.plan, as_json=False)


def estimate_line(seconds: float | None, size: int | None, probed: int) -> str:
    """One line about the whole run, from the first frames."""
    if seconds is None or size is None:
        return f"No estimate: the length of the clip is unknown ({probed} frames tried)."
    whole = max(round(seconds), 1)
    time = f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02} min"
    return f"About {time} and {size / 2**20:.1f} MiB (estimated from {probed} frames)."
