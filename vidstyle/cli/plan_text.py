"""The resolved plan for a person, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.terminal import visible
from vidstyle.core.clip import Clip
from vidstyle.core.plan import Plan, PlannedInput, PlannedStage


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Stages, layers, place, memory; on standard output."""
    if as_json:
        print(json.dumps(plan_json(plan)))
        return
    console = Console(highlight=False)
    console.print(Text(visible(clip_line(plan.source.clip))), soft_wrap=True)
    for side in plan.inputs:
        console.print(Text(visible(input_line(side))), soft_wrap=True)
    console.print(_table(plan))
    console.print(
        f"chunks of {plan.chunk[0]} to {plan.chunk[1]} frames,"
        f" queues of {plan.queue}, the run takes at most {mebibytes(plan.memory)}",
        markup=False,
        soft_wrap=True,
    )


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
        "place": asdict(stage.context),
        "reads": sorted(stage.needs.reads),
        "writes": list(stage.needs.writes),
        "memory": stage.memory,
    }


def _table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("stage", "reads", "writes", "on", "memory"):
        table.add_column(title, overflow="fold", justify="right" if title == "memory" else "left")
    for stage in plan.every:
        where = f"{stage.context.device} x{stage.context.threads}"
        cells = (
            stage.use,
            ", ".join(_reads(stage)),
            ", ".join(stage.needs.writes),
            where,
            mebibytes(stage.memory),
        )
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table


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
