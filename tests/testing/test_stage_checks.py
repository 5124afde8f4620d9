"""The suite passes span stages that keep the contract, and names the promise others break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vidstyle.core import NOW, BaseStage, Needs, Span, SpanSteps, State
from vidstyle.testing import failed, run_checks

NEEDS = Needs(reads={"image": NOW}, writes=("image",), scope="shot", span=32)


class Centered(BaseStage[Any]):
    """Healthy: the mean of each frame and the next one's result, which is in the scratch file."""

    needs = NEEDS

    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        for position in reversed(range(len(span))):
            image = span[position].host("image")
            if position + 1 < len(span):
                image = (image + span.scratch[position + 1]) / 2
            span.scratch[position] = image
        for position in range(len(span)):
            yield {"image": self.given(span, position, state)}
        return self.after(span)

    def given(self, span: Span[Any], position: int, state: State) -> Any:
        image = span.scratch[position]
        return image if state is None else (image + state["last"]) / 2  # type: ignore[operator]  # an array

    def after(self, span: Span[Any]) -> State:
        return {"last": span[-1].host("image")}


class OnTensors(BaseStage[Any]):
    """Healthy, on the device."""

    needs = Needs(reads={"image": NOW}, writes=("image",), home="device", span=4)

    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        for position, frame in enumerate(span):
            span.scratch[position] = frame.tensor("image") * 0.5
        for position in range(len(span)):
            yield {"image": span.scratch[len(span) - 1 - position]}
        return None


class KeepsItsStateOnSelf(Centered):
    last: Any = None

    def given(self, span: Span[Any], position: int, state: State) -> Any:
        image = span.scratch[position]
        return image if self.last is None else (image + self.last) / 2

    def after(self, span: Span[Any]) -> State:
        self.last = span[-1].host("image")
        return None


class WantsWholeSpans(Centered):
    def given(self, span: Span[Any], position: int, state: State) -> Any:
        return (span[1].host("image") + span[2].host("image")) / 2


class WritesToItsScratch(Centered):
    """A change of what was given to the scratch file is seen in memory, and not on disk."""

    def given(self, span: Span[Any], position: int, state: State) -> Any:
        own = span[position].host("image") * np.float32(0.5)
        span.scratch["own"] = own
        own += np.float32(0.25)
        return span.scratch["own"]


class WritesToItsTensor(OnTensors):
    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        for frame in span:
            yield {"image": frame.tensor("image").mul_(0.9)}
        return None


class LeavesTheRangeInShortSpans(Centered):
    def given(self, span: Span[Any], position: int, state: State) -> Any:
        return span.scratch[position] * np.float32(4 / (1 + len(span)) if len(span) < 2 else 0.5)


class GivesOneTooFew(Centered):
    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        for frame in tuple(span)[1:]:
            yield {"image": frame.host("image")}
        return None


class ReusesItsBuffer(Centered):
    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        buffer = np.zeros_like(span[0].host("image"))
        for frame in span:
            np.copyto(buffer, frame.host("image"))
            yield {"image": buffer}
        return None


class StaysBusyWhenLeft(Centered):
    """Does not see that it was left: the mark is taken off at the end only."""

    busy = False

    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        factor = np.float32(0.5 if self.busy else 1)
        self.busy = True
        for frame in span:
            yield {"image": frame.host("image") * factor}
        self.busy = False
        return None


class Undeclared(Centered):
    needs = Needs(reads={"image": NOW}, writes=("image",))


@pytest.mark.parametrize("stage", [Centered, OnTensors])
def test_a_healthy_span_stage_passes_every_check(stage: type[Any]) -> None:
    assert failed(run_checks(stage)) == {}


@pytest.mark.parametrize(
    ("stage", "promise", "words"),
    [
        (KeepsItsStateOnSelf, "restart_at_any_frame_equals_the_whole", "after frame 1"),
        (KeepsItsStateOnSelf, "a_cut_resets_the_stage", "shot 1"),
        (WantsWholeSpans, "spans_of_any_length_work", "IndexError"),
        (WritesToItsScratch, "frames_on_disk_give_the_same", "from disk differs at frame 0"),
        (WritesToItsTensor, "inputs_are_not_changed", "frame 0's layer image in the span"),
        (LeavesTheRangeInShortSpans, "spans_of_any_length_work", "leaves [0, 1]"),
        (GivesOneTooFew, "order_count_and_times_are_kept", "gave 3 frames for a span of 4"),
        (ReusesItsBuffer, "outputs_are_not_changed_later", "layer image at frame 0"),
        (StaysBusyWhenLeft, "a_span_may_be_left_early", "given up differs"),
        (Undeclared, "one_frame_clip_works", "Needs(span=...)"),
    ],
)
def test_a_broken_promise_is_named(stage: type[Any], promise: str, words: str) -> None:
    assert words in failed(run_checks(stage))[promise]


def test_only_the_broken_promise_is_named() -> None:
    assert set(failed(run_checks(StaysBusyWhenLeft))) <= {
        "a_span_may_be_left_early",
        "two_open_stages_do_not_meet",
    }
    assert set(failed(run_checks(WritesToItsScratch))) == {"frames_on_disk_give_the_same"}
