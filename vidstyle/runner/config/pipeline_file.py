"""A pipeline as written in its files, with inheritance and changes, before options are validated.

``extends: base.yaml`` inherits every key that this file does not have. ``stages:`` replaces the
inherited list. ``add:`` adds stages to it instead (see ``stage_list``), and then
``set: {blend.strength: 0.5}`` changes single options, as ``--set blend.strength=0.5`` does on the
command line. ``inputs:`` adds to the inherited ones, and replaces those of the same name.

``extends: temporal`` names a shipped pipeline, unless a file of that name is there. Any other base
must be in the pipeline's folder or below it (no absolute path, no ``..``, no link that leads out),
so that a downloaded pipeline reads its own folder only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from vidstyle.core.paths import is_file
from vidstyle.runner.config.changes import Override, TypedStage, override_of
from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.shipped import is_bare, no_such_pipeline, shipped_pipelines
from vidstyle.runner.config.side_inputs import INPUTS, SideInput, read_input, read_inputs
from vidstyle.runner.config.stage_list import (
    WrittenStage,
    add_stages,
    find_stage,
    insert_stage,
    read_stages,
    stage_of_values,
)
from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.runner.config.yaml_file import read_yaml
from vidstyle.runner.config.yaml_values import Where, YamlMap, YamlScalar, YamlValue

VERSION = 1
KEYS = ("version", "extends", "add", "set", INPUTS, "stages", "chunk", "queue")
CHUNK = (125, 250)
MOST_QUEUE = 256
_MOST_FILES = 16


@dataclass(frozen=True, slots=True)
class WrittenPipeline:
    """The content of a file together with what it inherits."""

    stages: tuple[WrittenStage, ...]
    chunk: tuple[int, int] = CHUNK
    """A chunk ends at the first cut after the first number of frames, or at the second number."""
    queue: int | None = None
    """Frames that may wait between two stages; None leaves it to the plan."""
    inputs: Mapping[str, SideInput] = field(default_factory=dict)
    """Side inputs by the name of their layer."""

    def with_override(self, change: Override) -> WrittenPipeline:
        """A copy with one option of a stage, or one side input, changed.

        Raises PipelineError where no stage, or more than one, has that name. Unknown options are
        found later, when the options are validated.
        """
        if change.stage == INPUTS:
            side = read_input(change.option, change.value, change.where)
            return replace(self, inputs={**self.inputs, side.name: side})
        target = find_stage(self.stages, change.stage, change.where)
        options = target.options.with_item(change.option, change.value, change.where)
        changed = replace(target, options=options)
        stages = tuple(changed if stage is target else stage for stage in self.stages)
        return replace(self, stages=stages)

    def with_stage(self, added: TypedStage) -> WrittenPipeline:
        """A copy with one stage more, or with those options changed where it has that stage.

        Raises PipelineError where it has several such stages, or the name is taken.
        """
        where = Where(added.typed)
        written = stage_of_values(added.use, added.options, where)
        there = [stage for stage in self.stages if stage.use == added.use]
        if len(there) > 1:
            names = ", ".join(stage.name for stage in there)
            raise where.error(f"the pipeline has several {added.use}: {names}; use --set")
        if not there:
            at = 1 if added.first else len(self.stages) - 1
            unnamed = replace(written, name="")
            return replace(self, stages=insert_stage(self.stages, unnamed, at))
        changed = self
        for option, value in written.options.items.items():
            changed = changed.with_override(Override(there[0].name, option, value, where))
        return changed


def read_pipeline_file(path: Path, faults: Faults | None = None) -> WrittenPipeline:
    """Read a pipeline and what it extends.

    ``faults`` gets the errors that leave something to read. Raises PipelineError, with
    file:line:column, for the others; without ``faults`` for all.
    """
    found = Faults() if faults is None else faults
    written = None
    with found.collect():
        written = _read(path, path.parent.resolve(), (), found)
    if written is None or faults is None:
        found.raise_all()
    assert written is not None
    return written


def _read(path: Path, root: Path, chain: tuple[Path, ...], faults: Faults) -> WrittenPipeline:
    document = read_yaml(path)
    for key, where in document.keys.items():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS)
            faults.add(where.error(f"a pipeline has no key {abbreviate(key)}.{hint}"))
    with faults.collect():
        _check_version(document)
    base = None
    if "extends" in document.items:
        target, inside = _base(document.items["extends"], path, root, (*chain, path.resolve()))
        base = _read(target, inside, (*chain, path.resolve()), faults)
    return _combine(document, base, faults)


def _check_version(document: YamlMap) -> None:
    version = document.items.get("version")
    if version is None:
        raise document.where.error(f"the key version is missing; begin with `version: {VERSION}`")
    number = version.value if isinstance(version, YamlScalar) else None
    if type(number) is not int or number != VERSION:
        raise version.where.error(f"version must be {VERSION}, got {version}")


def _base(value: YamlValue, path: Path, root: Path, chain: tuple[Path, ...]) -> tuple[Path, Path]:
    """The extended file, which does not extend itself, and the folder that its own bases lie in."""
    if not isinstance(value, YamlScalar) or not isinstance(value.value, str) or not value.value:
        raise value.where.error(f"extends wants the name of a file or a pipeline, got {value}")
    name = value.value
    target = path.parent / name
    if is_bare(name) and not is_file(target):
        target, root = _shipped(name, value.where, path.parent)
    else:
        _check_inside(name, value.where, target, root)
    if _resolve_links(target) in chain:
        raise value.where.error(
            f"{abbreviate(name)} extends itself, directly or in a circle; cut it"
        )
    # Path.is_file raises for a name that is too long.
    if not is_file(target):
        names = [near.name for near in path.parent.glob("[!.]*.yaml") if near.name != path.name]
        raise value.where.error(f"there is no file {abbreviate(name)}.{did_you_mean(name, names)}")
    if len(chain) >= _MOST_FILES:
        raise value.where.error(f"more than {_MOST_FILES} files extend one another; use fewer")
    return target, root


def _shipped(name: str, where: Where, beside: Path) -> tuple[Path, Path]:
    """The file of a shipped pipeline and its folder."""
    target = shipped_pipelines().get(name)
    if target is None:
        raise where.error(no_such_pipeline(name, beside))
    return target, target.parent.resolve()


def _check_inside(name: str, where: Where, target: Path, root: Path) -> None:
    outside = f"extends reads files of the pipeline's own folder only, got {abbreviate(name)}"
    if _is_absolute(name) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise where.error(f"{outside}; name a file beside this one")
    if not _resolve_links(target).is_relative_to(root):
        raise where.error(f"{outside}, which leads out of it; copy the file here")


def _is_absolute(name: str) -> bool:
    windows = PureWindowsPath(name)
    return PurePosixPath(name).is_absolute() or bool(windows.drive or windows.root)


def _resolve_links(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        # A circle of links resolves to no file inside any folder.
        return Path("/")


def _combine(document: YamlMap, base: WrittenPipeline | None, faults: Faults) -> WrittenPipeline:
    items = document.items
    if "stages" in items:
        stages = read_stages(items["stages"], faults)
    elif base is None:
        # The key that is unknown may be meant for it.
        faults.raise_all()
        raise document.where.error("the key stages is missing; list them, or extend a pipeline")
    else:
        stages = base.stages
    if "set" in items and base is None:
        where = document.keys["set"]
        faults.add(where.error("set needs extends; write the option at its stage"))
    if "add" in items and base is None:
        where = document.keys["add"]
        faults.add(where.error("add needs extends; write the stage among the others"))
    elif "add" in items:
        with faults.collect():
            stages = add_stages(items["add"], stages, faults)
    written = base or WrittenPipeline(stages)
    written = replace(written, stages=stages)
    if "chunk" in items:
        with faults.collect():
            written = replace(written, chunk=_chunk(items["chunk"]))
    if "queue" in items:
        with faults.collect():
            written = replace(written, queue=_whole(items["queue"], "queue", MOST_QUEUE))
    if INPUTS in items:
        with faults.collect():
            own = read_inputs(items[INPUTS], faults)
            written = replace(written, inputs={**written.inputs, **own})
    if "set" in items and base is not None:
        for change in _overrides(items["set"], faults):
            with faults.collect():
                written = written.with_override(change)
    return written


def _chunk(value: YamlValue) -> tuple[int, int]:
    if not isinstance(value, YamlMap):
        raise value.where.error(f"chunk wants {{least: 125, most: 250}}, got {value}")
    for key, where in value.keys.items():
        if key not in ("least", "most"):
            hint = did_you_mean(key, ("least", "most"))
            raise where.error(f"chunk has no key {abbreviate(key)}.{hint}")
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


def _overrides(value: YamlValue, faults: Faults) -> list[Override]:
    """The ``set:`` of a pipeline that extends another."""
    found: list[Override] = []
    if not isinstance(value, YamlMap):
        error = f"set wants a mapping such as {{blend.strength: 0.5}}, got {value}"
        faults.add(value.where.error(error))
        return found
    for key, item in value.items.items():
        with faults.collect():
            found.append(override_of(key, item, value.keys[key]))
    return found
