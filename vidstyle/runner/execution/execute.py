"""Runs a plan: source, stages, sink, store, join, rename."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vidstyle.core.clip import Note
from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.checkpoints import Checkpoints, ChunkNumbering, PauseRule
from vidstyle.runner.execution.encoder import Encoder
from vidstyle.runner.execution.events import Kept, Listener, NoteEvent, Planned, Result, Resumed
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.execution.recall import Recall, worth_keeping
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.serial import Flow, run_serial
from vidstyle.runner.execution.threaded import run_threaded
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.identity import difference, identity, look_of, stage_identities
from vidstyle.runner.storage.checkpoint import Checkpoint, load_stage_state
from vidstyle.runner.storage.destination import Destination
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
        checkpoints = Checkpoints()
        nodes = _open_nodes(assembly, plan, stack, cache, checkpoints)
        limit_threads(plan.sink.context.threads)
        listen(Planned(plan, destination.path))
        _tell(listen, assembly.clip.notes)
        stack.callback(lambda: _tell(listen, _met(assembly, cache)))
        recorder = Recorder(plan, store, found, listen)
        if recorder.frames + found.images:
            listen(Resumed(recorder.frames + found.images))
        checkpoint = found.checkpoint
        resume_at = None if checkpoint is None else (checkpoint.mark, checkpoint.clock)
        reader = FrameReader(
            assembly.source, plan, assembly.inputs, checkpoints=checkpoints, resume=resume_at
        )
        encoder = Encoder(assembly.sink, plan, checkpoints, rule, lambda: reader.clock)
        if found.checkpoint is not None or not found.chunk:
            numbering = ChunkNumbering(
                plan.chunk, checkpoints, rule, None if checkpoint is None else checkpoint.position
            )
            flows = _flows(assembly, nodes, numbering, checkpoint)
            guards = [reader.guard, *(node.guard for node in nodes)]
            with closing(_stream(engine, reader, flows, plan.queue, guards, timeout)) as frames:
                replay = store.images(found.images)
                recorder.record(encoder.run(frames, chunk=found.chunk, replay=replay))
            start = str(reader.clock.start)
            store.note({CHUNKS: str(len(store.segments())), _START: start})
        _check_same(original, look, store)
        start_time = Fraction(store.facts[_START])
        recorder.join(assembly.sink, encoder.guard, original, start_time, destination)
        destination.commit()
        store.note({_DONE: "yes"})
    seconds = {
        guard.stage: guard.seconds
        for guard in (reader.guard, *(node.guard for node in nodes), encoder.guard)
    }
    took = time.perf_counter() - started
    result = Result(destination.path, recorder.frames, recorder.digest, took, seconds)
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
    assembly: Assembly,
    plan: Plan,
    stack: ExitStack,
    cache: LayerCache | None,
    checkpoints: Checkpoints,
) -> list[AnyNode]:
    """Open every stage and the sink; the stack closes them, whatever happens."""
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    recalls = _recalls(assembly, plan, cache)
    for entry, planned, stage, recall in zip(
        assembly.entries, plan.stages, assembly.stages, recalls, strict=True
    ):
        stack.callback(stage.close)
        Guard(planned.name)(None, stage.open, clip, planned.context)
        nodes.append(make_node(planned, stage, entry, checkpoints=checkpoints, recall=recall))
        stack.callback(nodes[-1].close)
        clip = planned.clip
    stack.callback(assembly.sink.close)
    Guard(plan.sink.name)(None, assembly.sink.open, clip, plan.sink.context)
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
    nodes: list[AnyNode],
    numbering: ChunkNumbering,
    checkpoint: Checkpoint | None,
) -> list[Flow]:
    """The nodes in order, with the numbering of shots and chunks where it belongs."""
    if checkpoint is not None:
        for node in nodes:
            planned = node.planned
            saved = checkpoint.states[planned.name]
            node.restore(load_stage_state(saved, planned.context.device))
    flows: list[Flow] = [node.run for node in nodes]
    kinds = [entry.kind for entry in assembly.entries]
    if "shots" not in kinds:
        return [numbering.run, *flows]
    at = kinds.index("shots")
    shots = flows[at]
    return [*flows[:at], lambda frames: numbering.run(shots(frames)), *flows[at + 1 :]]


def _stream(
    engine: Engine,
    reader: FrameReader,
    flows: list[Flow],
    queue: int,
    guards: list[Guard],
    timeout: float,
) -> Generator[Frame, None, None]:
    if engine == "threaded" and queue:
        yield from run_threaded(reader.run(), flows, queue, guards=guards, limit=timeout)
    else:
        yield from run_serial(reader.run(), flows)
