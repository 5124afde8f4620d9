"""Stages that read a piece of a shot in any order: several passes, or both directions."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from vidstyle.core.frame import Frame
from vidstyle.core.layers import Layer
from vidstyle.core.options import StageOptions
from vidstyle.core.stage import AnyStage, Layers
from vidstyle.core.state import State

OptionsT = TypeVar("OptionsT", bound=StageOptions)

SpanSteps: TypeAlias = Generator[Layers, None, State]
"""Yields the layers of one frame after the other, and returns the next state."""


class Scratch(Protocol):
    """Where a stage puts images of its own while it works on a span; a dict is one.

    The runner's goes to disk where memory ends. What is put there is given away: nobody writes
    to it any more. What is taken from there does not change when its key is put again.
    """

    def __getitem__(self, key: Hashable, /) -> Any: ...

    def __setitem__(self, key: Hashable, layer: Layer, /) -> None: ...


class Frames(Protocol):
    """Frames by position; a tuple is one. The runner's read from disk what was put there."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> Frame: ...


@dataclass(frozen=True, slots=True)
class Span(Generic[OptionsT]):
    """Consecutive frames of one shot, each readable any number of times, in any order."""

    frames: Frames
    """With the declared layers only; at least one. A layer that lies on disk is read each time
    that it is asked for, so frames may be kept and cost nothing."""
    options: Sequence[OptionsT]
    """The options as they are at each frame."""
    scratch: Scratch = field(default_factory=dict[Hashable, Any])
    """Empty at the start of the span, gone after it."""

    def __post_init__(self) -> None:
        if not len(self.frames) or len(self.frames) != len(self.options):
            raise ValueError(
                f"a span has frames and as many options,"
                f" got {len(self.frames)} and {len(self.options)}"
            )

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, position: int) -> Frame:
        return self.frames[position]

    def __iter__(self) -> Iterator[Frame]:
        return (self.frames[position] for position in range(len(self.frames)))


class SpanStage(AnyStage, Protocol):
    """A stage that gets up to ``needs.span`` frames at once, where ``step`` is not enough.

    Spans end at shot edges, and wherever the runner ends a unit of work; so any span may be
    shorter than ``needs.span``. What the next one depends on is state. A whole stage::

        class EvenLight(BaseStage[StageOptions]):
            '''Gives the frames of a shot the same brightness, as a lamp that flickers does not.'''

            needs = Needs(reads={"image": NOW}, writes=("image",), scope="shot", span=48)

            def step_span(self, span: Span[StageOptions], state: State) -> SpanSteps:
                levels = [float(frame.host("image").mean()) for frame in span]
                level = state["level"] if state else sum(levels) / len(levels)
                for frame, own in zip(span, levels):
                    yield {"image": np.clip(frame.host("image") + np.float32(level - own), 0, 1)}
                return {"level": level}
    """

    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        """Yield the layers that the stage writes for each frame of a span, in order.

        The runner checks each as it comes, and may close the generator at any ``yield``.

        Args:
            span: The frames.
            state: After the span before, or the initial one.

        Returns:
            A generator that returns the state after the span.
        """
        ...
