"""A pipeline as its files have it: top-level keys, inheritance and ``set:``, before options.

``extends: base.yaml`` takes over what this file does not say. ``stages:`` replaces the
inherited list whole; ``set: {blend.strength: 0.5}`` changes single options of it instead.
The base lies in the pipeline's folder or below it: no absolute path, no ``..``, no link
that leads out, so that a pipeline from elsewhere is made of nothing but its own folder. ``inputs:``
adds to the inherited ones; one of the same name takes the other's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from vidstyle.core.paths import is_file
from vidstyle.runner.config.overrides import Override, override, read_overrides
from vidstyle.runner.config.side_inputs import INPUTS, SideInput, read_input, read_inputs
from vidstyle.runner.config.stage_list import WrittenStage, read_stages
from vidstyle.runner.config.suggest import did_you_mean, shown
from vidstyle.runner.config.yaml_file import read_yaml
from vidstyle.runner.config.yaml_values import YamlMap, YamlScalar, YamlValue

VERSION = 1
KEYS = ("version", "extends", "set", INPUTS, "stages", "chunk", "queue")
CHUNK = (125, 250)
MOST_QUEUE = 256
_MOST_FILES = 16


@dataclass(frozen=True, slots=True)
class WrittenPipeline:
    """What a file says together with what it inherits."""

    stages: tuple[WrittenStage, ...]
    chunk: tuple[int, int] = CHUNK
    """A chunk ends at the first cut after so many frames, or at so many."""
    queue: int | None = None
    """Frames that may wait between two stages; None leaves it to the plan."""
    inputs: Mapping[str, SideInput] = field(default_factory=dict)
    """Side inputs by the name of their layer."""

    def having(self, change: Override) -> WrittenPipeline:
        """With one option of a stage, or one side input, changed. Raises as ``override`` does."""
        if change.stage == INPUTS:
            side = read_input(change.option, change.value, change.where)
            return replace(self, inputs={**self.inputs, side.name: side})
        return replace(self, stages=override(self.stages, change))


def read_pipeline_file(path: Path) -> WrittenPipeline:
    """Read a pipeline and what it extends. Raises PipelineError with file:line:column."""
    return _read(path, path.parent.resolve(), ())


def _read(path: Path, root: Path, chain: tuple[Path, ...]) -> WrittenPipeline:
    document = read_yaml(path)
    _check_keys(document)
    base = None
    if "extends" in document.items:
        target = _base(document.items["extends"], path, root, (*chain, path.resolve()))
        base = _read(target, root, (*chain, path.resolve()))
    return _combined(document, base)


def _check_keys(document: YamlMap) -> None:
    for key, where in document.keys.items():
        if key not in KEYS:
            raise where.error(f"a pipeline has no key {shown(key)}.{did_you_mean(key, KEYS)}")
    version = document.items.get("version")
    if version is None:
        raise document.where.error(f"the key version is missing; begin with `version: {VERSION}`")
    number = version.value if isinstance(version, YamlScalar) else None
    if type(number) is not int or number != VERSION:
        raise version.where.error(f"version must be {VERSION}, got {version}")


def _base(value: YamlValue, path: Path, root: Path, chain: tuple[Path, ...]) -> Path:
    """The file that is extended, known to lie inside the root and to be no repetition."""
    if not isinstance(value, YamlScalar) or not isinstance(value.value, str) or not value.value:
        raise value.where.error(f"extends wants the name of a file, got {value}")
    name = value.value
    outside = f"extends reads files of the pipeline's own folder only, got {shown(name)}"
    if _is_absolute(name) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise value.where.error(f"{outside}; name a file beside this one")
    target = path.parent / name
    if not _resolved(target).is_relative_to(root):
        raise value.where.error(f"{outside}, which leads out of it; copy the file here")
    if _resolved(target) in chain:
        raise value.where.error(f"{shown(name)} extends itself, directly or in a circle; cut it")
    # Path.is_file raises for a name that is too long.
    if not is_file(target):
        names = [near.name for near in path.parent.glob("*.yaml") if near.name != path.name]
        raise value.where.error(f"there is no file {shown(name)}.{did_you_mean(name, names)}")
    if len(chain) >= _MOST_FILES:
        raise value.where.error(f"more than {_MOST_FILES} files extend one another; use fewer")
    return target


def _is_absolute(name: str) -> bool:
    windows = PureWindowsPath(name)
    return PurePosixPath(name).is_absolute() or bool(windows.drive or windows.root)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        # A circle of links resolves to no file inside any folder.
        return Path("/")


def _combined(document: YamlMap, base: WrittenPipeline | None) -> WrittenPipeline:
    items = document.items
    if "stages" in items:
        stages = read_stages(items["stages"])
    elif base is None:
        raise document.where.error("the key stages is missing; list them, or extend a pipeline")
    else:
        stages = base.stages
    if "set" in items and base is None:
        raise document.keys["set"].error("set needs extends; write the option at its stage")
    inherited = base or WrittenPipeline(stages)
    own = read_inputs(items[INPUTS]) if INPUTS in items else {}
    written = WrittenPipeline(
        stages,
        _chunk(items["chunk"]) if "chunk" in items else inherited.chunk,
        _whole(items["queue"], "queue", MOST_QUEUE) if "queue" in items else inherited.queue,
        {**inherited.inputs, **own},
    )
    for change in read_overrides(items["set"]) if "set" in items else ():
        written = written.having(change)
    return written


def _chunk(value: YamlValue) -> tuple[int, int]:
    if not isinstance(value, YamlMap):
        raise value.where.error(f"chunk wants {{least: 125, most: 250}}, got {value}")
    for key, where in value.keys.items():
        if key not in ("least", "most"):
            hint = did_you_mean(key, ("least", "most"))
            raise where.error(f"chunk has no key {shown(key)}.{hint}")
    given = {key: _whole(item, f"chunk.{key}") for key, item in value.items.items()}
    least = given.get("least", min(CHUNK[0], given.get("most", CHUNK[0])))
    most = given.get("most", max(CHUNK[1], least))
    if least > most:
        raise value.where.error(f"chunk.least must be at most chunk.most, got {least} and {most}")
    return least, most


def _whole(value: YamlValue, what: str, most: int = 1_000_000) -> int:
    number = value.value if isinstance(value, YamlScalar) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
        raise value.where.error(f"{what} must be a whole number from 1 to {most}, got {value}")
    return number
