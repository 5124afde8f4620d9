"""The engines: ways to run a work, chosen by name before any stage is opened.

An engine takes a plan and a work and gives a context whose value is iterated for what is encoded,
in order. To add one, write it in a module of its own and name it in ``ENGINES``. It is imported
where it runs: the command line reads the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from fractions import Fraction

    from vidstyle.core.clip import Note
    from vidstyle.core.plan import Plan
    from vidstyle.runner.execution.encoder import Encoded
    from vidstyle.runner.execution.work import RunningWork, Work
    from vidstyle.runner.storage.stored import StoredImage

EngineName = Literal["threaded", "serial"]


class WorkInProgress(Protocol):
    """A work under way: iterate it once for what it encodes; ``RunningWork`` is one."""

    def __iter__(self) -> Iterator[Encoded]: ...

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


Engine: TypeAlias = (
    "Callable[[Plan, Work, Iterable[StoredImage]], AbstractContextManager[WorkInProgress]]"
)
"""The last argument are frames of the first chunk that an earlier run has computed. The first line
of its docstring is what ``--help`` says."""


def run_on_threads(plan: Plan, work: Work, replay: Iterable[StoredImage] = ()) -> RunningWork:
    """One thread per stage, unless the plan saves memory by one frame at a time."""
    from vidstyle.runner.execution.serial import drive_serial
    from vidstyle.runner.execution.threaded import drive_threaded
    from vidstyle.runner.execution.work import RunningWork

    return RunningWork(plan, work, drive_threaded if plan.queue else drive_serial, replay)


def run_in_turn(plan: Plan, work: Work, replay: Iterable[StoredImage] = ()) -> RunningWork:
    """One frame in one stage at a time; the frames of every engine equal those of this one."""
    from vidstyle.runner.execution.serial import drive_serial
    from vidstyle.runner.execution.work import RunningWork

    return RunningWork(plan, work, drive_serial, replay)


ENGINES: dict[EngineName, Engine] = {"threaded": run_on_threads, "serial": run_in_turn}


def engine_summaries() -> str:
    """The engines by name, for help texts: ``serial: one frame in one stage at a time``."""
    lines = {name: (engine.__doc__ or "").partition("\n")[0] for name, engine in ENGINES.items()}
    return " ".join(f"{name}: {line[:1].lower()}{line[1:]}" for name, line in lines.items())
