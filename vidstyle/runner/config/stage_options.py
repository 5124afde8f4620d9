"""A stage's options: from written values to the stage's model, or one error message.

Types are strict, as in JSON: text that looks like a number is text, a whole number is a valid
number, true is no number. A relative ``pathlib.Path`` counts from the folder of the file that it
is written in, or from the current folder in ``--set``. The same holds for the file of an option
that takes a layer or a file; the value of that option is then the name of the file's layer. Other
text that names a file there, such as a style or weights, is that file's path.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from vidstyle.core.errors import PluginError
from vidstyle.core.options import StageOptions, is_mix, may_be_file, may_be_keyframed
from vidstyle.core.paths import is_file, may_be_path
from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.keyframes import AT, Keyframes, align_mixes
from vidstyle.runner.config.option_errors import option_errors
from vidstyle.runner.config.plugin_lines import describe_error, plugin_line
from vidstyle.runner.config.side_inputs import SideInput, read_option
from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.suggest import abbreviate
from vidstyle.runner.config.times import TIME_EXAMPLES, seconds_of
from vidstyle.runner.config.yaml_values import (
    Where,
    YamlList,
    YamlMap,
    YamlScalar,
    YamlValue,
    to_plain,
)

_FORM = "{at: {0s: 0, 2s: 1}}"

Points: TypeAlias = tuple[tuple[Fraction, YamlValue], ...]
"""Seconds and the written value there, in order of time."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options that their model has accepted."""

    values: StageOptions
    """Keyframed ones have their first value here."""
    keyframes: Mapping[str, Keyframes]
    inputs: tuple[SideInput, ...] = ()
    """Files that options name and that become layers."""


def read_options(stage: WrittenStage, model: type[StageOptions]) -> ReadOptions:
    """Validate the written options of a stage. Raises PipelineError with a line for each fault."""
    stage = replace(stage, options=_with_paths(stage.options))
    faults, points = Faults(), {}
    written = stage.options
    unread: set[str] = set()
    for name, value in stage.options.items.items():
        if isinstance(value, YamlMap) and _has_keyframes(model, name, value):
            written = written.without(name)
            unread.add(name)
            with faults.collect():
                points[name] = read_points(value, f"stage {stage.name}: option {name}")
                written = written.with_item(name, points[name][0][1], stage.options.keys[name])
                unread.remove(name)
    with faults.collect():
        values = _validate(stage, model, written, unread)
    faults.raise_all()
    # Without a fault nothing is unread.
    assert values is not None
    keyframes = {}
    for name, keys in points.items():
        with faults.collect():
            keyframes[name] = _keyframes(stage, model, written, name, keys)
    faults.raise_all()
    # A mix holds every name that it will ever have, so that a stage can load all at the start.
    first = {name: keys.points[0][1] for name, keys in keyframes.items() if is_mix(model, name)}
    inputs = _files(stage, model)
    layers = {option: side.name for option, side in inputs.items()}
    changed = {**first, **layers, **_absolute_paths(values, stage.options)}
    values = values.model_copy(update=changed) if changed else values
    return ReadOptions(values, keyframes, tuple(inputs.values()))


def _with_paths(value: YamlMap) -> YamlMap:
    """The mapping with absolute paths in place of texts that name a file beside what they are in.

    A style may be a name or a file, alone or in a mix: only what lies there decides.
    """
    names: dict[str, str] = {}
    for key, where in value.keys.items():
        name = _path_or_text(key, where)
        if name in names.values():
            raise where.error(f"{abbreviate(key)} is the same file as another one; keep one")
        names[key] = name
    return YamlMap(
        {names[key]: _with_path(item) for key, item in value.items.items()},
        {names[key]: where for key, where in value.keys.items()},
        value.where,
    )


def _with_path(value: YamlValue) -> YamlValue:
    if isinstance(value, YamlMap):
        return _with_paths(value)
    if isinstance(value, YamlList):
        return YamlList(tuple(map(_with_path, value.items)), value.where)
    if not isinstance(value.value, str):
        return value
    return YamlScalar(_path_or_text(value.value, value.where), value.where)


def _path_or_text(text: str, where: Where) -> str:
    # What is typed on the command line counts from the current folder as it is.
    folder = where.folder
    named = folder != Path() and may_be_path(text) and is_file(folder / text)
    return str((folder / text).absolute()) if named else text


def _has_keyframes(model: type[StageOptions], name: str, value: YamlMap) -> bool:
    """Whether it is keyframes; a mix is a mapping itself, and may have a style ``at``."""
    if not _may_change(model, name):
        return False
    return not is_mix(model, name) or isinstance(value.items.get(AT), YamlMap)


def _may_change(model: type[StageOptions], name: str) -> bool:
    return name in model.model_fields and may_be_keyframed(model, name)


def _keyframes(
    stage: WrittenStage, model: type[StageOptions], written: YamlMap, name: str, points: Points
) -> Keyframes:
    """The model validates each value, with its bounds and its checks across options."""
    values: list[tuple[Fraction, Any]] = []
    for time, point in points:
        at_time = written.with_item(name, point, written.keys[name])
        values.append((time, getattr(_validate(stage, model, at_time), name)))
    if is_mix(model, name):
        return Keyframes(align_mixes(values))
    return Keyframes(tuple((time, float(value)) for time, value in values))


def _validate(
    stage: WrittenStage,
    model: type[StageOptions],
    written: YamlMap,
    unread: Collection[str] = (),
) -> StageOptions | None:
    """The options as the model has them.

    None where nothing is wrong but that it needs those ``unread``, whose faults are known.
    """
    faults, values = Faults(), None
    unchanging = _refuse_keyframes(stage, model, written, faults)
    try:
        values = model.model_validate_json(json.dumps(to_plain(unchanging)), strict=True)
    except ValidationError as error:
        found = [
            fault
            for fault in error.errors(include_url=False)
            if fault["type"] != "missing" or fault["loc"][0] not in unread
        ]
        for fault in option_errors(stage, model, unchanging, found):
            faults.add(fault)
    except Exception as error:
        # What a validator of a plugin raises besides ValueError.
        line = plugin_line(error)
        if line is None:
            raise
        raise PluginError(
            f"{stage.where}: stage {stage.name} cannot check its options:"
            f" {describe_error(error)} ({line})"
        ) from error
    faults.raise_all()
    return values


def _refuse_keyframes(
    stage: WrittenStage, model: type[StageOptions], written: YamlMap, faults: Faults
) -> YamlMap:
    """The options without those that would change over time and cannot."""
    for name, value in written.items.items():
        if name in model.model_fields and isinstance(value, YamlMap) and set(value.items) == {AT}:
            able = ", ".join(option for option in model.model_fields if _may_change(model, option))
            faults.add(
                value.where.error(
                    f"stage {stage.name}: option {name} cannot change over time; give one value."
                    f" Options that can: {able or 'none'}"
                )
            )
            written = written.without(name)
    return written


def _files(stage: WrittenStage, model: type[StageOptions]) -> dict[str, SideInput]:
    """By option, the files of options that take a layer or a file."""
    files = {}
    for name, value in stage.options.items.items():
        if isinstance(value, YamlScalar) and may_be_file(model, name):
            side = read_option(stage.name, name, value)
            if side is not None:
                files[name] = side
    return files


def _absolute_paths(options: StageOptions, written: YamlMap) -> dict[str, Path]:
    paths = {}
    for name in options.model_fields_set:
        value = getattr(options, name)
        if isinstance(value, Path):
            paths[name] = (written.items[name].where.folder / value).absolute()
    return paths


def read_points(value: YamlMap, what: str) -> Points:
    """The written keyframes of an option; the values are not validated yet.

    ``what`` names the option in errors. Raises PipelineError for another form or a bad time.
    """
    for key, where in value.keys.items():
        if key != AT:
            raise where.error(f"{what} has no key {abbreviate(key)}; write {_FORM}")
    times = value.items.get(AT)
    if not isinstance(times, YamlMap) or not times.items:
        got = "" if times is None else f", got {times}"
        raise value.where.error(f"{what} wants a number, or {_FORM}{got}")
    points: dict[Fraction, YamlValue] = {}
    for text, point in times.items.items():
        time = parse_time(text, times.keys[text])
        if time in points:
            raise times.keys[text].error(f"{what} has two values at {abbreviate(text)}; keep one")
        if isinstance(point, YamlList):
            raise point.where.error(f"{what} wants a number at {abbreviate(text)}, got {point}")
        points[time] = point
    return tuple(sorted(points.items(), key=lambda point: point[0]))


def parse_time(text: str, where: Where) -> Fraction:
    """Seconds, exact. Raises PipelineError where the text is not a time."""
    seconds = seconds_of(text)
    if seconds is None:
        raise where.error(f"{abbreviate(text)} is not a time; write {TIME_EXAMPLES}")
    return seconds
