from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.schema import pipeline_schema
from vidstyle.runner.config.yaml_file import read_yaml
from vidstyle.runner.config.yaml_values import to_plain

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "minLength": lambda value, bound: len(value) >= bound,
    "minItems": lambda value, bound: len(value) >= bound,
    "maxItems": lambda value, bound: len(value) <= bound,
    "minProperties": lambda value, bound: len(value) >= bound,
    "pattern": lambda value, bound: re.search(bound, value) is not None,
    "required": lambda value, bound: set(bound) <= set(value),
    "const": lambda value, bound: type(value) is type(bound) and value == bound,
    "enum": lambda value, bound: value in bound,
}
FOR = {"minimum": float, "maximum": float, "pattern": str, "minLength": str, "required": dict}
FOR |= {"minItems": list, "maxItems": list, "minProperties": dict}
SHIPPED = Path(__file__).parents[3] / "pipelines"
IGNORED = {"$schema", "$defs", "title", "description", "default", "format"}


def valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """The part of JSON Schema 2020-12 that pipelines need; an unknown word is a failure."""
    return all(holds(word, rule, value, schema, root) for word, rule in schema.items())


def holds(word: str, rule: Any, value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    if word in IGNORED:
        return True
    if word == "type":
        numeric = isinstance(value, bool) and rule in ("integer", "number")
        return isinstance(value, TYPES[rule]) and not numeric
    if word in BOUNDS:
        kind = FOR.get(word)
        numbers = isinstance(value, (int, float)) if kind is float else None
        applies = kind is None or numbers or (kind is not float and isinstance(value, kind))
        return not applies or BOUNDS[word](value, rule)
    if word == "$ref":
        return valid(value, root["$defs"][rule.removeprefix("#/$defs/")], root)
    if word in ("anyOf", "oneOf"):
        fits = sum(valid(value, branch, root) for branch in rule)
        return fits >= 1 if word == "anyOf" else fits == 1
    if word in ("items", "prefixItems"):
        if not isinstance(value, list):
            return True
        rules = rule if word == "prefixItems" else [rule] * len(value)
        return all(valid(item, one, root) for item, one in zip(value, rules, strict=False))
    if not isinstance(value, dict):
        return True
    if word == "properties":
        return all(valid(value[key], rule[key], root) for key in rule if key in value)
    if word == "propertyNames":
        return all(valid(key, rule, root) for key in value)
    if word == "additionalProperties":
        extra = [key for key in value if key not in schema.get("properties", {})]
        return not extra if rule is False else all(valid(value[key], rule, root) for key in extra)
    if word == "dependentRequired":
        return all(set(needed) <= set(value) for key, needed in rule.items() if key in value)
    raise AssertionError(f"the schema uses {word}, which this validator does not know")


@pytest.fixture(scope="module")
def schema(fake_stages: Registry) -> dict[str, Any]:
    schema = pipeline_schema(fake_stages)
    assert json.loads(json.dumps(schema)) == schema
    return schema


GOOD = [
    "",
    "- use: blend/every",
    "- use: blend/every\n  as: second-blend_2\n  strength: 1\n  passes: 8",
    "- use: blend/every\n  strength: {at: {0s: 0, 1.5s: 0.5, 100ms: 0.2, 1:30: 1}}",
    "- use: blend/every\n  mask: a.png\n  ease: {power: 2}\n  threads: auto\n  size: [1, 2]",
    "- use: stylize/plain\n  style: x\n- use: filter/brighter\n  amount: 1.5",
]
BAD = [
    "- use: blend/nothing",
    "- use: blend/every\n  strenth: 1",
    "- use: blend/every\n  strength: 2",
    "- use: blend/every\n  strength: x",
    "- use: blend/every\n  strength: true",
    "- use: blend/every\n  strength: {at: {0s: 2}}",
    "- use: blend/every\n  strength: {at: {soon: 1}}",
    "- use: blend/every\n  strength: {at: {}}",
    "- use: blend/every\n  strength: {at: {0s: 1}, to: 2}",
    "- use: blend/every\n  passes: {at: {0s: 1}}",
    "- use: blend/every\n  passes: 9",
    "- use: blend/every\n  kernel: cubik",
    "- use: blend/every\n  as: A.b",
    "- use: blend/every\n  ease: {pwr: 2}",
    "- use: blend/every\n  size: [1, 2, 3]",
    "- use: stylize/plain",
]


@pytest.mark.parametrize("middle", GOOD)
def test_what_loads_is_valid(
    middle: str, write: Callable[..., Path], fake_stages: Registry, schema: dict[str, Any]
) -> None:
    path = write(middle)
    load_pipeline(path, registry=fake_stages)
    assert valid(to_plain(read_yaml(path)), schema, schema)


@pytest.mark.parametrize("middle", BAD)
def test_what_does_not_load_is_not_valid(
    middle: str, write: Callable[..., Path], fake_stages: Registry, schema: dict[str, Any]
) -> None:
    path = write(middle)
    with pytest.raises(PipelineError):
        load_pipeline(path, registry=fake_stages)
    assert not valid(to_plain(read_yaml(path)), schema, schema)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("version: 1\nextends: base.yaml", True),
        ("version: 1\nextends: base.yaml\nset: {blend.strength: 1}\nqueue: 3", True),
        ("version: 1\nextends: base.yaml\nchunk: {least: 4, most: 8}", True),
        ("version: 1\nextends: base.yaml\ninputs: {mask: a.mp4, face: ../b.png}", True),
        ("version: 1\nextends: temporal\ninputs: {image: {file: a.mp4, color: true}}", True),
        ("version: 1\nextends: b\nadd: [{before: encode, stages: [use: blend/every]}]", True),
        ("version: 1\nextends: b\nadd: [{after: x, stages: [{use: blend/every, as: y}]}]", True),
        (
            "version: 1\nextends: b\nadd: [{after: x, stages: [{use: blend/every, stren: 1}]}]",
            False,
        ),
        ("version: 1\nextends: b\nadd: [{after: x, before: y, stages: [use: blend/every]}]", False),
        ("version: 1\nextends: b\nadd: [{stages: [use: blend/every]}]", False),
        ("version: 1\nextends: b\nadd: [{after: x}]", False),
        ("version: 1\nextends: base.yaml\ninputs: {mask: {color: true}}", False),
        ("version: 1\nextends: base.yaml\ninputs: {mask: {file: a.mp4, colour: true}}", False),
        ("version: 1\nextends: base.yaml\ninputs: {Mask: a.mp4}", False),
        ("version: 1\nextends: base.yaml\ninputs: {mask: 3}", False),
        ("version: 1\nextends: base.yaml\ninputs: {mask: ''}", False),
        ("version: 1\nextends: base.yaml\ninputs: [a.mp4]", False),
        ("version: 1", False),
        ("version: 2\nextends: base.yaml", False),
        ("extends: base.yaml", False),
        ("version: 1\nextends: base.yaml\nset: {strength: 1}", False),
        ("version: 1\nextends: base.yaml\nstags: []", False),
        ("version: 1\nextends: base.yaml\nchunk: {leest: 4}", False),
        ("version: 1\nextends: base.yaml\nqueue: 0", False),
        ("version: 1\nset: {blend.x: 1}\nstages: [use: decode/fake, use: encode/fake]", False),
        ("version: 1\nadd: []\nstages: [use: decode/fake, use: encode/fake]", False),
    ],
)
def test_top_level_keys_are_known(
    text: str, fits: bool, write: Callable[..., Path], schema: dict[str, Any]
) -> None:
    assert valid(to_plain(read_yaml(write(text, whole=True))), schema, schema) is fits


def test_an_option_keeps_its_words_and_its_default(schema: dict[str, Any]) -> None:
    strength = schema["$defs"]["blend.every"]["properties"]["strength"]
    assert (strength["description"], strength["default"]) == ("How much.", 0.9)
    assert "keyframes" not in json.dumps(strength)
    assert schema["$defs"]["blend.every"]["description"] == "Has an option of every sort."


@pytest.mark.parametrize(
    ("option", "fits"),
    [
        ("style: a", True),
        ("style: {a: 0.7, b: 0.3}", True),
        ("style: {at: {0s: a, 2s: {a: 1, b: 1}}}", True),
        ("style: {a: x}", False),
        ("style: {at: {soon: a}}", False),
        ("style: 3", False),
        ("style: a\n  mask: face.png", True),
        ("style: a\n  mask: 3", False),
    ],
)
def test_mixes_and_masks_are_known(option: str, fits: bool, write: Callable[..., Path]) -> None:
    schema = pipeline_schema(Registry())
    assert not {"mix", "layer", "keyframes"} & set(re.findall(r'"(\w+)": true', json.dumps(schema)))
    text = f"version: 1\nstages:\n- use: decode/pyav\n- use: stylize/feedforward\n  {option}"
    text += "\n- use: encode/pyav"
    assert valid(to_plain(read_yaml(write(text, whole=True))), schema, schema) is fits


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_pipelines_are_valid(path: Path) -> None:
    schema = pipeline_schema(Registry())
    assert valid(to_plain(read_yaml(path)), schema, schema)


def test_broken_stages_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "filter").mkdir()
    (tmp_path / "filter" / "odd.py").write_text("raise RuntimeError")
    assert "filter.odd" not in pipeline_schema(Registry([tmp_path]))["$defs"]
