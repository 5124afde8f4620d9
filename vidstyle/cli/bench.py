"""``vidstyle bench``: the speed of this machine, beside a frame loop in PyTorch."""

from __future__ import annotations

import json as json_module
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_groups import StyleOptions, changes_of
from vidstyle.cli.option_values import pipeline_of
from vidstyle.cli.terminal import answer
from vidstyle.cli.waiting import show_waiting

if TYPE_CHECKING:
    from vidstyle.evaluation.speed import Timing
    from vidstyle.runner.config.pipeline import Pipeline

LOOP, STYLIZER, RUN = "frame loop", "stylizer only", "vidstyle run"
# Of fewer frames a rate is that of the last few, which leave the queues together.
FEWEST = 8


def register(app: typer.Typer) -> None:
    app.command("bench")(as_command(bench))


def bench(
    pipeline: given.PipelineFile,
    clip: Annotated[Path, typer.Argument(help="The clip to stylize.", metavar="INPUT")],
    *,
    look: StyleOptions,
    set_: given.Set = None,
    frames: Annotated[int, typer.Option(help="How many of its first frames.", min=FEWEST)] = 120,
    rounds: Annotated[
        int, typer.Option(help="How often each runs; the fastest counts.", min=1)
    ] = 3,
    compare: Annotated[
        Path | None,
        typer.Option(help="The --json output of an earlier run, to compare with.", metavar="FILE"),
    ] = None,
    json: given.Json = False,
) -> None:
    """Time a pipeline, its stylizer only, and a plain frame loop.

    They take turns, so that the ratios hold on a noisy machine. The frame loop is eager PyTorch in
    float32 with the same weights, Farneback flow in both directions, mask, warp, blend and libx264.
    """
    from vidstyle.cli.style_learning import style_overrides, with_learned_styles
    from vidstyle.evaluation.speed import fastest, time_in_turns
    from vidstyle.runner.config.changes import TypedOverride, TypedStage, TypedStrokes

    overrides = changes_of(set_, look)
    before = None if compare is None else _earlier(compare)
    loaded = pipeline_of(pipeline, overrides)
    with tempfile.TemporaryDirectory() as folder:

        def check(pipeline: Pipeline) -> None:
            _check(pipeline, clip, Path(folder))

        loaded = with_learned_styles(loaded, device="auto", as_json=False, check=check)
        with show_waiting("checking clip and pipeline ...", as_json=json):
            check(loaded)
        # Strokes are set as such: they may change more of a pipeline than one option.
        sizes = [each.size for each in overrides if isinstance(each, TypedStrokes)]
        texts = [
            each.text if isinstance(each, TypedOverride) else each
            for each in overrides
            # No option of this command adds another stage.
            if not isinstance(each, TypedStage | TypedStrokes)
        ]
        texts += style_overrides(loaded)
        commands = _commands(loaded, clip, Path(folder), texts, frames, sizes)
        with show_waiting("measuring ...", as_json=json) as waiting:
            found = time_in_turns(
                commands,
                rounds=rounds,
                begin=lambda name, number: waiting.update(
                    f"measuring: {name}, round {number} of {rounds} ..."
                ),
            )
        timings = {name: fastest(each) for name, each in found.items()}
    # Not every file says beforehand how many frames it has.
    _check_enough(clip, min(timing.frames for timing in timings.values()))
    rates = rates_of(timings)
    if json:
        put_json(rates)
        return
    for line in table(rates, before):
        answer(line)


def _check(pipeline: Pipeline, clip: Path, folder: Path) -> None:
    """Raise at once what `vidstyle run` would raise for this clip, style and pipeline."""
    from vidstyle.runner.job import Job, prepared

    with prepared(Job(pipeline, clip, folder / "run.mp4")) as (_, plan):
        count = plan.source.clip.frame_count
    if count is not None:
        _check_enough(clip, count)


def _check_enough(clip: Path, count: int) -> None:
    from vidstyle.core.errors import InputError

    if count < FEWEST:
        raise InputError(
            f"{clip} has {count} frames; a rate needs {FEWEST} or more: use a longer clip"
        )


def _commands(
    pipeline: Pipeline,
    clip: Path,
    folder: Path,
    overrides: Sequence[str],
    frames: int,
    stroke_sizes: Sequence[str],
) -> dict[str, list[str]]:
    module = [sys.executable, "-m"]
    options = [word for text in overrides for word in ("--set", text)]
    options += [word for size in stroke_sizes for word in ("--stroke-size", size)]
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
        STYLIZER: [
            *module,
            "vidstyle.evaluation.reference_loops",
            "stylizer",
            str(pipeline.path),
            str(clip),
            str(frames),
            *overrides,
            *(f"stylize.stroke_size={size}" for size in stroke_sizes),
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
    """The style of the pipeline; of a mix the one with the largest weight."""
    for entry in pipeline.stages:
        if entry.use == "stylize/feedforward":
            style: str | Mapping[str, float] = entry.options.model_dump()["style"]
            return style if isinstance(style, str) else max(style, key=style.__getitem__)
    raise typer.BadParameter(f"{pipeline.path} has no stage stylize/feedforward to compare")


def rates_of(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Rates, start-up and memory of each, and ratios that hardly depend on the machine."""
    loop, stylizer, run = (timings[name] for name in (LOOP, STYLIZER, RUN))
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
            "speed over the frame loop": round(run.rate / loop.rate, 2),
            "time over the stylizer only": round(stylizer.rate / run.rate, 3),
        },
    }


def table(rates: Mapping[str, Any], before: Mapping[str, float] | None) -> list[str]:
    """Lines for people; with ``before``, each ratio beside its earlier value."""
    lines = [f"{'':16}{'fps':>8}{'ms':>9}{'first frame':>13}{'peak':>10}"]
    for name, one in rates["each"].items():
        rate = one["frames_per_second"]
        first, peak = f"{one['first_frame_seconds']:.2f} s", f"{one['peak_mib']} MiB"
        lines.append(f"{name:16}{rate:8.1f}{1000 / rate:9.1f}{first:>13}{peak:>10}")
    spent = ", ".join(f"{name} {ms:.1f}" for name, ms in rates["stage_milliseconds"].items())
    lines.append(f"ms per frame and stage (stages overlap): {spent}")
    for name, ratio in rates["ratios"].items():
        was = f" (was {before[name]:.2f})" if before and name in before else ""
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
        raise UsageError(
            f"--compare {path}: wanted the output of `vidstyle bench --json`"
        ) from error
