"""A pipeline as JSON and back, on the same machine: nothing is read but code.

Outputs are made again from it, and pipelines go to other processes in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidstyle.core.paths import names_file
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import options_from_json, options_to_json
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.config.pipeline_file import VERSION
from vidstyle.runner.config.side_inputs import SideInput


def to_recipe(pipeline: Pipeline) -> dict[str, Any]:
    """The pipeline with absolute paths; it needs its file no more."""
    return {
        "stages": [
            {
                "name": entry.name,
                "use": entry.use,
                "options": _absolute(options_to_json(entry.options, entry.keyframes)),
            }
            for entry in pipeline.stages
        ],
        "inputs": {
            side.name: {"path": str(side.path.absolute()), "color": side.color, "pad": side.pad}
            for side in pipeline.inputs
        },
        "plugins": [str(folder.absolute()) for folder in pipeline.plugins],
        "chunk": list(pipeline.chunk),
        "queue": pipeline.queue,
        "path": str(pipeline.path),
    }


def from_recipe(recipe: Mapping[str, Any], *, plugins: Sequence[Path] | None = None) -> Pipeline:
    """The pipeline of a recipe.

    ``plugins`` are the folders that code may be loaded from, where the recipe comes from a file;
    None for those that it names itself, where it comes from this program.

    Raises PipelineError or PluginError where stages or options are not there any more, and
    KeyError, TypeError or ValueError where the recipe is damaged.
    """
    folders = recipe["plugins"] if plugins is None else plugins
    registry = Registry([Path(folder) for folder in folders])
    stages = []
    for written in recipe["stages"]:
        use = str(written["use"])
        cls = registry.find(use)
        options, keyframes = options_from_json(cls.Options, written["options"])
        kind = use.partition("/")[0]
        stages.append(StageEntry(str(written["name"]), use, kind, cls, options, keyframes))
    inputs = tuple(
        SideInput(name, Path(side["path"]), bool(side["color"]), bool(side["pad"]))
        for name, side in recipe["inputs"].items()
    )
    least, most = recipe["chunk"]
    return Pipeline(
        VERSION,
        tuple(stages),
        Path(recipe["path"]),
        (least, most),
        recipe["queue"],
        inputs,
        registry.folders,
    )


def _absolute(value: Any) -> Any:
    if names_file(value):
        return str(Path(value).absolute())
    if isinstance(value, list | tuple):
        return [_absolute(item) for item in value]
    if isinstance(value, Mapping):
        return {_absolute(name): _absolute(item) for name, item in value.items()}
    return value
