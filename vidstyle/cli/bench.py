"""``vidstyle bench``: how fast this machine is, against the loop that people run without it."""

from __future__ import annotations

import json as json_module
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import answer

if TYPE_CHECKING:
    from vidstyle.evaluation.speed import Timing
    from vidstyle.runner.config.pipeline import Pipeline

LOOP, ALONE, RUN = "frame loop", "stylizer alone", "vidstyle run"
FEWEST = 8
"""Frames that a rate is taken of at least: of fewer, it is that of their last burst."""


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    pipeline: given.PipelineFile,
    clip: Annotated[Path, typer.Argument(help="What to make faster.", metavar="INPUT")],
    style: given.Style = None,
    set_: given.Set = None,
    frames: Annotated[int, typer.Option(help="Of the clip, from its start.", min=FEWEST)] = 120,
    rounds: Annotated[
        int, typer.Option(help="How often each is run; the fastest counts.", min=1)
    ] = 3,
    compare: Annotated[
        Path | None,
        typer.Option(help="What an earlier --json printed, to compare with.", metavar="FILE"),
    ] = None,
    json: given.Json = False,
) -> None:
    """Time a pipeline, its stylizer alone, and the loop that people run instead.

    All in one go and taking turns, so that the ratios hold on a noisy machine. The loop is eager
    PyTorch in float32 with the same weights, Farneback both ways, mask, warp, blend and libx264.
    """
    from vidstyle.evaluation.speed import fastest, time_in_turns

    overrides = given.overrides_of(set_, style)
    before = None if compare is None else _earlier(compare)
    loaded = given.pipeline_of(pipeline, set_=overrides, style=None, plugins=None)
    with tempfile.TemporaryDirectory() as folder:
        _check(loaded, clip, Path(folder))
        commands = _commands(loaded, clip, Path(folder), overrides, frames)
        timings = {
            name: fastest(found) for name, found in time_in_turns(commands, rounds=rounds).items()
        }
    # Not every file says beforehand how many frames it has.
    _check_enough(clip, min(timing.frames for timing in timings.values()))
    figures = figures_of(timings)
    if json:
        print(json_module.dumps(figures))
        return
    for line in table(figures, before):
        answer(line)


def _check(pipeline: Pipeline, clip: Path, folder: Path) -> None:
    """What is wrong with clip, style or pipeline is said at once, and as `vidstyle run` does."""
    from vidstyle.runner.plan.job import Job, prepared

    with prepared(Job(pipeline, clip, folder / "run.mp4")) as (_, plan):
        count = plan.source.clip.frame_count
    if count is not None:
        _check_enough(clip, count)


def _check_enough(clip: Path, count: int) -> None:
    from vidstyle.core.errors import InputError

    if count < FEWEST:
        raise InputError(
            f"{clip} has {count} frames; a rate takes {FEWEST} or more: time a longer clip"
        )


def _commands(
    pipeline: Pipeline, clip: Path, folder: Path, overrides: Sequence[str], frames: int
) -> dict[str, list[str]]:
    module = [sys.executable, "-m"]
    options = [word for text in overrides for word in ("--set", text)]
    coded = pipeline.stages[-1].options.model_dump()
    return {
        LOOP: [
            *module,
            "vidstyle.evaluation.reference_loops",
            "frame-loop",
            str(clip),
            _style_of(pipeline),
            str(folder / "loop.mp4"),
            # Slow, and as fast in every frame.
            str(min(frames, 24)),
            str(coded.get("crf") or 18),
            str(coded.get("preset") or "medium"),
        ],
        ALONE: [
            *module,
            "vidstyle.evaluation.reference_loops",
            "stylizer",
            str(pipeline.path),
            str(clip),
            str(frames),
            *overrides,
        ],
        RUN: [
            *module,
            "vidstyle",
            "run",
            str(pipeline.path),
            str(clip),
            "-o",
            str(folder / "run.mp4"),
            "--overwrite",
            "--json",
            "--frames",
            f"0:{frames}",
            *options,
        ],
    }


def _style_of(pipeline: Pipeline) -> str:
    """The style that the pipeline paints in; of a mix its largest part."""
    for entry in pipeline.stages:
        if entry.use == "stylize/feedforward":
            style: str | Mapping[str, float] = entry.options.model_dump()["style"]
            return style if isinstance(style, str) else max(style, key=style.__getitem__)
    raise typer.BadParameter(f"{pipeline.path} has no stage stylize/feedforward to compare")


def figures_of(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Rates, start and memory of each, and the ratios that do not depend on the machine."""
    loop, alone, run = (timings[name] for name in (LOOP, ALONE, RUN))
    each = {
        name: {
            "frames_per_second": round(timing.rate, 2),
            "first_frame_seconds": round(timing.first, 2),
            "peak_mib": round(timing.peak / 2**20),
        }
        for name, timing in timings.items()
    }
    spent = {name: round(1000 * s / run.frames, 2) for name, s in run.stage_seconds.items()}
    return {
        "each": each,
        "stage_milliseconds": spent,
        "ratios": {
            "times the frame loop": round(run.rate / loop.rate, 2),
            "time over the stylizer alone": round(alone.rate / run.rate, 3),
        },
    }


def table(figures: Mapping[str, Any], before: Mapping[str, float] | None) -> list[str]:
    """What a person reads; with ``before``, each ratio beside what it was."""
    lines = [f"{'':16}{'fps':>8}{'ms':>9}{'first frame':>13}{'peak':>10}"]
    for name, one in figures["each"].items():
        rate = one["frames_per_second"]
        first, peak = f"{one['first_frame_seconds']:.2f} s", f"{one['peak_mib']} MiB"
        lines.append(f"{name:16}{rate:8.1f}{1000 / rate:9.1f}{first:>13}{peak:>10}")
    spent = ", ".join(f"{name} {ms:.1f}" for name, ms in figures["stage_milliseconds"].items())
    lines.append(f"ms a frame, threads overlap: {spent}")
    for name, ratio in figures["ratios"].items():
        was = f", was {before[name]:.2f}" if before and name in before else ""
        lines.append(f"{name}: {ratio:.2f}{was}")
    return lines


def _earlier(path: Path) -> Mapping[str, float]:
    from vidstyle.core.errors import UsageError

    try:
        ratios: Mapping[str, float] = json_module.loads(path.read_text())["ratios"]
        return {str(name): float(ratio) for name, ratio in ratios.items()}
    except OSError as error:
        raise UsageError(f"--compare {path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not what `vidstyle bench --json` prints") from error
