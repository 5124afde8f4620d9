"""What an output is made of: equal stamps stand for equal outputs, whatever made them.

Threads, jobs, memory, the machine and the names of files are no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidstyle.core.options import is_file_option
from vidstyle.core.paths import names_file
from vidstyle.core.plan import Plan
from vidstyle.core.sink import STAMP_PREFIX
from vidstyle.kernels.library import has_kernels
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.identity import content_digest, file_digests, plugin_digest

PIXEL_VERSION = 8
"""Version of the pixels that this code computes: to be raised with each change that makes other
ones of the same stamp. Outputs of an older one then count as made with other options."""

SOURCE_CHANGED = "the source was changed"
"""The difference of an input's content."""

# Differences that a message names.
_NAMED = 3
_FILES, _CODE = " files", " code"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The parts by name, each as text: a value, or the hash of a file's content."""

    source: str
    """SHA-256 of the input."""
    frames: Mapping[str, str]
    """What the frames and their packets depend on besides the source."""
    file: Mapping[str, str]
    """What the file depends on besides: container, sound, subtitles, titles."""
    names: Mapping[str, str]
    """What messages show in place of a hash."""

    @property
    def frames_key(self) -> str:
        """Of all outputs that have these frames, as these packets."""
        return _key([self.source, dict(self.frames)])

    @property
    def file_key(self) -> str:
        """Of the whole output."""
        return _key([self.source, dict(self.frames), dict(self.file)])

    @property
    def short(self) -> str:
        """For the tags of a file."""
        return f"{STAMP_PREFIX}{self.file_key[:16]}"

    def to_json(self) -> dict[str, Any]:
        """As ``stamp_from_json`` takes it."""
        return asdict(self)


def stamp_from_json(facts: Any) -> Stamp:
    """The inverse of ``Stamp.to_json``. Raises KeyError, TypeError or ValueError for others."""
    frames, file, names = (
        {str(name): str(value) for name, value in dict(facts[part]).items()}
        for part in ("frames", "file", "names")
    )
    return Stamp(str(facts["source"]), frames, file, names)


def make_stamp(assembly: Assembly, plan: Plan, source: str, suffix: str) -> Stamp:
    """The stamp of an output with that suffix.

    Args:
        assembly: The objects of the run.
        plan: Its resolved plan.
        source: SHA-256 of the input's content.
        suffix: Of the output, such as ``.mp4``; empty for a folder.
    """
    first, stop = plan.frames
    frames = {
        "pixel version": str(PIXEL_VERSION),
        # They round differently.
        "computation": "compiled" if has_kernels() else "not compiled",
        "device": plan.device.partition(":")[0],
        "frames": f"{first}:{'' if stop is None else stop}",
        "chunk": "{}:{}".format(*plan.chunk),
    }
    if plan.split is not None:
        frames |= {
            "--split-shots": str(plan.split.frames),
            "overlap of parts": str(plan.split.overlap),
        }
    file, names = {"container": suffix.lower()}, dict[str, str]()
    objects = (assembly.source, *assembly.stages, assembly.sink)
    for planned, stage in zip(plan.every, objects, strict=True):
        frames[planned.name] = planned.use
        for option, value in planned.options.items():
            name = f"{planned.name}.{option}"
            to_file = stage is assembly.sink and is_file_option(type(stage).Options, option)
            part = file if to_file else frames
            part[name], shown = _by_content(value)
            if shown != part[name]:
                names[name] = shown
        if (code := plugin_digest(stage)) is not None:
            frames[f"{planned.name}{_CODE}"] = code
    for planned, step in zip(plan.stages, assembly.stages, strict=True):
        if digests := file_digests(step):
            frames[f"{planned.name}{_FILES}"] = _key(digests)
    for side in plan.inputs:
        form = f"{' color' if side.color else ''}{' pad' if side.pad else ''}"
        frames[f"input {side.name}"] = f"{side.digest}{form}"
    return Stamp(source, frames, file, names)


def differences(old: Stamp, new: Stamp) -> list[str]:
    """What was otherwise, each as words for a message; empty where the stamps are equal."""
    found = [SOURCE_CHANGED] if old.source != new.source else []
    for part in ("frames", "file"):
        found += _differing(getattr(old, part), getattr(new, part), old, new)
    return found


def brief(found: list[str]) -> str:
    """The first differences, as one phrase."""
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _differing(
    old: Mapping[str, str], new: Mapping[str, str], before: Stamp, now: Stamp
) -> Iterator[str]:
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    stages = {name for name in changed if "." not in name and " " not in name}
    for name in changed:
        stage = name.partition(".")[0].partition(" ")[0]
        if name not in stages and stage in stages:
            # That the stage is another one says enough.
            continue
        if name == "pixel version":
            yield f"vidstyle computes other pixels since (version {new.get(name)})"
        elif name.endswith(_CODE):
            yield f"the code of {stage} was changed"
        elif name.endswith(_FILES):
            # A change of its options, such as of the style, says it already.
            if not any(other.startswith(f"{stage}.") for other in changed):
                yield f"a file of {stage} was changed"
        elif name.startswith("input "):
            yield f"{name} was changed"
        else:
            was, is_ = (
                stamp.names.get(name, values.get(name, "none"))
                for stamp, values in ((before, old), (now, new))
            )
            both = f"{was}, is {is_}" if was != is_ else "another file of that name"
            yield f"{name} was {both}"


def _by_content(value: Any) -> tuple[str, str]:
    """The value as text with the content of each file that it names, and with its name."""
    counted, shown = _replaced(value)
    return tuple(  # type: ignore[return-value]  # of two
        each if isinstance(each, str) else json.dumps(each, sort_keys=True)
        for each in (counted, shown)
    )


def _replaced(value: Any) -> tuple[Any, Any]:
    if names_file(value):
        return content_digest(Path(value)), Path(value).name
    if isinstance(value, list | tuple):
        pairs = [_replaced(item) for item in value]
        return [counted for counted, _ in pairs], [shown for _, shown in pairs]
    if isinstance(value, Mapping):
        items = [(_replaced(name), _replaced(item)) for name, item in value.items()]
        return (
            {name[0]: item[0] for name, item in items},
            {name[1]: item[1] for name, item in items},
        )
    return value, value


def _key(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
