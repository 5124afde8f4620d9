"""The resolved plan for a person, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction

from vidstyle.cli.terminal import answer, print_table
from vidstyle.core.clip import Clip
from vidstyle.core.plan import Plan, PlannedInput, PlannedStage
from vidstyle.runner.config.keyframes import AT

_TITLES = ("stage", "reads", "writes", "on", "memory")


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print stages, layers, devices and memory on standard output."""
    if as_json:
        print(json.dumps(plan_json(plan)))
        return
    answer(clip_line(plan.source.clip))
    for side in plan.inputs:
        answer(input_line(side))
    print_table(_TITLES, map(_cells, plan.every), right={"memory"})
    for line in (*network_lines(plan), *strength_lines(plan)):
        answer(line)
    answer(
        f"Chunks of {plan.chunk[0]} to {plan.chunk[1]} frames, queues of {plan.queue};"
        f" needs at most {mebibytes(plan.memory)}."
    )


def network_lines(plan: Plan) -> list[str]:
    """``stylize/gatys: loss network vgg16, bfloat16``, for each stage that has one."""
    return [
        f"{stage.use}: loss network {stage.options['backbone']}, {stage.options['precision']}"
        for stage in plan.every
        if "backbone" in stage.options
    ]


def plan_json(plan: Plan) -> dict[str, object]:
    """The plan as JSON values."""
    clip = plan.source.clip
    return {
        "digest": plan.digest(),
        "device": plan.device,
        "frames": list(plan.frames),
        "frame_count": clip.frame_count,
        "width": clip.width,
        "height": clip.height,
        "memory": plan.memory,
        "queue": plan.queue,
        "chunk": list(plan.chunk),
        "inputs": [asdict(side) for side in plan.inputs],
        "stages": [_stage_json(stage) for stage in plan.every],
    }


def _stage_json(stage: PlannedStage) -> dict[str, object]:
    return {
        "name": stage.name,
        "use": stage.use,
        "options": dict(stage.options),
        "context": asdict(stage.context),
        "reads": sorted(stage.needs.reads),
        "writes": list(stage.needs.writes),
        "memory": stage.memory,
    }


def _cells(stage: PlannedStage) -> tuple[str, ...]:
    return (
        stage.use,
        ", ".join(_reads(stage)),
        ", ".join(stage.needs.writes),
        f"{stage.context.device} x{stage.context.threads}",
        mebibytes(stage.memory),
    )


def strength_lines(plan: Plan) -> list[str]:
    """The resolved strengths, as in ``Stylization strength (--strength): 0.8``."""
    titles = {
        "stylize": "Stylization strength (--strength)",
        "blend": "Temporal consistency (--consistency)",
    }
    return [
        f"{titles[kind]}: {_value_text(stage.options['strength'])}"
        for stage in plan.stages
        if (kind := stage.use.split("/")[0]) in titles and "strength" in stage.options
    ]


def _value_text(value: object) -> str:
    """A number, or ``0 at 0 s, 1 at 2 s`` where it changes over time."""
    if not isinstance(value, dict):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return ", ".join(f"{at:g} at {float(Fraction(time)):g} s" for time, at in value[AT].items())


def _reads(stage: PlannedStage) -> list[str]:
    return [
        name
        + (f" -{reach.behind}" if reach.behind else "")
        + (f" +{reach.ahead}" if reach.ahead else "")
        for name, reach in stage.needs.reads.items()
    ]


def clip_line(clip: Clip) -> str:
    """``640x360, 25 fps, bt709 limited, 8 bit, 250 frames``."""
    rate = "variable rate" if clip.frame_rate is None else f"{float(clip.frame_rate):.6g} fps"
    count = "length unknown" if clip.frame_count is None else f"{clip.frame_count} frames"
    guess = "" if clip.color.tagged else " (guessed)"
    color = f"{clip.color.matrix}{guess} {clip.color.range}"
    return f"{clip.width}x{clip.height}, {rate}, {color}, {clip.bit_depth} bit, {count}"


def input_line(side: PlannedInput) -> str:
    """``side input mask: /clips/mask.mp4, 640x360``."""
    return f"side input {side.name}: {side.path}, {side.width}x{side.height}"


def mebibytes(count: int) -> str:
    """Memory for display."""
    return f"{count / 2**20:.0f} MiB"
