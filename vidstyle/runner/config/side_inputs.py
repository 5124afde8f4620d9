"""Side inputs: images, folders and videos that become layers beside the clip's own.

``inputs: {mask: mask.mp4}`` names a layer and its file; an option that takes a layer or a file
(``core.options.layer_or_file``) makes a layer of its own. A relative path counts from the folder
of the file that holds it; one given with ``--set inputs.mask=face.png`` from the current folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.layers import CHANNELS, CUT
from vidstyle.runner.config.stage_list import NAME
from vidstyle.runner.config.suggest import shown
from vidstyle.runner.config.yaml_values import Where, YamlMap, YamlScalar, YamlValue

INPUTS = "inputs"
_FORM = "{mask: mask.mp4}"


@dataclass(frozen=True, slots=True)
class SideInput:
    """A file and the layer that it becomes."""

    name: str
    """Of the layer; with a dot where an option has made it, which no pipeline can write."""
    path: Path
    """Absolute."""


def read_inputs(value: YamlValue) -> dict[str, SideInput]:
    """The ``inputs`` of a pipeline, by name. Raises PipelineError for another form."""
    if not isinstance(value, YamlMap):
        raise value.where.error(f"{INPUTS} wants a mapping such as {_FORM}, got {value}")
    return {key: read_input(key, item, value.keys[key]) for key, item in value.items.items()}


def read_input(name: str, value: YamlValue, where: Where) -> SideInput:
    """One of them; ``where`` the name stands. Raises PipelineError for a bad name or no path."""
    if not NAME.fullmatch(name):
        raise where.error(f"{shown(name)} is no name of a layer; use a-z, 0-9, _ and -")
    if name in CHANNELS or name == CUT:
        raise where.error(f"the layer {name} is vidstyle's own; give the side input another name")
    text = value.value if isinstance(value, YamlScalar) else None
    if not isinstance(text, str) or not text:
        raise value.where.error(f"side input {name} wants a path, got {value}")
    return SideInput(name, _absolute(text, value.where))


def read_option(stage: str, option: str, value: YamlScalar) -> SideInput | None:
    """The file that an option names, or None where it names a layer or nothing.

    What looks like a name is a layer, and all else is a path; ``./mask`` is a file without a
    suffix. Raises PipelineError for an empty text.
    """
    text = value.value
    if not isinstance(text, str) or NAME.fullmatch(text):
        return None
    if not text:
        raise value.where.error(
            f"stage {stage}: option {option} wants the name of a layer or a path, got {value}"
        )
    return SideInput(f"{stage}.{option}", _absolute(text, value.where))


def _absolute(text: str, where: Where) -> Path:
    return (where.folder / text).absolute()
