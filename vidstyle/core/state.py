"""What a stage remembers, and its form on disk: safetensors and JSON, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias, TypeVar, cast

import numpy as np
from safetensors.numpy import load, save

from vidstyle.core.layers import Layer

StateValue: TypeAlias = "Layer | float | int | str"
State: TypeAlias = "Mapping[str, StateValue] | None"
StateT = TypeVar("StateT", bound="State")

# A name that no stage can use: state names are identifiers.
_SCALARS = "\0scalars"


def save_state(state: State) -> bytes:
    """Write a state whose arrays lie on the host; ``load_state`` gives back an equal one.

    Args:
        state: Of a stage.

    Returns:
        Its bytes: safetensors, with the numbers and texts as JSON.

    Raises:
        TypeError: A value is not an array, a number or text.
    """
    arrays: dict[str, np.ndarray] = {}
    scalars: dict[str, float | int | str] = {}
    for name, value in (state or {}).items():
        if isinstance(value, np.ndarray):
            arrays[name] = np.asarray(value, order="C")
        elif isinstance(value, (int, float, str)):
            scalars[name] = value
        else:
            raise TypeError(
                f"state value {name} is a {type(value).__name__}, not an array, a number or text"
            )
    text = json.dumps({"none": state is None, "values": scalars}).encode()
    arrays[_SCALARS] = np.frombuffer(text, np.uint8)
    return save(arrays)


def load_state(data: bytes) -> State:
    """Read what ``save_state`` wrote.

    Args:
        data: The bytes.

    Returns:
        An equal state.

    Raises:
        ValueError: The bytes are damaged.
    """
    try:
        arrays = load(data)
        stored = json.loads(arrays.pop(_SCALARS).tobytes())
    except Exception as error:
        raise ValueError(f"a saved state is damaged: {error}") from error
    if stored["none"]:
        return None
    return cast("State", {**arrays, **stored["values"]})
