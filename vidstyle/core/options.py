"""Options of a stage: a pydantic model whose fields become the keys of the YAML file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

KEYFRAMES = "keyframes"


class StageOptions(BaseModel):
    """Base of every stage's options: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def keyframed(
    default: float, *, ge: float | None = None, le: float | None = None, description: str = ""
) -> Any:
    """A number that a pipeline may change over time: ``strength: {at: {0s: 0, 2s: 1}}``.

    The stage reads it from ``window.options``, where it has its value at that frame; ``ge`` and
    ``le`` are the least and the largest value.
    """
    return Field(
        default, ge=ge, le=le, description=description, json_schema_extra={KEYFRAMES: True}
    )


def may_be_keyframed(options: type[StageOptions], name: str) -> bool:
    """Whether the option was declared with ``keyframed``."""
    extra = options.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(KEYFRAMES))
