"""Stages that see reduced frames, between ``geometry/reduce`` and ``geometry/restore``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vidstyle.runner.config.changes import TypedStrokes
from vidstyle.runner.config.pipeline_file import WrittenPipeline
from vidstyle.runner.config.stage_list import WrittenStage, insert_stage, stage_of_values
from vidstyle.runner.config.yaml_values import Where

_REDUCE, _RESTORE = "geometry/reduce", "geometry/restore"
_STYLIZER = "stylize/feedforward"
# The largest that a size of strokes may be: others are found when options are validated.
_LARGEST = 32
# Of a stylizer: what mixes its image with the one that it was given.
_MIXING = ("strength", "mask", "invert_mask")


def with_larger_strokes(written: WrittenPipeline, given: TypedStrokes) -> WrittenPipeline:
    """Let the stages from flow to blend work on reduced frames, where strokes get larger.

    The option of the stylizer is changed elsewhere. A pipeline without a blend, or with other
    stages between these, stays as it is: it stylizes at a smaller size, and the rest at full size.

    Raises PipelineError where the name of an added stage is taken.
    """
    stages, where = written.stages, Where(given.typed)
    most = _factor(given.size)
    options = {} if most is None else {"most": most}
    there = [stage for stage in stages if stage.use == _REDUCE]
    if there:
        changed = _with_values(there[0], options, where)
        return replace(written, stages=_replaced(stages, there[0], changed))
    block = _block(stages)
    if block is None or most == 1:
        return written
    reduce, restore = (
        replace(stage_of_values(use, values, where), name="")
        for use, values in ((_REDUCE, options), (_RESTORE, {}))
    )
    stages = insert_stage(stages, restore, block[1] + 1)
    return replace(written, stages=insert_stage(stages, reduce, block[0]))


def mix_at_full_size(written: WrittenPipeline) -> WrittenPipeline:
    """Let ``geometry/restore`` mix image and source where the stylizer before it was to.

    Mixed at the smaller size, the source would not come out as it was.

    Raises PipelineError where an option is set at both.
    """
    stages = written.stages
    uses = [stage.use for stage in stages]
    if not {_REDUCE, _RESTORE} <= set(uses):
        return written
    first, last = uses.index(_REDUCE), uses.index(_RESTORE)
    inside = [stage for stage in stages[first:last] if stage.use == _STYLIZER]
    if len(inside) != 1:
        return written
    stylizer, restore = inside[0], stages[last]
    moved = restore.options
    for option in _MIXING:
        if option not in stylizer.options.items:
            continue
        where = stylizer.options.keys[option]
        if option in moved.items:
            raise where.error(
                f"{option} is set at the stages {stylizer.name} and {restore.name}; leave one out"
            )
        moved = moved.with_item(option, stylizer.options.items[option], where)
    rest = replace(stylizer, options=stylizer.options.without(*_MIXING))
    stages = _replaced(stages, restore, replace(restore, options=moved))
    return replace(written, stages=_replaced(stages, stylizer, rest))


def _factor(size: str) -> float | None:
    """By what frames may be reduced for strokes of that size; None for any factor."""
    try:
        number = float(size)
    except ValueError:
        return None if size == "auto" else 1
    return number if 1 < number <= _LARGEST else 1


def _block(stages: Sequence[WrittenStage]) -> tuple[int, int] | None:
    """The first and the last of the stages that find motion, stylize and blend, in one piece."""
    kinds = [stage.kind for stage in stages]
    first = next((at for at, kind in enumerate(kinds) if kind in ("shots", "flow")), None)
    if first is None or "blend" not in kinds[first:]:
        return None
    last = kinds.index("blend", first)
    inside = stages[first : last + 1]
    fits = all(stage.kind in ("shots", "flow", "stylize", "blend") for stage in inside)
    stylizers = [stage.use for stage in inside if stage.kind == "stylize"]
    return (first, last) if fits and stylizers == [_STYLIZER] else None


def _with_values(stage: WrittenStage, values: dict[str, float], where: Where) -> WrittenStage:
    options = stage.options
    for name, value in stage_of_values(stage.use, values, where).options.items.items():
        options = options.with_item(name, value, where)
    return replace(stage, options=options)


def _replaced(
    stages: tuple[WrittenStage, ...], old: WrittenStage, new: WrittenStage
) -> tuple[WrittenStage, ...]:
    return tuple(new if stage is old else stage for stage in stages)
