"""Many clips through one pipeline, beside each other; a bad one does not stop the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from vidstyle.core.errors import CrashError, OutputError, VidstyleError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.job import Job, Outlook
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.stamp import Stamp
from vidstyle.runner.pool import LOOK_MEMORY, LocalPool
from vidstyle.runner.schedule import Begun, Outcome, Progress, Rule, Schedule, intend, reportable
from vidstyle.runner.storage.claims import check_claims, claim_folder
from vidstyle.runner.storage.made import Standing
from vidstyle.runner.worker import Ended


@dataclass(frozen=True, slots=True)
class Looked:
    """All clips have been looked at; the first one begins."""

    jobs: Sequence[Job]
    outlooks: Sequence[Outlook | VidstyleError]
    """Of each job, or why it cannot be opened."""


MOST_ON_CLUSTER = 64
"""Clips at a time whose units a cluster computes, unless the user sets another limit."""

BatchEvent: TypeAlias = Looked | Begun | Progress | Outcome


def run_batch(
    jobs: Sequence[Job],
    *,
    size: int | None,
    budget: int,
    folder: Path | None = None,
    rule: Rule = "refuse",
    retries: int = 1,
    stop: StopRequest | None = None,
    cluster: Callable[[], AbstractContextManager[str]] | None = None,
) -> Iterator[BatchEvent]:
    """Run each job in a process, and report all that happens; one ``Outcome`` for each job.

    Args:
        jobs: All of one pipeline, with different outputs.
        size: Most of them at a time; None for one a core, or one at a time on a GPU.
        budget: Bytes of memory for all of them.
        folder: Where all outputs lie, which no batch with other options may use meanwhile; None
            where they lie in several.
        rule: For outputs that are there.
        retries: How often a clip is tried again where that may help: when its process died, or
            memory ran out. Then it runs while no other does.
        cluster: Opens the Ray cluster that computes the frames, and gives its address; called where
            there is something to do. None for this machine.
        stop: Ends the batch where somebody wants it to, with what is finished stored.

    Raises what every clip would meet before the first, LockedError where a batch with other options
    is at work in the folder, OutputError where the rule does not say what is to become of outputs
    that are there, and the reason of a stop.
    """
    stop = stop or StopRequest()
    with _Folders() as made, ExitStack() as claimed, ExitStack() as stack:
        pool = stack.enter_context(LocalPool(_most(size, jobs), budget=budget))
        stamp = _check(jobs, pool)
        claims = None if stamp is None or folder is None else (folder, stamp)
        if claims is not None:
            # Before its outputs are met, of which nobody has to say what is to become.
            check_claims(*claims)
        outlooks = _look(jobs, pool, stop)
        check_outputs(outlooks, rule)
        # Whoever has nothing to make needs no right to write.
        if claims is not None and any(_has_work(each, rule) for each in outlooks):
            made.make(claims[0])
            claimed.enter_context(claim_folder(*claims))
        on_gpu = any(isinstance(each, Outlook) and each.device != "cpu" for each in outlooks)
        if size is None and on_gpu:
            pool.size = 1
        yield Looked(jobs, outlooks)
        if cluster is not None and any(_has_work(each, rule) for each in outlooks):
            stack.close()
            address = stack.enter_context(cluster())
            jobs = [replace(job, cluster=address) for job in jobs]
            # What a cluster computes takes the memory of its nodes.
            outlooks = [_on_cluster(each) for each in outlooks]
            most = _most_on_cluster(size, jobs)
            pool = stack.enter_context(LocalPool(most, budget=budget))
        schedule = Schedule(jobs, outlooks, rule, retries, budget)
        yield from schedule.without_run()
        yield from schedule.run(pool, made.make, stop)


def survey(
    jobs: Sequence[Job], *, size: int | None, budget: int
) -> Sequence[Outlook | VidstyleError]:
    """The outlooks of ``run_batch``. Writes nothing; raises what every clip would meet."""
    with LocalPool(_most(size, jobs), budget=budget) as pool:
        _check(jobs, pool)
        return _look(jobs, pool, StopRequest())


def check_apart(job: Job) -> None:
    """Raise what is wrong whatever the clip is, found in a process of its own."""
    with LocalPool(1, budget=LOOK_MEMORY) as pool:
        if (error := pool.check(job).error) is not None:
            raise error


def _most(size: int | None, jobs: Sequence[Job]) -> int:
    return min(size or available_cores(), len(jobs))


def _most_on_cluster(size: int | None, jobs: Sequence[Job]) -> int:
    from vidstyle.runner.execution.ray_cluster import cores_of_cluster

    # Each clip has at least one unit, and needs a process here that hands it out.
    return min(size or min(cores_of_cluster(), MOST_ON_CLUSTER), len(jobs))


def _has_work(seen: Outlook | VidstyleError, rule: Rule) -> bool:
    return isinstance(seen, Outlook) and intend(seen.standing, rule) in ("make", "make again")


def _on_cluster(seen: Outlook | VidstyleError) -> Outlook | VidstyleError:
    return replace(seen, memory=LOOK_MEMORY) if isinstance(seen, Outlook) else seen


def _check(jobs: Sequence[Job], pool: LocalPool) -> Stamp | None:
    """The stamp that all have but for their sources. Raises what every clip would meet."""
    checked = pool.check(jobs[0])
    # A side input that crashes its decoder does so for each clip, which reports that.
    if checked.error is not None and not isinstance(checked.error, CrashError):
        raise checked.error
    return checked.stamp


def _look(
    jobs: Sequence[Job], pool: LocalPool, stop: StopRequest
) -> Sequence[Outlook | VidstyleError]:
    """In processes: what kills one is the failure of a clip."""
    found = dict[int, Outlook | VidstyleError]()
    waiting = deque(range(len(jobs)))
    while len(found) < len(jobs):
        stop.check()
        while waiting and pool.takes(LOOK_MEMORY):
            number = waiting.popleft()
            pool.look(number, jobs[number])
        for report in pool.reports():
            ended = report.message
            if isinstance(ended, Ended):
                error = ended.error or CrashError("somebody has ended its process; run again")
                found[report.ticket] = ended.outlook or reportable(error)
    return [found[number] for number in range(len(jobs))]


def check_outputs(outlooks: Sequence[Outlook | VidstyleError], rule: Rule) -> None:
    """Raise OccupiedError where outputs are in the way."""
    known = [each.standing for each in outlooks if isinstance(each, Outlook)]
    refused = [each for each in known if intend(each, rule) == "refuse"]
    if refused:
        raise OccupiedError(
            sorted(refused, key=lambda each: each.state == "foreign"), len(outlooks)
        )


class OccupiedError(OutputError):
    """Outputs that were made otherwise, or are not ours, and no rule what is to become of them."""

    def __init__(self, standings: Sequence[Standing], clips: int) -> None:
        foreign = [each for each in standings if each.state == "foreign"]
        changed = sum(each.entry is not None for each in foreign)
        reasons = []
        if others := len(foreign) - changed:
            reasons.append(f"{others} {'is' if others == 1 else 'are'} not of vidstyle")
        if changed:
            reasons.append(f"{changed} {'was' if changed == 1 else 'were'} changed since")
        advice = "pass --redo to make them again, or --keep to leave them"
        if reasons:
            advice = f"{', '.join(reasons)}: pass --overwrite to replace all, or --keep"
        super().__init__(
            f"{len(standings)} of {clips} outputs {'is' if len(standings) == 1 else 'are'} not what"
            f" this command makes; {advice}"
        )
        self.standings = tuple(standings)
        """Of each."""


class _Folders:
    """Folders for outputs; those that stay empty go again."""

    def __init__(self) -> None:
        self._made = list[Path]()

    def __enter__(self) -> _Folders:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for folder in sorted(self._made, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()

    def make(self, folder: Path) -> None:
        """Make the folder and those above it. Raises OutputError."""
        try:
            missing = [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
        self._made += missing
