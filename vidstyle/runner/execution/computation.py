"""How what is missing of a run is computed: part after part here, or as units elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Protocol, TypeAlias

from vidstyle.core.clip import Note
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.engines import ENGINES, Engine, EngineName, WorkInProgress
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.units import (
    AllUnits,
    at_unit,
    find_units,
    may_be_cut,
    unit_works,
)
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
    """Runs one work after the other with an engine; the first one's stages are open at once.

    Where long shots are split, each part is a work, and none is open before where it ends is known.
    """

    def __init__(self, engine: Engine, plan: Plan, remaining: Remaining) -> None:
        self._engine, self._plan, self._remaining = engine, plan, remaining
        self._stack = ExitStack()
        self._notes: tuple[Note, ...] = ()
        self._seconds = Counter[str]()
        self._running: WorkInProgress | None = None

    def __enter__(self) -> InTurn:
        if self._plan.split is None:
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
        with closing(self._works(recorder)) as works:
            for number, work in enumerate(works):
                if number or self._running is None:
                    work.pauses.stop.check()
                    self._close()
                    self._open(work, () if number else self._remaining.images)
                assert self._running is not None
                recorder.record(work.chunk, self._running)

    @property
    def start(self) -> Fraction:
        """When the run's first frame is shown, in seconds on the file's clock."""
        assert self._running is not None
        return self._running.start

    @property
    def notes(self) -> tuple[Note, ...]:
        """What reading and the stages have found out so far."""
        notes = () if self._running is None else self._running.notes
        return tuple(dict.fromkeys((*self._notes, *notes)))

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time inside each stage so far."""
        return self._seconds + Counter({} if self._running is None else self._running.seconds)

    def _works(self, recorder: Recorder) -> Generator[Work, None, None]:
        """The works in order; where long shots are split, one for each part.

        What the search finds is stored. It goes no further than to the end of the next part.
        """
        remaining, plan = self._remaining, self._plan
        if plan.split is None:
            yield from remaining.works
            return
        # At a cut everything starts by itself: stages are opened again for parts alone.
        parts = [unit for unit in remaining.units if unit.overlap]
        *closed, last = unit_works(remaining.works, parts)
        yield from closed
        *_, searched = unit_works(remaining.works, remaining.units)
        if last.stop is None and not remaining.planned and may_be_cut(plan, searched):
            with closing(find_units(plan, searched)) as search:
                for found in search:
                    if isinstance(found, AllUnits):
                        recorder.record_planned(found.chunks)
                        continue
                    recorder.record_start(found)
                    if found.overlap:
                        yield replace(last, stop=found.first, ends_unit=True)
                        last = at_unit(last, found)
        yield last

    def _close(self) -> None:
        """Close what runs, and keep what it has to say."""
        self._notes, self._seconds = self.notes, Counter(self.seconds)
        self._running = None
        self._stack.close()

    def _open(self, work: Work, images: Iterable[StoredImage]) -> None:
        engine = self._engine(self._plan, work, images)
        self._running = self._stack.enter_context(engine)
