"""Runs a plan: source, stages, sink, store, join, rename."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

from vidstyle.core.clip import Note
from vidstyle.core.errors import InputError
from vidstyle.core.plan import Plan
from vidstyle.runner.config.keyframes import options_at
from vidstyle.runner.execution.events import Kept, Listener, NoteEvent, Planned, Result, Resumed
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.pauses import PauseRule, Pauses
from vidstyle.runner.execution.reading import Reading
from vidstyle.runner.execution.recall import Recall, worth_keeping
from vidstyle.runner.execution.serial import Flow, run_serial, through
from vidstyle.runner.execution.stamp import Stamp
from vidstyle.runner.execution.threaded import run_threaded
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.identity import difference, identity, look_of, stage_identities
from vidstyle.runner.storage.checkpoint import Checkpoint, load_held
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.encoding import Encoding
from vidstyle.runner.storage.layer_cache import LayerCache
from vidstyle.runner.storage.store import CHUNKS, Resumption, Store

Engine = Literal["threaded", "serial"]
_RULE = PauseRule()
_START, _DONE = "start", "done"
# Facts of a store: the first frame's time in seconds, and that its work is at the destination.


def execute(
    assembly: Assembly,
    plan: Plan,
    destination: Destination,
    *,
    original: Path,
    engine: Engine,
    listen: Listener,
    resume: bool = True,
    timeout: float = math.inf,
    rule: PauseRule = _RULE,
    cache: LayerCache | None = None,
) -> Result:
    """Make the destination. Raises a VidstyleError, and then the destination is untouched.

    With ``resume`` the run goes on where an earlier one of an equal plan, input, weights and code
    was stopped; without, what that has left is dropped. A stage may take ``timeout`` seconds for
    a frame, or a span of them; the serial engine waits for ever. ``rule`` says how often what is
    done of a chunk is kept before it ends. In ``cache`` the layers of flow and stylization are
    looked up and kept.
    """
    started = time.perf_counter()
    keep_heap()
    with ExitStack() as stack:
        stack.enter_context(destination.reserved(keep_store=True))
        if not resume:
            destination.drop_store()
        stack.callback(_leave_store, destination, listen)
        store = stack.enter_context(Store(destination.store))
        look = look_of(original)
        found = _found(store, identity(assembly, plan, original), listen)
        pauses = Pauses(rule)
        nodes = _open_nodes(assembly, plan, stack, cache)
        limit_threads(plan.sink.context.threads)
        listen(Planned(plan, destination.path))
        _tell(listen, assembly.clip.notes)
        stack.callback(lambda: _tell(listen, _met(assembly, cache)))
        encoding = Encoding(assembly.sink, plan, store, listen, found=found, pauses=pauses)
        if encoding.frames:
            listen(Resumed(encoding.frames))
        reading = Reading(assembly.source, plan, assembly.inputs, found.checkpoint)
        if found.checkpoint is not None or not found.chunk:
            flows = _flows(assembly, plan, nodes, found.checkpoint, pauses)
            with closing(_stream(engine, reading, flows, plan.queue, timeout)) as stream:
                encoding.consume(stream)
            store.note({CHUNKS: str(len(store.segments())), _START: str(reading.start or 0)})
        _check_same(original, look, store)
        encoding.join(original, destination, Fraction(store.facts[_START]))
        destination.commit()
        store.note({_DONE: "yes"})
    seconds = {
        plan.source.name: reading.seconds,
        **{node.planned.name: node.seconds for node in nodes},
        plan.sink.name: encoding.seconds,
    }
    took = time.perf_counter() - started
    result = Result(destination.path, encoding.frames, encoding.digest, took, seconds)
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
    text = f"an earlier run was of another {other}: its work is dropped, and all is made anew"
    listen(NoteEvent(Note("resume", text)))
    return Resumption()


def _check_same(original: Path, look: str, store: Store) -> None:
    """Raise InputError where the input was written to while it was read."""
    if look_of(original) != look:
        # What was made of two inputs must not be gone on with.
        store.begin({"input": "changed"})
        raise InputError(f"{original} was changed while it was read: run again")


def _leave_store(destination: Destination, listen: Listener) -> None:
    """After the run: remove the store, unless there is something in it to go on with."""
    with Store(destination.store) as store:
        frames = 0 if _DONE in store.facts else store.frames()
    if frames:
        listen(Kept(frames, destination.store))
    else:
        destination.drop_store()


def _met(assembly: Assembly, cache: LayerCache | None) -> Iterator[Note]:
    """What reading and joining have found out."""
    if cache is not None:
        yield from (Note("cache", note) for note in cache.notes())
    yield from assembly.source.notes
    for side in assembly.inputs:
        yield from side.notes
    for stage in assembly.stages:
        # Of filters that count what they find; most stages have nothing to tell.
        yield from getattr(stage, "notices", ())
    yield from assembly.sink.notes


def _tell(listen: Listener, notes: Iterable[Note]) -> None:
    for note in notes:
        listen(NoteEvent(note))


def _open_nodes(
    assembly: Assembly, plan: Plan, stack: ExitStack, cache: LayerCache | None
) -> list[AnyNode]:
    """Open every stage and the sink; the stack closes them, whatever happens."""
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    recalls = _recalls(assembly, plan, cache)
    for entry, planned, stage, recall in zip(
        assembly.entries, plan.stages, assembly.stages, recalls, strict=True
    ):
        stack.callback(stage.close)
        guarded(planned.name, None, partial(stage.open, clip, planned.context))
        nodes.append(
            make_node(
                planned, stage, partial(options_at, entry.options, entry.keyframes), recall=recall
            )
        )
        stack.callback(nodes[-1].close)
        clip = planned.clip
    stack.callback(assembly.sink.close)
    guarded(plan.sink.name, None, partial(assembly.sink.open, clip, plan.sink.context))
    return nodes


def _recalls(assembly: Assembly, plan: Plan, cache: LayerCache | None) -> list[Recall | None]:
    """The cache as each stage uses it; None for those whose work is not kept."""
    if cache is None:
        return [None] * len(plan.stages)
    kinds = [entry.kind for entry in assembly.entries]
    return [
        Recall(cache, identity) if worth_keeping(kind, planned.needs) else None
        for kind, planned, identity in zip(
            kinds, plan.stages, stage_identities(assembly, plan), strict=True
        )
    ]


def _flows(
    assembly: Assembly,
    plan: Plan,
    nodes: list[AnyNode],
    checkpoint: Checkpoint | None,
    pauses: Pauses,
) -> list[Flow]:
    """The nodes in order, with the numbering of shots and chunks where it belongs."""
    numbering = Stamp(*plan.chunk, pauses)
    if checkpoint is not None:
        numbering.restore(checkpoint.stamped)
        for node in nodes:
            planned = node.planned
            node.restore(load_held(checkpoint.held[planned.name], planned.context.device))
    flows = [through(node) for node in nodes]
    stamp = partial(_stamped, numbering)
    kinds = [entry.kind for entry in assembly.entries]
    if "shots" not in kinds:
        return [stamp, *flows]
    at = kinds.index("shots")
    shots = flows[at]
    return [*flows[:at], lambda parcels: stamp(shots(parcels)), *flows[at + 1 :]]


def _stamped(stamp: Stamp, parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
    for parcel in parcels:
        yield stamp(parcel)


def _stream(
    engine: Engine, parcels: Iterable[Parcel], flows: list[Flow], queue: int, timeout: float
) -> Generator[Parcel, None, None]:
    if engine == "threaded" and queue:
        yield from run_threaded(parcels, flows, queue, limit=timeout)
    else:
        yield from run_serial(parcels, flows)
