"""The units of a clip on a Ray cluster: submits a bounded number, stores what comes back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Any

from vidstyle.core.clip import Note
from vidstyle.core.errors import CrashError, VidstyleError
from vidstyle.core.plan import Plan
from vidstyle.core.stop import StopRequest
from vidstyle.runner.execution.computation import Compute, Remaining
from vidstyle.runner.execution.ray_cluster import (
    import_ray,
    join_cluster,
    nodes_of_cluster,
    unit_needs,
    with_threads,
)
from vidstyle.runner.execution.ray_tasks import (
    Answer,
    UnitTask,
    compute_unit,
    remove_copies,
    search_units,
)
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.shipment import list_shipments
from vidstyle.runner.execution.units import AllUnits, at_unit, may_be_cut, unit_works
from vidstyle.runner.execution.work import Work
from vidstyle.runner.plan.identity import own_code_digest
from vidstyle.runner.storage.chunk_rows import ChunkRows
from vidstyle.runner.storage.stored import UnitStart

# Units that wait beside each one that is computed: a node never waits for the driver.
_AHEAD = 2
# Times that Ray computes a unit again whose process or node was lost.
_RETRIES = 3
# Seconds until somebody's wish to stop is seen.
_LOOK = 0.2


def compute_on_ray(address: str) -> Compute:
    """As units, on the cluster at that address."""
    return partial(RayUnits, address)


class RayUnits:
    """Computes what is missing of one clip; a cluster computes those of many at a time."""

    def __init__(self, address: str, plan: Plan, remaining: Remaining) -> None:
        self._address, self._plan, self._remaining = address, plan, remaining
        self._base = replace(remaining.works[0], cache=None)
        self._stop: StopRequest = self._base.pauses.stop
        self._start = Fraction(0)
        self._notes: dict[Note, None] = {}
        self._seconds = Counter[str]()
        self._waiting = deque[Work]()
        self._running = dict[Any, tuple[Work, list[int]]]()
        # Units that are computed, and the chunks that have come of each.
        self._pieces = dict[int, list[tuple[int, Any]]]()
        self._searching: Any = None

    def __enter__(self) -> RayUnits:
        join_cluster(self._address)
        self._ray = import_ray()
        self._needs = needs = unit_needs(self._plan, nodes_of_cluster())
        self._task = UnitTask(
            with_threads(self._plan, needs.cores),
            self._base,
            list_shipments(self._plan, self._base),
            own_code_digest(),
        )
        options: dict[str, float] = {
            "max_retries": _RETRIES,
            "num_cpus": needs.cores,
            "memory": needs.memory,
        }
        if needs.gpu:
            options["num_gpus"] = needs.gpu
        self._compute = self._ray.remote(compute_unit).options(num_returns="streaming", **options)
        self._search = self._ray.remote(search_units).options(
            max_retries=_RETRIES, num_cpus=1, num_returns="streaming"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reference in (*self._running, self._searching):
            with suppress(Exception):
                self._ray.cancel(reference, force=True)
        if self._pieces:
            self._remove_copies()

    @property
    def start(self) -> Fraction:
        """When the run's first frame is shown, in seconds on the file's clock."""
        return self._start

    @property
    def notes(self) -> tuple[Note, ...]:
        """What reading and the stages have found out, each once."""
        return tuple(self._notes)

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time inside each stage, on all machines together."""
        return self._seconds

    def record(self, recorder: Recorder) -> None:
        """Compute all units, in any order, and store what comes back."""
        try:
            self._record(recorder)
        finally:
            recorder.drop_chunks([each for _, chunks in self._running.values() for each in chunks])

    def _record(self, recorder: Recorder) -> None:
        *closed, last = unit_works(self._works, self._remaining.units)
        self._waiting += closed
        self._images = tuple(self._remaining.images)
        open_ended = last.stop is None and not self._remaining.planned
        if open_ended and may_be_cut(self._plan, last):
            self._find(last)
        else:
            self._waiting.append(last)
        while self._waiting or self._running or self._searching is not None:
            self._stop.check()
            while self._waiting and len(self._running) < _AHEAD * self._needs.slots:
                self._submit(self._waiting.popleft())
            searching = [] if self._searching is None else [self._searching]
            ready, _ = self._ray.wait([*self._running, *searching], num_returns=1, timeout=_LOOK)
            for reference in ready:
                if reference is self._searching:
                    last = self._follow(last, recorder)
                else:
                    self._take(reference, recorder)

    @property
    def _works(self) -> Iterable[Work]:
        return (replace(work, cache=None) for work in self._remaining.works)

    def _find(self, last: Work) -> None:
        self._searching = self._search.remote(replace(self._task, work=last), self._pieces)

    def _follow(self, last: Work, recorder: Recorder) -> Work:
        """Take what the search has found, and give the last unit so far."""
        try:
            found = self._ray.get(next(self._searching))
        except StopIteration:
            self._searching = None
            return last
        except self._ray.exceptions.RayError as error:
            raise _lost(error, "the search for cuts") from error
        match found:
            case UnitStart():
                recorder.record_start(found)
                self._waiting.append(replace(last, stop=found.first, ends_unit=True))
                last = at_unit(last, found)
            case AllUnits():
                recorder.record_planned(found.chunks)
                self._waiting.append(last)
            case Answer():
                if found.error is not None:
                    raise found.error
                self._send(found.missing)
                self._find(last)
        return last

    def _submit(self, work: Work) -> None:
        first = work.chunk == self._base.chunk
        task = replace(self._task, work=work, images=self._images if first else ())
        self._running[self._compute.remote(task, self._pieces)] = work, []

    def _take(self, reference: Any, recorder: Recorder) -> None:
        """Store the next chunk of a unit, or end it."""
        work, chunks = self._running[reference]
        try:
            found: ChunkRows | Answer = self._ray.get(next(reference))
        except self._ray.exceptions.RayError as error:
            raise _lost(error, f"a unit of {work.input}") from error
        if isinstance(found, ChunkRows):
            recorder.record_chunk(found)
            chunks.append(found.number)
            return
        if found.error is not None:
            raise found.error
        del self._running[reference]
        if found.missing:
            self._send(found.missing)
            self._waiting.appendleft(work)
        if (end := found.end) is not None:
            self._start = end.start
            self._notes |= dict.fromkeys(end.notes)
            self._seconds.update(end.seconds)
            recorder.record_clock(end.start)

    def _send(self, missing: Iterable[int]) -> None:
        """Put files into the object store, whence other machines copy them."""
        for number in missing:
            if number not in self._pieces:
                pieces = self._task.shipments[number].pieces()
                self._pieces[number] = [(file, self._ray.put(data)) for file, data in pieces]

    def _remove_copies(self) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        job = self._ray.get_runtime_context().get_job_id()
        alive = [node["NodeID"] for node in self._ray.nodes() if node["Alive"]]
        removals = [
            self._ray.remote(remove_copies)
            .options(
                num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True)
            )
            .remote(job)
            for node in alive
        ]
        with suppress(Exception):
            self._ray.wait(removals, num_returns=len(removals), timeout=5)


def _lost(error: Exception, what: str) -> VidstyleError:
    """The error for what Ray has given up."""
    reason = " ".join(str(error).split())[:200]
    return CrashError(f"{what} was lost {_RETRIES + 1} times on the cluster: {reason}")
