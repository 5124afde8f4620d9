"""JSON Schema (2020-12) of pipeline files, for editors that complete and check while typing.

It describes each value by itself. ``load_pipeline`` checks what needs several values: the order
of stages, unique names, and rules across options.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from vidstyle.core.errors import PluginError
from vidstyle.core.options import FILE, KEYFRAMES, LAYER, MIX, StageOptions, may_be_keyframed
from vidstyle.runner.config.discovery import Listed, Registry
from vidstyle.runner.config.keyframes import AT
from vidstyle.runner.config.pipeline_file import CHUNK, MOST_QUEUE, VERSION
from vidstyle.runner.config.side_inputs import INPUTS
from vidstyle.runner.config.stage_list import NAME
from vidstyle.runner.config.times import TIME

Schema: TypeAlias = dict[str, Any]

_OURS = (KEYFRAMES, MIX, LAYER, FILE)
_ANNOTATIONS = ("title", "description", "default", "examples", "deprecated")


def pipeline_schema(registry: Registry) -> Schema:
    """The schema with every stage that a pipeline can use. Imports all stages.

    Broken stages, and those that two plugins claim, are left out.
    """
    definitions: Schema = {}
    for listed in registry.list():
        if listed.broken is None:
            definitions.update(_stage(listed, registry))
    stages = [{"$ref": f"#/$defs/{name}"} for name in definitions if "!" not in name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vidstyle pipeline",
        "type": "object",
        "required": ["version"],
        "anyOf": [{"required": ["stages"]}, {"required": ["extends"]}],
        "dependentRequired": {"add": ["extends"], "set": ["extends"]},
        "properties": _properties(stages),
        "additionalProperties": False,
        "$defs": definitions,
    }


def _properties(stages: list[Schema]) -> Schema:
    path = {"type": "string", "minLength": 1}
    return {
        "version": {"const": VERSION},
        "stages": {
            "type": "array",
            "minItems": 2,
            "description": "From decode to encode, in the order of processing.",
            "items": {"oneOf": stages},
        },
        "extends": {
            "type": "string",
            "description": "What to inherit missing keys from: a file in the same folder, or a"
            " pipeline of `vidstyle pipelines list`.",
        },
        "add": {
            "type": "array",
            "description": "Adds stages to the inherited ones, before or after one of them.",
            "items": {
                "type": "object",
                "required": ["stages"],
                "oneOf": [{"required": ["before"]}, {"required": ["after"]}],
                "properties": {
                    "before": {"type": "string", "description": "A stage's name or kind."},
                    "after": {"type": "string", "description": "A stage's name or kind."},
                    "stages": {"type": "array", "minItems": 1, "items": {"oneOf": stages}},
                },
                "additionalProperties": False,
            },
        },
        "set": {
            "type": "object",
            "description": "Changes options of inherited stages: `blend.strength: 0.5`.",
            "propertyNames": {"pattern": r"^[^.]+\..+$"},
        },
        INPUTS: {
            "type": "object",
            "description": "Images, folders and videos that become layers: `mask: mask.mp4`.",
            "propertyNames": {"pattern": f"^{NAME.pattern}$"},
            "additionalProperties": {
                "anyOf": [
                    path,
                    {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": path,
                            "color": {
                                "type": "boolean",
                                "description": "Whether it is a layer of colors, or of one value a"
                                " pixel.",
                            },
                            "pad": {
                                "type": "boolean",
                                "description": "Whether a file of another shape gets black edges,"
                                " or is refused.",
                            },
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
        "chunk": {
            "type": "object",
            "description": "A chunk ends at the first cut after `least` frames, or at `most`.",
            "properties": {
                "least": {"type": "integer", "minimum": 1, "default": CHUNK[0]},
                "most": {"type": "integer", "minimum": 1, "default": CHUNK[1]},
            },
            "additionalProperties": False,
        },
        "queue": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_QUEUE,
            "description": "Frames that may wait between two stages.",
        },
    }


def _stage(listed: Listed, registry: Registry) -> Schema:
    """The definition of a stage and those that its options refer to."""
    name = listed.name.replace("/", ".")
    try:
        options: type[StageOptions] = registry.find(listed.name).Options
    except PluginError:
        # A built-in stage is listed without an import; a dependency of it may be missing.
        return {}
    written = options.model_json_schema(ref_template=f"#/$defs/{name}!{{model}}")
    properties = {
        option: _keyframed(schema) if may_be_keyframed(options, option) else _without_ours(schema)
        for option, schema in written.get("properties", {}).items()
    }
    stage = {
        "title": listed.name,
        "description": listed.summary,
        "type": "object",
        "required": ["use", *written.get("required", [])],
        "properties": {
            "use": {"const": listed.name},
            "as": {"type": "string", "pattern": f"^{NAME.pattern}$"},
            **properties,
        },
        "additionalProperties": False,
    }
    inner = written.get("$defs", {})
    return {name: stage, **{f"{name}!{model}": schema for model, schema in inner.items()}}


def _keyframed(schema: Schema) -> Schema:
    """The option as one value or as keyframes."""
    about = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    value = {key: item for key, item in _without_ours(schema).items() if key not in about}
    times = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": TIME},
        "additionalProperties": value,
    }
    keyframes = {
        "type": "object",
        "required": [AT],
        "properties": {AT: times},
        "additionalProperties": False,
    }
    return {**about, "anyOf": [value, keyframes]}


def _without_ours(schema: Schema) -> Schema:
    """Without the keys that only the runner reads."""
    return {key: item for key, item in schema.items() if key not in _OURS}
