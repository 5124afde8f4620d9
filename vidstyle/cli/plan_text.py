"""The resolved plan for a person, or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import answer, print_table
from vidstyle.core.clip import Clip
from vidstyle.core.needs import Reach
from vidstyle.core.plan import Plan, PlannedInput, PlannedStage
from vidstyle.kernels.library import has_kernels
from vidstyle.runner.config.keyframes import AT
from vidstyle.runner.config.output_format import PIPE_SINK

_NO_KERNELS = "Nothing was compiled, so that frames take longer: see Install in the README."
_TITLES = ("stage", "reads", "writes", "memory")


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print stages, layers, devices and memory on standard output."""
    if as_json:
        put_json(plan_json(plan))
        return
    answer(f"Needs at most {mebibytes(plan.memory)} of memory.")
    answer(clip_line(plan.source.clip))
    for side in plan.inputs:
        answer(input_line(side))
    answer("")
    print_table(_TITLES, map(_cells, plan.every), right={"memory"})
    answer("")
    for line in (*_legend(plan), *device_lines(plan), *network_lines(plan), *look_lines(plan)):
        answer(line)
    least, most = plan.chunk
    if plan.sink.use == PIPE_SINK:
        answer("Frames are written as they are done, and nothing is stored.")
    else:
        answer(f"Work is stored after each chunk of {least} to {most} frames.")
    if (split := plan.split) is not None:
        answer(
            f"Shots are cut after each {split.frames} frames. {split.overlap} frames before each"
            " part are computed twice."
        )


def _legend(plan: Plan) -> list[str]:
    """What the signs in the column "reads" mean; empty where there are none."""
    reaches = [reach for stage in plan.every for reach in stage.needs.reads.values()]
    parts = [
        *(["(-N) also the N frames before"] if any(r.behind for r in reaches) else []),
        *(["(+N) also the N frames after"] if any(r.ahead for r in reaches) else []),
    ]
    return [f"In reads: {', '.join(parts)}."] if parts else []


def device_lines(plan: Plan) -> list[str]:
    """Where the stages run; one line where all run on the same device with as many threads.

    The encoder's threads are the same everywhere, and say nothing about this machine.
    """
    stages: dict[str, list[str]] = {}
    for stage in (plan.source, *plan.stages):
        threads = stage.context.threads
        words = "1 thread" if threads == 1 else f"{threads} threads"
        stages.setdefault(f"{stage.context.device} with {words}", []).append(stage.use)
    slower = [] if has_kernels() else [_NO_KERNELS]
    if len(stages) == 1:
        return [*(f"Every stage runs on {words}." for words in stages), *slower]
    return [*(f"On {words}: {', '.join(names)}." for words, names in stages.items()), *slower]


def network_lines(plan: Plan) -> list[str]:
    """``stylize/gatys: loss network vgg16, bfloat16``, for each stage that has a network."""
    return [
        f"{stage.use}: {network}, {_PRECISIONS.get(precision, precision)}"
        for stage in plan.every
        if (network := _network_of(stage))
        for precision in [str(stage.options["precision"])]
    ]


_PRECISIONS = {"int8": "8 bits and bfloat16"}


def _network_of(stage: PlannedStage) -> str:
    if "backbone" in stage.options:
        return f"loss network {stage.options['backbone']}"
    return f"network by {stage.options['backend']}" if "backend" in stage.options else ""


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
        "split": None if plan.split is None else asdict(plan.split),
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
        mebibytes(stage.memory),
    )


def look_lines(plan: Plan) -> list[str]:
    """What has options of its own, as in ``Stylization strength (--strength): 0.8``."""
    return [*_frames_lines(plan), *_option_lines(plan)]


# Kind and option, what it is, and the option of the command line for it.
_TITLES_OF_OPTIONS = {
    ("geometry/scale", "size"): "Size (--size)",
    ("stylize", "style"): "Style (--style)",
    ("stylize", "strength"): "Stylization strength (--strength)",
    ("geometry/restore", "strength"): "Stylization strength (--strength)",
    ("stylize", "stroke_size"): "Size of the strokes (--stroke-size)",
    ("blend", "strength"): "Temporal consistency (--consistency)",
    ("filter/mask", "invert"): "Mask turned around (--invert-mask)",
    ("filter/compare", "layout"): "Layout (--layout)",
    ("filter/compare", "labels"): "Labels (--labels)",
    ("filter/compare", "split"): "Place of the line (--split)",
    ("encode", "codec"): "Codec (--codec)",
    ("encode", "crf"): "Quality of the codec (--crf)",
    ("encode", "preset"): "Speed of the codec (--preset)",
}


def _option_lines(plan: Plan) -> list[str]:
    found = {
        # A stage that mixes at full size does it for the stylizer before it.
        title: f"{title}: {_value_text(value)}"
        for stage in plan.every
        for (use, option), title in _TITLES_OF_OPTIONS.items()
        if use in (stage.use, stage.use.split("/")[0])
        and (value := stage.options.get(option)) not in (None, "", False, [])
    }
    return list(found.values())


def _frames_lines(plan: Plan) -> list[str]:
    """``Frames (--frames): 10 to 19``; none where all are wanted."""
    first, stop = plan.frames
    if (first, stop) == (0, None):
        return []
    return [f"Frames (--frames): {first} to {'the last' if stop is None else stop - 1}"]


def _value_text(value: object) -> str:
    """``0 at 0 s, 1 at 2 s`` where it changes over time; files by their names, mixes by weights."""
    if isinstance(value, dict) and AT in value:
        return ", ".join(
            f"{_value_text(at)} at {float(Fraction(time)):g} s" for time, at in value[AT].items()
        )
    if isinstance(value, dict):
        parts = {_value_text(name): weight for name, weight in value.items() if weight}
        if set(parts.values()) == {1}:
            return ", ".join(parts)
        return ", ".join(f"{name} {weight:g}" for name, weight in parts.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value_text, value))
    if value is True:
        return "yes"
    if isinstance(value, int | float):
        return f"{value:g}"
    text = str(value)
    return Path(text).stem if "/" in text else text


def _reads(stage: PlannedStage) -> list[str]:
    """``source(-1)``: also that of the previous frame. Without a space, where lines may break."""
    return [f"{name}{_reach_text(reach)}" for name, reach in stage.needs.reads.items()]


def _reach_text(reach: Reach) -> str:
    parts = [
        *([f"-{reach.behind}"] if reach.behind else []),
        *([f"+{reach.ahead}"] if reach.ahead else []),
    ]
    return f"({','.join(parts)})" if parts else ""


def clip_line(clip: Clip) -> str:
    """``Clip: 640x360, 25 fps, 250 frames, bt709 limited, 8 bit``."""
    rate = "variable rate" if clip.frame_rate is None else f"{float(clip.frame_rate):.6g} fps"
    count = "length unknown" if clip.frame_count is None else f"{clip.frame_count} frames"
    count = "1 frame" if clip.frame_count == 1 else count
    guess = "" if clip.color.tagged else " (guessed)"
    color = f"{clip.color.matrix}{guess} {clip.color.range}"
    return f"Clip: {clip.width}x{clip.height}, {rate}, {count}, {color}, {clip.bit_depth} bit"


def input_line(side: PlannedInput) -> str:
    """``Side input mask: /clips/mask.mp4, 640x360``."""
    return f"Side input {side.name}: {side.path}, {side.width}x{side.height}"


def mebibytes(count: int) -> str:
    """Memory for display."""
    return f"{count / 2**20:.0f} MiB"
