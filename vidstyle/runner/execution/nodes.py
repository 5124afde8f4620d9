"""The node that belongs to a stage, by the form of the stage."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TypeAlias, cast

from vidstyle.core.clip import Clip
from vidstyle.core.plan import PlannedStage
from vidstyle.core.span import SpanStage
from vidstyle.core.stage import AnyStage, Stage
from vidstyle.runner.config.keyframes import Keyed
from vidstyle.runner.execution.batch_node import BatchNode
from vidstyle.runner.execution.checkpoints import Checkpoints
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.recall import Recall
from vidstyle.runner.execution.span_node import SpanNode
from vidstyle.runner.plan.guard import Guard, close_with

AnyNode: TypeAlias = Node | SpanNode


def make_node(
    planned: PlannedStage,
    stage: AnyStage,
    entry: Keyed,
    *,
    budget: int | None = None,
    checkpoints: Checkpoints | None = None,
    recall: Recall | None = None,
) -> AnyNode:
    """Make the node that runs the stage: frame by frame, in batches, or span by span.

    Args:
        planned: The stage's part of the plan.
        stage: The opened stage.
        entry: Its options over time.
        budget: Memory for a span in bytes; None leaves it to the plan's rule.
        checkpoints: Gathers the stage's state before frames at which a run may resume.
        recall: Knows steps that were computed before; for stages that step.
    """
    if planned.needs.span is not None:
        spanning = cast("SpanStage", stage)
        return SpanNode(planned, spanning, entry, budget=budget, checkpoints=checkpoints)
    kind = BatchNode if planned.context.batch > 1 else Node
    return kind(planned, cast("Stage", stage), entry, checkpoints=checkpoints, recall=recall)


def open_node(
    stack: ExitStack,
    planned: PlannedStage,
    stage: AnyStage,
    entry: Keyed,
    clip: Clip,
    *,
    checkpoints: Checkpoints | None = None,
    recall: Recall | None = None,
) -> AnyNode:
    """Open a stage, and make its node; the stack closes both.

    Args:
        stack: Closes the stage also where it could not be opened.
        planned: The stage's part of the plan.
        stage: Not opened yet.
        entry: Its options over time.
        clip: As it arrives at the stage.
        checkpoints: As ``make_node`` takes them.
        recall: Likewise.

    Returns:
        The node.
    """
    close_with(stack, planned.name, stage.close)
    Guard(planned.name)(None, stage.open, clip, planned.context)
    node = make_node(planned, stage, entry, checkpoints=checkpoints, recall=recall)
    stack.callback(node.close)
    return node
