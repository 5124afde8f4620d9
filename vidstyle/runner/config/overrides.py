"""Options changed from outside: ``--set blend.strength=0.5``, and ``set:`` in a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.suggest import did_you_mean, shown
from vidstyle.runner.config.yaml_file import parse_value
from vidstyle.runner.config.yaml_values import Where, YamlMap, YamlValue


@dataclass(frozen=True, slots=True)
class Override:
    """One option of one stage, and its new value."""

    stage: str
    """A stage's name, or a kind that only one stage has."""
    option: str
    value: YamlValue
    where: Where


def parse_override(text: str) -> Override:
    """What ``--set`` was given: stage.option=value, the value as YAML.

    Raises PipelineError that repeats the text.
    """
    where = Where(f"--set {shown(text)}")
    target, equals, value = text.partition("=")
    if not equals:
        raise where.error("an override is written stage.option=value")
    if not value.strip():
        raise where.error("no value after =; write null for none, or '' for empty text")
    return _override(target.strip(), parse_value(value, where), where)


def read_overrides(value: YamlValue) -> tuple[Override, ...]:
    """The ``set:`` of a pipeline that extends another. Raises PipelineError for another form."""
    if not isinstance(value, YamlMap):
        raise value.where.error(f"set wants a mapping such as {{blend.strength: 0.5}}, got {value}")
    return tuple(_override(key, item, value.keys[key]) for key, item in value.items.items())


def _override(target: str, value: YamlValue, where: Where) -> Override:
    stage, dot, option = target.partition(".")
    if not (stage and dot and option):
        raise where.error(f"an override names stage.option, got {shown(target) or 'nothing'}")
    return Override(stage, option, value, where)


def override(stages: Sequence[WrittenStage], change: Override) -> tuple[WrittenStage, ...]:
    """The stages with one option changed.

    Raises PipelineError where the stage is unknown or several could be meant. Whether the
    option exists is seen when the options are validated.
    """
    target = _target(stages, change)
    options = target.options.having(change.option, change.value, change.where)
    changed = replace(target, options=options)
    return tuple(changed if stage is target else stage for stage in stages)


def _target(stages: Sequence[WrittenStage], change: Override) -> WrittenStage:
    named = [stage for stage in stages if stage.name == change.stage]
    meant = named or [stage for stage in stages if stage.kind == change.stage]
    if len(meant) > 1:
        names = ", ".join(stage.name for stage in meant)
        raise change.where.error(f"{change.stage} may be any of {names}; name one of them")
    if not meant:
        names = did_you_mean(change.stage, [stage.name for stage in stages])
        raise change.where.error(f"the pipeline has no stage {shown(change.stage)}.{names}")
    return meant[0]
