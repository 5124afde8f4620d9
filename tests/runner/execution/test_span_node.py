"""Spans, states and checks of one span stage at work."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    HostArray,
    Needs,
    PlannedStage,
    Reach,
    Span,
    SpanSteps,
    StageOptions,
    State,
    keyframed,
)
from vidstyle.core.errors import DeviceError, StageError
from vidstyle.runner.config.keyframes import Keyframes, TimedOptions
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.execution.span_node import SpanNode
from vidstyle.runner.execution.threaded import run_threaded
from vidstyle.runner.storage.checkpoint import StageState

WIDTH, HEIGHT = 40, 32
CLIP = Clip(WIDTH, HEIGHT, Fraction(1, 25))
GOOD = np.zeros((HEIGHT, WIDTH, 3), np.float32)
KEPT = ("image", "source", "own")


class AmountOptions(StageOptions):
    amount: float = keyframed(0.0)


def node_of(stage: Any, *, keeps: tuple[str, ...] = KEPT, budget: int | None = None) -> SpanNode:
    planned = PlannedStage(
        "filter", "filter/test", {}, stage.needs, ExecutionContext(), CLIP, keeps, memory=0
    )
    rising = Keyframes(((Fraction(0), 0.0), (Fraction(100), 100.0)))
    return SpanNode(
        planned, stage, TimedOptions(AmountOptions(), {"amount": rising}), budget=budget
    )


def frame_of(index: int, shot: int = 0, chunk: int = 0) -> Frame:
    image = np.random.default_rng(index).random((HEIGHT, WIDTH, 3), dtype=np.float32)
    layers = {"image": image, "source": 1 - image, "unread": image}
    return Frame(index, index * 10, 10, layers, shot, chunk, Fraction(index))


def run_node(node: SpanNode, frames: Iterable[Frame]) -> list[Frame]:
    return list(node.run(frames))


def image_of(frame: Frame, name: str = "image") -> HostArray:
    return frame.host(name)


class Watching(BaseStage[AmountOptions]):
    """Notes the spans that it is given, and counts them in its state."""

    def __init__(self, span: int, *, scope: str = "shot", reads: Any = None) -> None:
        super().__init__(AmountOptions())
        self.needs = Needs(
            reads=reads or {"image": NOW},
            writes=("own",),
            scope=scope,
            span=span,  # type: ignore[arg-type]  # from parametrize
        )
        self.seen: list[list[int]] = []

    def initial_state(self) -> State:
        return {"spans": 0} if self.needs.scope != "none" else None

    def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
        self.seen.append([frame.index for frame in span])
        count = int(state["spans"]) + 1 if state else 0  # type: ignore[arg-type]  # an int at the start
        for _ in span:
            yield {"own": np.asarray([count], np.float32)}
        return {"spans": count} if state else None


def test_spans_end_after_their_length_and_where_shots_and_chunks_end() -> None:
    stage = Watching(3)
    places = [(0, 0)] * 4 + [(1, 0)] * 2 + [(2, 1)] + [(2, 2)] * 4
    out = run_node(node_of(stage), [frame_of(i, *context) for i, context in enumerate(places)])
    assert [frame.index for frame in out] == list(range(11))
    assert [(frame.shot, frame.chunk) for frame in out] == places
    assert stage.seen == [[0, 1, 2], [3], [4, 5], [6], [7, 8, 9], [10]]


@pytest.mark.parametrize(
    ("scope", "wanted"), [("shot", [1, 1, 2, 1, 1, 2]), ("clip", [1, 1, 2, 3, 3, 4])]
)
def test_the_state_goes_on_from_span_to_span_within_its_scope(
    scope: str, wanted: list[int]
) -> None:
    frames = [frame_of(i, shot=i // 3) for i in range(6)]
    out = run_node(node_of(Watching(2, scope=scope)), frames)
    assert [int(image_of(frame, "own")[0]) for frame in out] == wanted


def test_a_state_survives_the_end_of_a_chunk() -> None:
    out = run_node(node_of(Watching(4)), [frame_of(i, chunk=i // 2) for i in range(6)])
    assert [int(image_of(frame, "own")[0]) for frame in out] == [1, 1, 2, 2, 3, 3]


class Mixing(BaseStage[AmountOptions]):
    """Reads frames in all orders, several times, with a scratch file between: a mirror in time."""

    def __init__(self, span: int = 8) -> None:
        super().__init__(AmountOptions())
        self.needs = Needs(
            reads={"image": NOW, "source": Reach(optional=True)}, writes=("image",), span=span
        )

    def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
        for position in reversed(range(len(span))):
            span.scratch["mirrored", position] = span[-1 - position].host("image")
        for position in range(len(span)):
            mirrored = span.scratch["mirrored", position]
            span.scratch["mirrored", position] = (mirrored + span[position].host("image")) / 2
            assert np.array_equal(mirrored, span[-1 - position].host("image"))
        for position in range(len(span)):
            yield {"image": span.scratch["mirrored", position]}
        return None


@pytest.mark.parametrize("budget", [0, 60_000, None])
def test_frames_are_read_in_any_order_from_memory_and_disk(budget: int | None) -> None:
    frames = [frame_of(index) for index in range(6)]
    out = run_node(node_of(Mixing(), budget=budget), frames)
    for frame, other, done in zip(frames, reversed(frames), out, strict=True):
        wanted = (image_of(other) + image_of(frame)) / 2
        np.testing.assert_array_equal(image_of(done), wanted)


@pytest.mark.parametrize("budget", [0, None])
def test_later_stages_get_what_they_read_and_nothing_else(budget: int | None) -> None:
    frames = [frame_of(index) for index in range(3)]
    for keeps in (("image", "source"), ("image",)):
        out = run_node(node_of(Mixing(), keeps=keeps, budget=budget), frames)
        assert {tuple(sorted(frame.layers)) for frame in out} == {keeps}
    again = run_node(node_of(Mixing(), budget=budget), frames)
    for frame, done in zip(frames, again, strict=True):
        np.testing.assert_array_equal(image_of(done, "source"), image_of(frame, "source"))
        assert (done.pts, done.duration, done.time) == (frame.pts, frame.duration, frame.time)


def test_a_stage_sees_the_layers_that_it_declares_and_the_options_of_each_frame() -> None:
    class Looking(Watching):
        def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
            self.shown = [sorted(frame.layers) for frame in span]
            self.amounts = [options.amount for options in span.options]
            return (yield from super().step_span(span, state))

    stage = Looking(8, reads={"image": NOW, "mask": Reach(optional=True)})
    run_node(node_of(stage), [frame_of(2), frame_of(5)])
    assert stage.shown == [["image"], ["image"]]
    assert stage.amounts == [2, 5]


def test_a_node_resumes_from_the_state_of_another_where_a_span_ends() -> None:
    whole = node_of(Watching(2))
    states = [whole.state() for _ in whole.run(map(frame_of, range(4)))]
    assert states[1] == StageState({"spans": 1}, 0, ())
    again = node_of(Watching(2))
    again.restore(states[1])
    out = run_node(again, [frame_of(2), frame_of(3)])
    assert [int(image_of(frame, "own")[0]) for frame in out] == [2, 2]


def test_a_node_has_no_state_until_the_last_frame_of_a_span_is_given() -> None:
    node = node_of(Watching(2))
    states = [node.state() is None for _ in node.run(map(frame_of, range(4)))]
    assert states == [True, False, True, False]


class Giving(BaseStage[AmountOptions]):
    """Yields what it was made with; raises what is an exception."""

    needs = Needs(reads={"image": NOW}, writes=("image",), span=4)

    def __init__(self, *given: Any, state: State = None) -> None:
        super().__init__(AmountOptions())
        self.given, self.state = given, state

    def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
        for layers in self.given:
            if isinstance(layers, BaseException):
                raise layers
            yield layers
        return self.state


DONE = {"image": GOOD}


@pytest.mark.parametrize(
    ("stage", "frame", "complaint"),
    [
        (Giving(DONE, DONE), 9, "gave 2 frames for a span of 3"),
        (Giving(), 7, "gave 0 frames for a span of 3"),
        (Giving(*[DONE] * 4), 9, "gave more frames than its span of 3"),
        (Giving(DONE, {}, DONE), 8, "declared that it writes"),
        (Giving(DONE, DONE, {"image": GOOD + np.float32(np.nan)}), 9, "NaN"),
        (Giving(DONE, {"image": GOOD[1:]}), 8, r"must have shape \(32, 40, 3\)"),
        (Giving(DONE, None), 8, "must be a mapping"),
        (Giving(DONE, KeyError("x")), 8, "KeyError: 'x'"),
        (Giving(DONE, StopIteration()), 8, "RuntimeError"),
        (Giving(DONE, DONE, DONE, OSError("late")), 9, "OSError: late"),
        (Giving(*[DONE] * 3, state={"a": 1}), 9, "its scope is none"),
    ],
)
def test_what_a_stage_must_not_give_names_stage_and_frame(
    stage: Giving, frame: int, complaint: str
) -> None:
    with pytest.raises(StageError, match=f"stage filter, frame {frame}: .*{complaint}"):
        run_node(node_of(stage), [frame_of(index) for index in (7, 8, 9)])


def test_a_method_that_does_not_yield_is_named() -> None:
    class Listing(Giving):
        def step_span(self, span: Span[AmountOptions], state: State) -> Any:
            return [{"image": GOOD} for _ in span], None

    with pytest.raises(StageError, match=r"frame 3: step_span must yield .* gave a tuple"):
        run_node(node_of(Listing()), [frame_of(3)])


def test_running_out_of_memory_is_a_device_error() -> None:
    with pytest.raises(DeviceError, match="stage filter, frame 1: out of memory"):
        run_node(node_of(Giving(DONE, MemoryError())), [frame_of(0), frame_of(1)])


@pytest.mark.parametrize("budget", [0, None])
def test_frames_cannot_be_written_to(budget: int | None) -> None:
    class Mutating(Giving):
        def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
            span[0].host("image")[:] = 0
            yield DONE
            return None

    with pytest.raises(StageError, match="read-only"):
        run_node(node_of(Mutating(), budget=budget), [frame_of(0)])


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts the temporary files that are open now."""
    if not sys.platform.startswith("linux"):
        pytest.skip("open files are listed in /proc, which only Linux has")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def count() -> int:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return sum(link.readlink().is_relative_to(tmp_path) for link in links)

    return count


class Closing(Mixing):
    """Notes whether its generator was ended."""

    def __init__(self, span: int = 8) -> None:
        super().__init__(span)
        self.running = 0

    def step_span(self, span: Span[AmountOptions], state: State) -> SpanSteps:
        self.running += 1
        try:
            return (yield from super().step_span(span, state))
        finally:
            self.running -= 1


def test_nothing_stays_open_after_a_run(temporary: Callable[[], int]) -> None:
    stage = Closing(3)
    node = node_of(stage, budget=0)
    stream = node.run(map(frame_of, range(8)))
    next(stream)
    assert temporary() > 0
    list(stream)
    assert (temporary(), stage.running) == (0, 0)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_nothing_stays_open_when_a_run_is_given_up(
    temporary: Callable[[], int], taken: int
) -> None:
    stage = Closing(4)
    node = node_of(stage, budget=0)
    stream = node.run(map(frame_of, range(7)))
    out = [next(stream) for _ in range(taken)]
    stream.close()
    node.close()
    node.close()
    del out
    assert (temporary(), stage.running) == (0, 0)


@pytest.mark.parametrize("position", [1, 3, 5])
def test_nothing_stays_open_when_a_stage_fails(temporary: Callable[[], int], position: int) -> None:
    def broken() -> Iterator[Frame]:
        for index in range(7):
            if index == position:
                raise OSError("planted")
            yield frame_of(index)

    node = node_of(Closing(4), budget=0)
    with pytest.raises(OSError, match="planted"):
        list(run_threaded(broken(), [node.run], 2))
    node.close()
    assert temporary() == 0
    failing = node_of(Giving(DONE, KeyError("x")), keeps=("image",), budget=0)
    with pytest.raises(StageError):
        run_node(failing, [frame_of(0), frame_of(1)])
    assert temporary() == 0


def test_threads_give_the_serial_frames() -> None:
    def flows() -> list[Any]:
        return [node_of(Mixing(3), budget=budget).run for budget in (0, None)]

    def frames() -> Iterator[Frame]:
        return (frame_of(i, shot=i // 5, chunk=i // 4) for i in range(17))

    serial = [image_of(frame).tobytes() for frame in run_serial(frames(), flows())]
    threaded = [image_of(frame).tobytes() for frame in run_threaded(frames(), flows(), 2)]
    assert len(serial) == 17
    assert threaded == serial


def test_a_step_stage_has_no_span_node() -> None:
    class Plain(Giving):
        needs = Needs(reads={"image": NOW}, writes=("image",))

    with pytest.raises(ValueError, match="declares no span"):
        node_of(Plain())
