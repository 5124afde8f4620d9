"""A pipeline as its resolved plan has it, as JSON and back: an output is made again from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidstyle.core.plan import Plan
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import options_from_json
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.config.pipeline_file import VERSION
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.plan.stamp import names_file


def to_recipe(plan: Plan) -> dict[str, Any]:
    """All of the plan that makes its output, with absolute paths."""
    return {
        "stages": [
            {"name": each.name, "use": each.use, "options": _absolute(dict(each.options))}
            for each in plan.every
        ],
        "inputs": {side.name: str(Path(side.path).absolute()) for side in plan.inputs},
        "plugins": [str(Path(folder).absolute()) for folder in plan.plugins],
        "chunk": list(plan.chunk),
        "frames": list(plan.frames),
        "device": plan.device,
    }


def from_recipe(recipe: Mapping[str, Any]) -> Pipeline:
    """The pipeline of a recipe.

    Raises PipelineError or PluginError where stages or options are not there any more, and
    KeyError, TypeError or ValueError where the recipe is damaged.
    """
    plugins = tuple(Path(folder) for folder in recipe["plugins"])
    registry = Registry(plugins)
    stages = []
    for written in recipe["stages"]:
        use = str(written["use"])
        cls = registry.find(use)
        options, keyframes = options_from_json(cls.Options, written["options"])
        kind = use.partition("/")[0]
        stages.append(StageEntry(str(written["name"]), use, kind, cls, options, keyframes))
    inputs = tuple(SideInput(name, Path(path)) for name, path in recipe["inputs"].items())
    least, most = recipe["chunk"]
    return Pipeline(
        VERSION, tuple(stages), Path("recipe"), (least, most), inputs=inputs, plugins=plugins
    )


def _absolute(value: Any) -> Any:
    if names_file(value):
        return str(Path(value).absolute())
    if isinstance(value, list | tuple):
        return [_absolute(item) for item in value]
    if isinstance(value, Mapping):
        return {_absolute(name): _absolute(item) for name, item in value.items()}
    return value
