"""Runs a plan: source, stages, sink, store, join, rename."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from vidstyle.core.clip import Note
from vidstyle.core.errors import InputError
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.engines import ENGINES, EngineName, WorkInProgress
from vidstyle.runner.execution.events import Kept, Listener, NoteEvent, Planned, Result, Resumed
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.work import CacheUse, Work
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.identity import difference, identity, look_of
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.store import CHUNKS, Resumption, Store

_RULE = PauseRule()
# Facts of a store: the first frame's time in seconds, and that its work is at the destination.
_START, _DONE = "start", "done"


def execute(
    assembly: Assembly,
    plan: Plan,
    destination: Destination,
    *,
    original: Path,
    engine: EngineName,
    listen: Listener,
    resume: bool = True,
    timeout: float = 1800.0,
    rule: PauseRule = _RULE,
    cache: CacheUse | None = None,
) -> Result:
    """Make the destination. Raises a VidstyleError, and then the destination is untouched.

    With ``resume`` the run resumes where an earlier one of an equal plan, input, weights and code
    was stopped; without, what that has left is dropped. A stage may take ``timeout`` seconds for
    a frame, or a span of them; the serial engine waits for ever. ``rule`` says how often what is
    done of a chunk is kept before it ends. In ``cache`` the layers of flow and stylization are
    looked up and kept.
    """
    started = time.perf_counter()
    sink, joining = assembly.sink, Guard(plan.sink.name)
    with ExitStack() as stack:
        stack.enter_context(destination.reserved(keep_store=True))
        if not resume:
            destination.drop_store()
        stack.callback(_leave_store, destination, listen)
        store = stack.enter_context(Store(destination.store))
        look = look_of(original)
        found = _found(store, identity(assembly, plan, original), listen)
        stack.callback(sink.close)
        joining(None, sink.open, plan.sink.clip, plan.sink.context)
        running: WorkInProgress | None = None
        if found.checkpoint is not None or not found.chunk:
            work = Work(original, found.checkpoint, None, found.chunk, rule, timeout, cache)
            engine_of_run = ENGINES[engine](plan, work, store.images(found.images))
            running = stack.enter_context(engine_of_run)
        listen(Planned(plan, destination.path))
        _report(listen, assembly.clip.notes)
        stack.callback(lambda: _report(listen, (*(running.notes if running else ()), *sink.notes)))
        recorder = Recorder(plan, store, found, listen)
        if recorder.frames + found.images:
            listen(Resumed(recorder.frames + found.images))
        if running is not None:
            recorder.record(running)
            start = str(running.start)
            store.note({CHUNKS: str(len(store.segments())), _START: start})
        digest = recorder.digest
        _check_same(original, look, store)
        recorder.join(sink, joining, original, Fraction(store.facts[_START]), destination)
        destination.commit()
        store.note({_DONE: "yes"})
    seconds = {planned.name: 0.0 for planned in plan.every} | dict(
        running.seconds if running else {}
    )
    seconds[plan.sink.name] += joining.seconds
    took = time.perf_counter() - started
    result = Result(destination.path, recorder.frames, digest, took, seconds)
    listen(result)
    return result


def _found(store: Store, wanted: Mapping[str, str], listen: Listener) -> Resumption:
    """Where to begin; a store of another run is emptied."""
    kept = store.facts
    if not kept:
        store.begin(wanted)
        return Resumption()
    other = difference(kept, wanted)
    if other is None:
        return store.resumable()
    store.begin(wanted)
    text = f"an earlier run was of another {other}: its work is dropped, and all is computed again"
    listen(NoteEvent(Note("resume", text)))
    return Resumption()


def _check_same(original: Path, look: str, store: Store) -> None:
    """Raise InputError where the input was written to while it was read."""
    if look_of(original) != look:
        # Frames of two inputs must not be mixed by a later run.
        store.begin({"input": "changed"})
        raise InputError(f"{original} was changed while it was read: run again")


def _leave_store(destination: Destination, listen: Listener) -> None:
    """After the run: remove the store, unless a later run can resume from it."""
    with Store(destination.store) as store:
        frames = 0 if _DONE in store.facts else store.frames()
    if frames:
        listen(Kept(frames, destination.store))
    else:
        destination.drop_store()


def _report(listen: Listener, notes: Iterable[Note]) -> None:
    for note in notes:
        listen(NoteEvent(note))
