"""Runs a plan: source, stages, sink, store, join, rename."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vidstyle.core.clip import Note
from vidstyle.core.errors import InputError
from vidstyle.core.plan import Plan
from vidstyle.core.sink import Original
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.computation import Computation, Compute, Remaining
from vidstyle.runner.execution.events import Kept, Listener, NoteEvent, Planned, Result
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.work import CacheUse, Work
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.guard import Guard, close_with
from vidstyle.runner.plan.identity import code_digest, look_of
from vidstyle.runner.plan.stamp import make_stamp
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.finished import FinishedFrames, find_finished
from vidstyle.runner.storage.made import Made, known_digest
from vidstyle.runner.storage.partial_work import limit_work
from vidstyle.runner.storage.records import drop_work
from vidstyle.runner.storage.resumption import PLANNED, START, Resumption, find_missing
from vidstyle.runner.storage.store import CHUNKS, Store
from vidstyle.runner.storage.stored import UnitStart

_RULE = PauseRule()
# Fact of a store: its work is at the destination.
_DONE = "done"
# Cuts of long shots that a message names.
_NAMED = 10


def execute(
    assembly: Assembly,
    plan: Plan,
    destination: Destination,
    *,
    original: Path,
    compute: Compute,
    listen: Listener,
    resume: bool = True,
    timeout: float = 1800.0,
    rule: PauseRule = _RULE,
    cache: CacheUse | None = None,
) -> Result:
    """Make the destination. Raises a VidstyleError, and then the destination is untouched.

    With ``resume`` the run resumes where an earlier one with the same frames and code was stopped;
    without, what that has left is dropped. A stage may take ``timeout`` seconds for
    a frame, or a span of them; the serial engine waits for ever. ``rule`` says how often what is
    done of a chunk is kept before it ends, and may ask the run to stop. In ``cache`` the layers
    of flow and stylization are looked up and kept.
    """
    started = time.perf_counter()
    sink, joining, records = assembly.sink, Guard(plan.sink.name), destination.records
    with ExitStack() as stack:
        stack.enter_context(destination.reserved())
        look = look_of(original)
        source = known_digest(original, look, records.read(destination.path))
        stamp = make_stamp(assembly, plan, source, destination.path.suffix)
        facts = {"frames": stamp.frames_key, "code": code_digest(assembly)}
        key = hashlib.sha256("".join(facts.values()).encode()).hexdigest()
        work_file = stack.enter_context(records.work(destination.path, key))
        if not resume:
            drop_work(work_file)
        stack.callback(_leave_store, work_file, listen)
        _report(listen, limit_work(records, destination.path, work_file))
        store = stack.enter_context(Store(work_file))
        missing = _missing(store, facts)
        close_with(stack, plan.sink.name, sink.close)
        joining(None, sink.open, plan.sink.clip, plan.sink.context)
        finished = None
        if resume and missing == (Resumption(),):
            finished = find_finished(records, stamp, sink)
        running: Computation | None = None
        if finished is None and missing:
            base = Work(original, pauses=rule, timeout=timeout, cache=cache)
            running = stack.enter_context(compute(plan, _remaining(store, missing, base)))
        listen(Planned(plan, destination.path))
        _report(listen, assembly.clip.notes)
        stack.callback(lambda: _report(listen, (*(running.notes if running else ()), *sink.notes)))
        if finished is None:
            images = missing[0].images if missing else 0
            finished = _recorded(Recorder(plan, store, images, listen, rule.stop), store, running)
            _report(listen, _parts_note(store.units()))
        else:
            text = f"the frames of {finished.found_in} are used: only the file is made"
            listen(NoteEvent(Note("resume", text)))
        _report(listen, _end_note(plan.frames, len(finished.times)))
        _check_same(original, look, store)
        source_file = Original(original, finished.interval, stamp.short)
        segments, times = finished.segments, finished.times
        joining(None, sink.join, segments, times, source_file, destination.partial)
        made = Made(original, look, stamp, finished)
        records.write(destination.path, made.entry(assembly.pipeline, plan, destination.partial))
        destination.commit()
        store.note({_DONE: "yes"})
    seconds = {planned.name: 0.0 for planned in plan.every} | dict(
        running.seconds if running else {}
    )
    seconds[plan.sink.name] += joining.seconds
    took = time.perf_counter() - started
    result = Result(destination.path, len(finished.times), finished.digest, took, seconds)
    listen(result)
    return result


def _recorded(recorder: Recorder, store: Store, running: Computation | None) -> FinishedFrames:
    """All frames, when those that are missing have been computed."""
    if running is not None:
        running.record(recorder)
        chunks = str(len(store.segments()))
        store.note({CHUNKS: chunks, START: str(running.start)})
    return recorder.finished(Fraction(store.facts[START]))


def _missing(store: Store, wanted: Mapping[str, str]) -> tuple[Resumption, ...]:
    """What is to be made; a store whose facts are damaged is emptied."""
    if any(store.facts.get(name) != fact for name, fact in wanted.items()):
        store.begin(wanted)
        return (Resumption(),)
    return find_missing(store)


def _remaining(store: Store, missing: Sequence[Resumption], base: Work) -> Remaining:
    works = [
        replace(
            base,
            start=gap.checkpoint,
            stop=gap.stop,
            chunk=gap.chunk,
            ends_unit=gap.stop is not None,
            first=gap.first,
            overlap=gap.overlap,
        )
        for gap in missing
    ]
    images = store.images(missing[0].images)
    return Remaining(works, images, store.units(), PLANNED in store.facts)


def _parts_note(units: Sequence[UnitStart]) -> Iterator[Note]:
    """Where long shots were cut; nothing where none was."""
    firsts = [str(unit.first) for unit in units if unit.overlap]
    if firsts:
        more = len(firsts) - _NAMED
        named = ", ".join(firsts[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        frames = "frame" if len(firsts) == 1 else "frames"
        yield Note("split-shots", f"long shots were cut before {frames} {named}")


def _end_note(wanted: tuple[int, int | None], count: int) -> Iterator[Note]:
    """Whether the input has fewer frames than were asked for."""
    first, stop = wanted
    if stop is not None and first + count < stop:
        yield Note("frames", f"--frames ends at {stop}, but the input has {first + count} frames")


def _check_same(original: Path, look: str, store: Store) -> None:
    """Raise InputError where the input was written to while it was read."""
    if look_of(original) != look:
        # Frames of two inputs must not be mixed by a later run.
        store.begin({"input": "changed"})
        raise InputError(f"{original} was changed while it was read: run again")


def _leave_store(work: Path, listen: Listener) -> None:
    """After the run: remove the store, unless a later run can resume from it."""
    with Store(work) as store:
        frames = 0 if _DONE in store.facts else store.frames()
    if frames:
        listen(Kept(frames, work))
    else:
        drop_work(work)


def _report(listen: Listener, notes: Iterable[Note]) -> None:
    for note in notes:
        listen(NoteEvent(note))
