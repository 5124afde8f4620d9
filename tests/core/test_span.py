"""What a span is, and that the stage in its documentation works."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import numpy as np
import pytest

import vidstyle.core
from vidstyle.core import NOW, Frame, Needs, Reach, Span, SpanStage, StageOptions
from vidstyle.testing import failed, run_checks


def span_of(levels: list[float]) -> Span[StageOptions]:
    frames = tuple(
        Frame(index, index, 1, {"image": np.full((4, 6, 3), level, np.float32)})
        for index, level in enumerate(levels)
    )
    return Span(frames, (StageOptions(),) * len(frames))


def test_frames_are_read_in_any_order_and_again() -> None:
    span = span_of([0.1, 0.2, 0.3])
    assert [span[position].index for position in (2, 0, -1, 0)] == [2, 0, 2, 0]
    assert [frame.index for frame in span] == [frame.index for frame in span] == [0, 1, 2]
    assert len(span) == 3
    with pytest.raises(IndexError):
        span[3]


def test_scratch_files_belong_to_one_span() -> None:
    span, other = span_of([0]), span_of([0])
    span.scratch["own", 0] = np.ones((2, 2), np.float32)
    assert span.scratch["own", 0].sum() == 4
    with pytest.raises(KeyError):
        other.scratch["own", 0]


@pytest.mark.parametrize("options", [0, 2])
def test_a_span_has_frames_and_as_many_options(options: int) -> None:
    with pytest.raises(ValueError, match=f"got 1 and {options}"):
        Span(span_of([0]).frames, (StageOptions(),) * options)
    with pytest.raises(ValueError, match="got 0 and 0"):
        Span((), ())


def test_a_span_has_a_length_and_no_window_besides() -> None:
    with pytest.raises(ValueError, match="at least 1 frame, got 0"):
        Needs(span=0)
    with pytest.raises(ValueError, match="what is behind it is state"):
        Needs(reads={"image": Reach(behind=1)}, span=8)
    assert Needs(reads={"image": NOW}, span=8).span == 8


def documented() -> type[Any]:
    """The stage in the documentation of ``SpanStage``, as a reader would copy it."""
    text = textwrap.dedent(inspect.getdoc(SpanStage).split("::\n", 1)[1])  # type: ignore[union-attr]  # it has one
    names: dict[str, Any] = {**vars(vidstyle.core), "np": np}
    exec(text, names)
    stage: type[Any] = names["EvenLight"]
    return stage


def test_the_documented_stage_keeps_the_contract() -> None:
    assert failed(run_checks(documented())) == {}


def test_the_documented_stage_does_what_it_says() -> None:
    stage = documented()(StageOptions())
    steps, levels = stage.step_span(span_of([0.2, 0.4, 0.6]), None), []
    with pytest.raises(StopIteration) as end:
        while True:
            levels.append(float(next(steps)["image"].mean()))
    assert levels == pytest.approx([0.4, 0.4, 0.4])
    [later] = stage.step_span(span_of([0.9]), end.value.value)
    assert float(later["image"].mean()) == pytest.approx(0.4)
