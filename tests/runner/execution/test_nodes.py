"""Which node a stage gets, what is refused, and what the plan says of spans."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Needs,
    PlannedStage,
    Span,
    SpanSteps,
    StageOptions,
    State,
)
from vidstyle.core.errors import PipelineError, PluginError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import TimedOptions
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.nodes import make_node
from vidstyle.runner.execution.span_node import SpanNode
from vidstyle.runner.plan.assembly import assemble
from vidstyle.runner.plan.resolve import make_plan
from vidstyle.runner.plan.wiring import SPAN_MEMORY, Wire, check_wiring

CLIP = Clip(100, 50, Fraction(1, 25), Fraction(25))
IMAGE = 4 * 3 * 100 * 50


class Spanning(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW, "source": NOW}, writes=("image",), span=16)

    def step_span(self, span: Span[StageOptions], state: State) -> SpanSteps:
        yield from ()
        return None


class Undeclared(Spanning):
    needs = Needs(reads={"image": NOW}, writes=("image",))


class Stepping(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW}, writes=("image",), span=16)

    def step(self, window: Any, state: State) -> Any: ...


class Sink:
    needs = Needs(reads={"image": NOW})

    def __init__(self, options: StageOptions) -> None: ...

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 0

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return StageOptions()


def plan_of(stage: type[BaseStage[StageOptions]], clip: Clip = CLIP) -> Any:
    entries = tuple(
        StageEntry(kind, f"{kind}/test", kind, cls, StageOptions())
        for kind, cls in (("decode", object), ("filter", stage), ("encode", Sink))
    )
    pipeline = Pipeline(1, entries, Path("p.yaml"))
    return make_plan(assemble(pipeline, None, clip))  # type: ignore[arg-type]  # it is not asked


@pytest.mark.parametrize("span", [None, 4])
def test_the_declaration_decides_the_form(span: int | None) -> None:
    needs = replace(Spanning.needs, span=span)
    planned = PlannedStage("filter", "filter/test", {}, needs, ExecutionContext(), CLIP, (), 0)
    node = make_node(planned, Spanning(StageOptions()), TimedOptions(StageOptions()))
    assert type(node) is (Node if span is None else SpanNode)


def test_a_span_stage_without_a_declaration_is_refused_before_a_run() -> None:
    with pytest.raises(PluginError, match=r"stage filter has step_span, but .* Needs\(span="):
        plan_of(Undeclared)


def test_a_declaration_without_the_method_is_refused_before_a_run() -> None:
    with pytest.raises(PluginError, match="stage filter declares spans, but has no step_span"):
        plan_of(Stepping)


def test_memory_counts_the_frames_of_a_span_and_as_much_for_the_scratch_file() -> None:
    stage = plan_of(Spanning).stages[0]
    # A span of image and source, twice; a frame in work, whose source is its image; two images
    # that wait.
    assert stage.memory == 2 * 16 * 2 * IMAGE + IMAGE + 2 * IMAGE


def test_memory_for_spans_has_an_end() -> None:
    large = replace(CLIP, width=4096, height=2304)
    image = 4 * 3 * 4096 * 2304
    stage = plan_of(Spanning, large).stages[0]
    assert 2 * 16 * 2 * image > SPAN_MEMORY
    assert stage.memory == SPAN_MEMORY + 3 * image


def test_who_needs_flow_in_both_directions_reads_the_option_in_the_error() -> None:
    needs = Needs(reads={"image": NOW, "visible_from_previous": NOW}, writes=("image",), span=8)
    sink = Wire("encode", "encode", Sink.needs)
    with pytest.raises(PipelineError, match=r"blend reads .* flow/dis with `directions: both`"):
        check_wiring([Wire("blend", "blend", needs), sink], CLIP)


PLUGIN = """
from vidstyle.core import NOW, BaseStage, Needs, StageOptions
class Twice(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW}, writes=("image",), span=8)
    def METHOD(self, span, state):
        yield from ()
STAGE = Twice
"""


def test_a_plugin_may_have_either_form_and_must_have_one(tmp_path: Path) -> None:
    (tmp_path / "filter").mkdir()
    file = tmp_path / "filter" / "twice.py"
    file.write_text(PLUGIN.replace("METHOD", "step_span"))
    assert Registry([tmp_path]).find("filter/twice").__name__ == "Twice"
    file.write_text(PLUGIN.replace("METHOD", "step_spans"))
    with pytest.raises(PluginError, match="Twice lacks step, "):
        Registry([tmp_path]).find("filter/twice")
