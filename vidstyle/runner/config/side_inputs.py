"""Side inputs: images, folders and videos that become layers beside those of the clip.

``inputs: {mask: mask.mp4}`` names a layer and its file. An option that takes a layer or a file
(``core.options.layer_or_file``) makes a layer of its own. A relative path counts from the folder
of the file that it is written in, or from the current folder in ``--set inputs.mask=face.png``.
``{file: other.mp4, color: true}`` makes a layer of colors. ``image: other.mp4`` is one, and stands
in for the image of the clip, which stays the source. With ``pad: true`` a file of another shape
gets black edges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.core.layers import CHANNELS, CUT
from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.stage_list import NAME
from vidstyle.runner.config.suggest import abbreviate
from vidstyle.runner.config.yaml_values import Where, YamlMap, YamlScalar, YamlValue

INPUTS = "inputs"
_FORM = "{mask: mask.mp4}"
_IMAGE = "image"
KEYS_OF_INPUT = ("file", "color", "pad")


@dataclass(frozen=True, slots=True)
class SideInput:
    """A file and the name of its layer."""

    name: str
    """The layer. A file that an option names has a layer with a dot in its name."""
    path: Path
    """Absolute."""
    color: bool = False
    """Whether the layer is (H, W, 3) RGB, or (H, W)."""
    pad: bool = False
    """Whether a file of another shape gets black edges, or is refused."""
    where: Where | None = field(default=None, compare=False)
    """The position of its name; None where it was not read from a file."""


def read_inputs(value: YamlValue, faults: Faults) -> dict[str, SideInput]:
    """The ``inputs`` of a pipeline, by name.

    ``faults`` gets the error of each that is wrong. Raises PipelineError for another form.
    """
    if not isinstance(value, YamlMap):
        raise value.where.error(f"{INPUTS} wants a mapping such as {_FORM}, got {value}")
    found: dict[str, SideInput] = {}
    for key, item in value.items.items():
        with faults.collect():
            found[key] = read_input(key, item, value.keys[key])
    return found


def read_input(name: str, value: YamlValue, where: Where) -> SideInput:
    """One side input; ``where`` is the position of its name.

    Raises PipelineError for a name that no layer can have and for a value that is no path.
    """
    if not NAME.fullmatch(name):
        raise where.error(f"{abbreviate(name)} is no name of a layer; use a-z, 0-9, _ and -")
    if (name in CHANNELS and name != _IMAGE) or name == CUT:
        raise where.error(f"the layer {name} is vidstyle's own; give the side input another name")
    file, color, pad = value, name == _IMAGE, False
    if isinstance(value, YamlMap):
        file, color, pad = _read_mapping(name, value, color=color)
    text = file.value if isinstance(file, YamlScalar) else None
    if not isinstance(text, str) or not text:
        raise value.where.error(f"side input {name} wants a path, got {value}")
    return SideInput(name, _absolute(text, value.where), color, pad, where)


def _read_mapping(name: str, value: YamlMap, *, color: bool) -> tuple[YamlValue, bool, bool]:
    for key, where in value.keys.items():
        if key not in KEYS_OF_INPUT:
            known = ", ".join(KEYS_OF_INPUT)
            raise where.error(f"side input {name} has no key {abbreviate(key)}; it has: {known}")
    if "file" not in value.items:
        raise value.where.error(f"side input {name} wants {{file: other.mp4, color: true}}")
    wanted = _read_switch(name, "color", value, default=color)
    if color and not wanted:
        given = value.items["color"]
        raise given.where.error(f"side input {name}: color must be true, got {given}")
    return value.items["file"], wanted, _read_switch(name, "pad", value, default=False)


def _read_switch(name: str, key: str, value: YamlMap, *, default: bool) -> bool:
    given = value.items.get(key)
    if given is None:
        return default
    wanted = given.value if isinstance(given, YamlScalar) else None
    if not isinstance(wanted, bool):
        raise given.where.error(f"side input {name}: {key} must be true or false, got {given}")
    return wanted


def read_option(stage: str, option: str, value: YamlScalar) -> SideInput | None:
    """The file that an option names; None where it names a layer, or nothing.

    A text in the form of a name is a layer, all other text is a path: write ``./mask`` for a file
    without a suffix. Raises PipelineError for an empty text.
    """
    text = value.value
    if not isinstance(text, str) or NAME.fullmatch(text):
        return None
    if not text:
        raise value.where.error(
            f"stage {stage}: option {option} wants the name of a layer or a path, got {value}"
        )
    return SideInput(f"{stage}.{option}", _absolute(text, value.where), where=value.where)


def _absolute(text: str, where: Where) -> Path:
    return (where.folder / text).absolute()
