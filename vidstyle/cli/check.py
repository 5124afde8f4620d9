"""``vidstyle check``: is the pipeline right, and what would a run take?"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import answer


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    pipeline: given.PipelineFile,
    input_: Annotated[
        Path | None,
        typer.Argument(help="A clip; without it the file alone is checked.", metavar="[INPUT]"),
    ] = None,
    set_: given.Set = None,
    style: given.Style = None,
    device: given.Device = "auto",
    frames: given.Frames = None,
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Validate a pipeline; with a clip, print the plan and estimate time and disk."""
    from vidstyle.cli.plan_text import plan_json, print_plan
    from vidstyle.runner.plan.job import check_without_clip

    interval = given.interval_of(frames)
    loaded = given.pipeline_of(pipeline, set_=set_, style=style, plugins=plugins)
    if input_ is None:
        check_without_clip(loaded, device=device)
        names = [entry.use for entry in loaded.stages]
        answer(json_module.dumps({"stages": names}) if json else f"{pipeline}: {' > '.join(names)}")
        return
    from vidstyle.runner.plan.estimate import probe

    estimate = probe(loaded, input_, device=device, frames=interval)
    if json:
        figures = {"seconds": estimate.seconds, "bytes": estimate.bytes}
        print(json_module.dumps({**plan_json(estimate.plan), "estimate": figures}))
        return
    print_plan(estimate.plan, as_json=False)
    answer(estimate_line(estimate.seconds, estimate.bytes, estimate.probed))


def estimate_line(seconds: float | None, size: int | None, probed: int) -> str:
    """One line about the whole run, from the frames that were tried."""
    if seconds is None or size is None:
        return f"tried {probed} frames; the clip does not say how long it is"
    minutes = f"{int(seconds) // 60}:{int(seconds) % 60:02}"
    return f"about {minutes} min and {size / 2**20:.1f} MiB, judged by {probed} frames"
