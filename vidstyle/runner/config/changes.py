"""Changes of a pipeline: what ``set`` in a file and the options of the command line make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from vidstyle.runner.config.suggest import abbreviate
from vidstyle.runner.config.yaml_file import parse_value
from vidstyle.runner.config.yaml_values import Where, YamlValue


@dataclass(frozen=True, slots=True)
class Override:
    """One option of one stage, and its new value."""

    stage: str
    """A stage's name, or a kind that only one stage has."""
    option: str
    value: YamlValue
    where: Where


@dataclass(frozen=True, slots=True)
class TypedStage:
    """A stage that an option of the command line stands for."""

    use: str
    """``kind/name``; its name in the pipeline is the part behind the slash."""
    options: Mapping[str, Any]
    typed: str
    """As the user wrote it, such as ``--size 720p``; messages begin with it."""
    first: bool
    """Whether it comes right behind the source, or before the sink."""


@dataclass(frozen=True, slots=True)
class TypedOverride:
    """An override that the user gave by another word than ``--set``."""

    text: str
    """``stage.option=value``, where the value is YAML."""
    typed: str
    """As the user wrote it, such as ``--strength 0.5``; messages begin with it."""


@dataclass(frozen=True, slots=True)
class TypedStrokes:
    """A size of the strokes."""

    size: str
    """``auto``, or a number as the user wrote it."""
    typed: str
    """As the user wrote it, such as ``--stroke-size auto``; messages begin with it."""

    @property
    def override(self) -> TypedOverride:
        """The option of the stylizer."""
        return TypedOverride(f"stylize.stroke_size={self.size}", self.typed)


Change: TypeAlias = str | TypedOverride | TypedStage | TypedStrokes
"""What the command line changes in a pipeline; text is the argument of ``--set``."""


def parse_override(given: str | TypedOverride) -> Override:
    """The argument of ``--set``: stage.option=value, where the value is YAML.

    Raises PipelineError with what was typed in its message.
    """
    text = given if isinstance(given, str) else given.text
    where = Where(f"--set {abbreviate(text)}" if isinstance(given, str) else given.typed)
    target, equals, value = text.partition("=")
    if not equals:
        raise where.error("an override is written stage.option=value")
    if not value.strip():
        raise where.error("no value after =; write null for none, or '' for empty text")
    return override_of(target.strip(), parse_value(value, where), where)


def override_of(target: str, value: YamlValue, where: Where) -> Override:
    """What ``stage.option`` is set to. Raises PipelineError for another form of the target."""
    stage, dot, option = target.partition(".")
    if not (stage and dot and option):
        raise where.error(f"an override names stage.option, got {abbreviate(target) or 'nothing'}")
    return Override(stage, option, value, where)
