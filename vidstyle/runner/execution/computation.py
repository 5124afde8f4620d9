"""How what is missing of a run is computed: part after part here, or as units elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Protocol, TypeAlias

from vidstyle.core.clip import Note
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.engines import ENGINES, Engine, EngineName, WorkInProgress
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.work import Work
from vidstyle.runner.storage.stored import StoredImage, UnitStart


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is missing of a run."""

    works: Sequence[Work]
    """In order; what lies between them is stored."""
    images: Iterable[StoredImage]
    """Frames of the first one's first chunk that are computed already."""
    units: Sequence[UnitStart] = ()
    """Where units are known to start."""
    planned: bool = False
    """Whether those are all."""


class Computation(Protocol):
    """The works of a run under way; what they need is open."""

    def record(self, recorder: Recorder) -> None:
        """Compute all, and store it. Raises VidstyleError as a run does."""
        ...

    @property
    def start(self) -> Fraction:
        """When the run's first frame is shown, in seconds on the file's clock."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """What reading and the stages have found out so far."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time inside each stage so far."""
        ...


Compute: TypeAlias = Callable[[Plan, Remaining], AbstractContextManager[Computation]]
"""Opens what a run needs; nothing is computed yet."""


def compute_in_turn(engine: EngineName) -> Compute:
    """One work after the other with that engine."""
    return partial(InTurn, ENGINES[engine])


class InTurn:
    """Runs one work after the other with an engine; the first one's stages are open at once."""

    def __init__(self, engine: Engine, plan: Plan, remaining: Remaining) -> None:
        self._engine, self._plan, self._remaining = engine, plan, remaining
        self._stack = ExitStack()
        self._notes: tuple[Note, ...] = ()
        self._seconds = Counter[str]()
        self._running: WorkInProgress

    def __enter__(self) -> InTurn:
        self._open(self._remaining.works[0], self._remaining.images)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def record(self, recorder: Recorder) -> None:
        """Compute all, and store it."""
        first, *others = self._remaining.works
        recorder.record(first.chunk, self._running)
        for work in others:
            self._notes, self._seconds = self.notes, Counter(self.seconds)
            self._stack.close()
            self._open(work, ())
            recorder.record(work.chunk, self._running)

    @property
    def start(self) -> Fraction:
        """When the run's first frame is shown, in seconds on the file's clock."""
        return self._running.start

    @property
    def notes(self) -> tuple[Note, ...]:
        """What reading and the stages have found out so far."""
        return tuple(dict.fromkeys((*self._notes, *self._running.notes)))

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time inside each stage so far."""
        return self._seconds + Counter(self._running.seconds)

    def _open(self, work: Work, images: Iterable[StoredImage]) -> None:
        engine = self._engine(self._plan, work, images)
        self._running = self._stack.enter_context(engine)
