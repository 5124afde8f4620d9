"""The node that belongs to a stage, by the form of the stage."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias, cast

from vidstyle.core.errors import PluginError
from vidstyle.core.options import StageOptions
from vidstyle.core.plan import PlannedStage
from vidstyle.core.span import SpanStage
from vidstyle.core.stage import AnyStage, Stage
from vidstyle.runner.execution.batch_node import BatchNode
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.recall import Recall
from vidstyle.runner.execution.span_node import SpanNode

AnyNode: TypeAlias = Node | SpanNode


def make_node(
    planned: PlannedStage,
    stage: AnyStage,
    options_at: Callable[[Fraction], StageOptions],
    *,
    budget: int | None = None,
    recall: Recall | None = None,
) -> AnyNode:
    """A node that runs the stage frame by frame, or span by span where it declares spans.

    ``budget`` is the memory for a span in bytes; None leaves it to the plan's rule. ``recall`` is
    for stages that step.
    """
    if planned.needs.span is None:
        kind = BatchNode if planned.context.batch > 1 else Node
        return kind(planned, cast("Stage", stage), options_at, recall)
    return SpanNode(planned, cast("SpanStage", stage), options_at, budget=budget)


def check_form(name: str, stage: AnyStage) -> None:
    """Raise PluginError where the stage's method and its declaration are of two forms."""
    by_spans = callable(getattr(stage, "step_span", None))
    if by_spans and stage.needs.span is None:
        raise PluginError(
            f"stage {name} has step_span, but declares no spans; set Needs(span=...) to the"
            " number of frames that it gets at most"
        )
    if callable(getattr(stage, "step_many", None)) and stage.needs.scope != "none":
        raise PluginError(f"stage {name} has step_many, but keeps a state; leave one of them out")
    if not by_spans and stage.needs.span is not None:
        raise PluginError(f"stage {name} declares spans, but has no step_span")
