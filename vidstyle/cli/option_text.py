"""An option of a stage for people: which values it takes, what it is without one, what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from vidstyle.core.options import KEYFRAMES, LAYER

Schema: TypeAlias = Mapping[str, Any]
"""The JSON Schema of one option, with the marks of ``vidstyle.core.options``."""

KEYFRAMED = "A keyframed option may change over time, as in {at: {0s: 0, 2s: 1}}."

_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "",
}
# A bound that only keeps a number in 64 bits means nothing to a user.
_LARGEST_BOUND = 2**53


def option_head(name: str, schema: Schema, *, required: bool) -> str:
    """``strength: number from 0 to 1; default 0.85; keyframed``."""
    parts = [
        "name of a layer, or a file" if schema.get(LAYER) else value_text(schema),
        "required" if required else _default_text(schema.get("default")),
        *(["keyframed"] if schema.get(KEYFRAMES) else []),
    ]
    return f"{name}: {'; '.join(parts)}"


def value_text(schema: Schema) -> str:
    """The values that a schema takes, in words: ``number above 0 and at most 1 or auto``."""
    if "anyOf" in schema:
        # Words come last: ``whole number, fast or slow``.
        members = sorted(schema["anyOf"], key=lambda member: bool(_choices(member)))
        return _join([text for m in members for text in _choices(m) or [value_text(m)] if text])
    if choices := _choices(schema):
        return _join(choices)
    if schema.get("type") == "array":
        return f"list of {value_text(schema.get('items', {})).replace('number', 'numbers', 1)}"
    if schema.get("type") == "object":
        return f"{{name: {value_text(schema.get('additionalProperties') or {})}}}"
    return _WORDS.get(schema.get("type", ""), "value") + _bounds(schema)


def _choices(schema: Schema) -> list[str]:
    """The fixed words and numbers that it takes, if these are all."""
    return [
        str(value) for value in schema.get("enum", [schema[c] for c in ["const"] if c in schema])
    ]


def _join(parts: list[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``; a comma before ``or`` where a part has an ``and``."""
    if len(parts) < 2:
        return "".join(parts)
    comma = "," if " and " in "".join(parts) else ""
    return f"{', '.join(parts[:-1])}{comma} or {parts[-1]}"


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if least is not None and most is not None:
        return f" from {_number(least)} to {_number(most)}"
    words = (("at least", least), ("above", above), ("at most", most), ("below", below))
    found = [f"{word} {_number(n)}" for word, n in words if n is not None and n < _LARGEST_BOUND]
    return f" {' and '.join(found)}" if found else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _default_text(value: object) -> str:
    """``default 0.5``, as it is written in a pipeline."""
    if value is None:
        return "not set"
    if isinstance(value, str) and value:
        return f"default {value}"
    return f"default {_number(value) if isinstance(value, float) else json.dumps(value)}"
