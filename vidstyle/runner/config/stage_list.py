"""The ``stages`` of a pipeline as written: their order and names; options are not validated.

A pipeline that extends another has stages beside the inherited ones by ``add``: a list of
``{before: encode, stages: [...]}`` or ``{after: decode, stages: [...]}``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.runner.config.yaml_values import (
    Where,
    YamlList,
    YamlMap,
    YamlScalar,
    YamlValue,
    from_plain,
)

# The name of a stage: ``kind/name``.
USE = re.compile(r"[a-z][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")
# The values of ``as:``.
NAME = re.compile(r"[a-z][a-z0-9_-]*")
FIRST, LAST = "decode", "encode"
# ``--set inputs.mask=…`` sets a side input.
_RESERVED = "inputs"
_ADDITION = "{before: encode, stages: [use: filter/keep-colors]}"
_ADDITION_KEYS = ("before", "after", "stages")


@dataclass(frozen=True, slots=True)
class WrittenStage:
    """One item of ``stages``."""

    name: str
    """``as:``, or the kind; ``kind-1``, ``kind-2`` where several of a kind have no ``as:``."""
    use: str
    options: YamlMap
    """All other keys."""
    where: Where
    """The position of the value of ``use:``."""

    @property
    def kind(self) -> str:
        """The part of ``use`` before the slash."""
        return self.use.split("/")[0]


def read_stages(value: YamlValue, faults: Faults) -> tuple[WrittenStage, ...]:
    """The stages in order, each with a unique name, from decode to encode.

    ``faults`` gets the error of an item that is no stage, a wrong order and a name that is used
    twice. Raises PipelineError where there is no stage.
    """
    if not isinstance(value, YamlList) or not value.items:
        raise value.where.error(f"stages wants a list such as `- use: decode/pyav`, got {value}")
    read: list[WrittenStage] = []
    for item in value.items:
        with faults.collect():
            read.append(_read_stage(item))
    stages = _with_names(read)
    # An item that could not be read may have been what is missing.
    if len(read) == len(value.items):
        with faults.collect():
            _check_ends(stages)
        with faults.collect():
            _check_names(stages)
    return stages


def add_stages(
    value: YamlValue, stages: tuple[WrittenStage, ...], faults: Faults
) -> tuple[WrittenStage, ...]:
    """The stages with those of an ``add``, item by item: a later one may name an earlier one.

    ``faults`` gets the error of an item of a wrong form, with a stage that is not there, or with a
    name that is taken. Raises PipelineError where there is no list.
    """
    if not isinstance(value, YamlList):
        raise value.where.error(f"add wants a list of {_ADDITION}, got {value}")
    for item in value.items:
        with faults.collect():
            stages = _with_addition(item, stages)
    return stages


def _with_addition(item: YamlValue, stages: tuple[WrittenStage, ...]) -> tuple[WrittenStage, ...]:
    if not isinstance(item, YamlMap):
        raise item.where.error(f"an item of add is written {_ADDITION}, got {item}")
    for key, where in item.keys.items():
        if key not in _ADDITION_KEYS:
            hint = did_you_mean(key, _ADDITION_KEYS)
            raise where.error(f"an item of add has no key {abbreviate(key)}.{hint}")
    sides = [key for key in ("before", "after") if key in item.items]
    if len(sides) != 1 or "stages" not in item.items:
        raise item.where.error(
            f"an item of add wants stages, and before or after, as in {_ADDITION}"
        )
    written, beside = item.items["stages"], item.items[sides[0]]
    if not isinstance(written, YamlList) or not written.items:
        raise written.where.error(f"stages wants a list such as `- use: flow/dis`, got {written}")
    name = _text(beside)
    if name is None:
        raise beside.where.error(f"{sides[0]} wants the name of a stage, got {beside}")
    at = stages.index(find_stage(stages, name, beside.where)) + (sides[0] == "after")
    if not 0 < at < len(stages):
        raise beside.where.error(f"no stage can be {sides[0]} {abbreviate(name)}; move this one")
    for number, stage in enumerate(map(_read_stage, written.items)):
        stages = insert_stage(stages, stage, at + number)
    return stages


def insert_stage(
    stages: tuple[WrittenStage, ...], added: WrittenStage, at: int
) -> tuple[WrittenStage, ...]:
    """The stages with one more at that position; the names of the others stay.

    Without ``as:`` its name is the part of ``use`` behind the slash. Raises PipelineError for a
    source or sink, and where the name is taken.
    """
    if added.kind in (FIRST, LAST):
        raise added.where.error(f"{added.use} cannot be added; a pipeline has one {added.kind}")
    added = replace(added, name=added.name or added.use.partition("/")[2])
    if any(added.name in (stage.name, stage.kind) for stage in stages):
        raise added.where.error(
            f"the name {abbreviate(added.name)} is taken by another stage or is its kind;"
            " give one of them another `as:`"
        )
    return (*stages[:at], added, *stages[at:])


def find_stage(stages: Sequence[WrittenStage], name: str, where: Where) -> WrittenStage:
    """The stage of that name, or the only one of that kind.

    Raises PipelineError where there is none, or more than one of the kind.
    """
    by_name = [stage for stage in stages if stage.name == name]
    found = by_name or [stage for stage in stages if stage.kind == name]
    if len(found) > 1:
        names = ", ".join(stage.name for stage in found)
        raise where.error(f"{name} may be any of {names}; name one of them")
    if not found:
        names = did_you_mean(name, [stage.name for stage in stages])
        raise where.error(f"the pipeline has no stage {abbreviate(name)}.{names}")
    return found[0]


def stage_of_values(use: str, options: Mapping[str, Any], where: Where) -> WrittenStage:
    """A stage with options that were not read from a file; ``where`` begins error messages."""
    written = from_plain(options, where)
    assert isinstance(written, YamlMap)
    return WrittenStage(use.split("/")[0], use, written, where)


def _read_stage(item: YamlValue) -> WrittenStage:
    if not isinstance(item, YamlMap):
        raise item.where.error(f"a stage is written `- use: kind/name`, got {item}")
    use = item.items.get("use")
    if use is None:
        raise item.where.error("a stage needs the key use, as in `use: flow/dis`")
    text = _text(use)
    if text is None or not USE.fullmatch(text):
        raise use.where.error(f"use wants kind/name, as in `use: flow/dis`, got {use}")
    return WrittenStage(_own_name(item), text, item.without("use", "as"), use.where)


def _own_name(item: YamlMap) -> str:
    value = item.items.get("as")
    if value is None:
        return ""
    text = _text(value)
    if text is None or not NAME.fullmatch(text):
        raise value.where.error(f"as wants a name of a-z, 0-9, _ and -, got {value}")
    if text == _RESERVED:
        raise value.where.error(f"the name {text} is reserved for side inputs; choose another")
    return text


def _text(value: YamlValue) -> str | None:
    return value.value if isinstance(value, YamlScalar) and isinstance(value.value, str) else None


def _with_names(stages: Sequence[WrittenStage]) -> tuple[WrittenStage, ...]:
    """Names for stages without ``as:``: the kind, numbered where it occurs more than once."""
    kinds = Counter(stage.kind for stage in stages)
    unnamed: Counter[str] = Counter()
    named = []
    for stage in stages:
        if stage.name:
            named.append(stage)
            continue
        unnamed[stage.kind] += 1
        number = f"-{unnamed[stage.kind]}" if kinds[stage.kind] > 1 else ""
        named.append(replace(stage, name=f"{stage.kind}{number}"))
    return tuple(named)


def _check_ends(stages: Sequence[WrittenStage]) -> None:
    for number, stage in enumerate(stages, 1):
        wanted = {FIRST: 1, LAST: len(stages)}.get(stage.kind)
        if wanted not in (None, number):
            position = "first" if stage.kind == FIRST else "last"
            raise stage.where.error(
                f"{stage.use} is stage {number} of {len(stages)}, but a stage of kind"
                f" {stage.kind} is the {position} one; move or remove it"
            )
    for stage, kind, position in ((stages[0], FIRST, "first"), (stages[-1], LAST, "last")):
        if stage.kind != kind:
            raise stage.where.error(
                f"the {position} stage must be of kind {kind}, got {stage.use};"
                f" put `- use: {kind}/pyav` there"
            )


def _check_names(stages: Sequence[WrittenStage]) -> None:
    for stage in stages:
        others = [other for other in stages if other is not stage]
        taken = {other.name for other in others} | {other.kind for other in others}
        by_kind = stage.name == stage.kind not in [other.kind for other in others]
        if stage.name in taken and not by_kind:
            raise stage.where.error(
                f"the name {abbreviate(stage.name)} is taken by another stage or is its kind;"
                " give this stage another `as:`"
            )
