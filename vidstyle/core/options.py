"""Options of a stage: a pydantic model whose fields become the keys of the YAML file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Words that a field carries in its json_schema_extra; the schema that users see is without them.
KEYFRAMES = "keyframes"
MIX = "mix"
LAYER = "layer"
FILE = "file"


class StageOptions(BaseModel):
    """Base of every stage's options: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def absent_files(self) -> Mapping[str, str]:
        """Find options that name weights which are not there.

        Asked when a pipeline is read, so that they are reported with its other faults; nothing is
        loaded.

        Returns:
            Names of options, each with what is wrong.
        """
        return {}


def keyframed(
    default: float, *, ge: float | None = None, le: float | None = None, description: str = ""
) -> Any:
    """Declare a number that a pipeline may change over time: ``strength: {at: {0s: 0, 2s: 1}}``.

    The stage reads it from ``window.options``, where it has its value at that frame.

    Args:
        default: Value where the pipeline gives none.
        ge: Least value.
        le: Largest value.
        description: For users, one sentence.

    Returns:
        The field of a pydantic model.
    """
    return Field(
        default, ge=ge, le=le, description=description, json_schema_extra={KEYFRAMES: True}
    )


def _normalized(mix: str | dict[str, float]) -> str | dict[str, float]:
    if isinstance(mix, str):
        return mix
    total = sum(mix.values())
    if not 0 < total < float("inf") or min(mix.values()) < 0:
        raise ValueError("the weights of a mix are at least 0, and one of them is more")
    if math.isclose(total, 1, rel_tol=1e-12):
        # Normalized values stay bit for bit when they are read again.
        return mix
    return {name: weight / total for name, weight in mix.items()}


Mix = Annotated[str | dict[str, float], AfterValidator(_normalized)]
"""One name, or names with weights; the weights are normalized to sum 1."""


def keyframed_mix(*, description: str = "") -> Any:
    """Declare a ``Mix`` that a pipeline may change over time: ``style: {at: {0s: a, 4s: {b: 1}}}``.

    The stage's own options hold every name that is ever used, those of later with weight 0.
    ``window.options`` has the weights of now.

    Args:
        description: For users, one sentence.

    Returns:
        The field of a pydantic model.
    """
    return Field(description=description, json_schema_extra={KEYFRAMES: True, MIX: True})


def layer_or_file(*, description: str = "") -> Any:
    """Declare the name of a layer, which in a pipeline may also be an image, folder or video.

    The runner reads such a file in step with the clip, and gives the stage the name of the layer
    that the file has become: (H, W) in [0, 1]. The default is None.

    Args:
        description: For users, one sentence.

    Returns:
        The field of a pydantic model.
    """
    return Field(None, description=description, json_schema_extra={LAYER: True})


def file_option(default: Any, *, description: str = "") -> Any:
    """Declare an option of a sink that changes the file, but no frame and no packet of the video.

    A run with another value of it uses the finished frames of an interrupted one.

    Args:
        default: Value where the pipeline gives none.
        description: For users, one sentence.

    Returns:
        The field of a pydantic model.
    """
    return Field(default, description=description, json_schema_extra={FILE: True})


def is_file_option(options: type[StageOptions], name: str) -> bool:
    """Return whether an option was declared with ``file_option``.

    Args:
        options: Of a stage.
        name: Of the option.

    Returns:
        Whether it was.
    """
    return _carries(options, name, FILE)


def may_be_keyframed(options: type[StageOptions], name: str) -> bool:
    """Return whether an option was declared with ``keyframed`` or ``keyframed_mix``.

    Args:
        options: Of a stage.
        name: Of the option.

    Returns:
        Whether it was.
    """
    return _carries(options, name, KEYFRAMES)


def is_mix(options: type[StageOptions], name: str) -> bool:
    """Return whether an option was declared with ``keyframed_mix``.

    Args:
        options: Of a stage.
        name: Of the option.

    Returns:
        Whether it was.
    """
    return _carries(options, name, MIX)


def may_be_file(options: type[StageOptions], name: str) -> bool:
    """Return whether an option was declared with ``layer_or_file``.

    Args:
        options: Of a stage.
        name: Of the option.

    Returns:
        Whether it was.
    """
    return _carries(options, name, LAYER)


def _carries(options: type[StageOptions], name: str, word: str) -> bool:
    extra = options.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(word))
