"""The source, stages and sink of a plan, made from the plan alone: wherever it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidstyle.core.geometry import GeometryStage
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.core.sink import Sink
from vidstyle.core.source import Source
from vidstyle.core.stage import AnyStage
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import TimedOptions, options_from_json
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.plan.guard import Guard


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan names, not opened."""

    source: Source
    stages: Sequence[AnyStage]
    options: Sequence[TimedOptions]
    """Of each stage."""
    sink: Sink
    inputs: Sequence[SideInput]


def make_parts(plan: Plan) -> Parts:
    """Find every stage by its name, in the plan's folders of plugins too, and make it.

    Raises PipelineError or PluginError where this machine has other stages than the one that
    made the plan.
    """
    registry = Registry([Path(folder) for folder in plan.plugins])
    made = [_make(registry, planned) for planned in plan.every]
    return Parts(
        source=made[0][0],
        stages=tuple(stage for stage, _ in made[1:-1]),
        options=tuple(options for _, options in made[1:-1]),
        sink=made[-1][0],
        inputs=tuple(
            SideInput(side.name, Path(side.path), side.color, side.pad) for side in plan.inputs
        ),
    )


def _make(registry: Registry, planned: PlannedStage) -> tuple[Any, TimedOptions]:
    cls = registry.find(planned.use)
    options, keyframes = options_from_json(cls.Options, planned.options)
    made = Guard(planned.name)(None, cls, options)
    if isinstance(made, GeometryStage):
        made = made.with_layers(planned.needs.writes)
    return made, TimedOptions(options, keyframes)
