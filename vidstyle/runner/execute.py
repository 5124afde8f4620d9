"""Runs a plan: source, stages, sink, store, join, rename."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

from vidstyle.core.clip import Notice
from vidstyle.core.plan import Plan
from vidstyle.runner.destination import Destination
from vidstyle.runner.device import limit_threads
from vidstyle.runner.encoding import Encoding
from vidstyle.runner.events import Listener, Noticed, Planned, Result
from vidstyle.runner.guard import guarded
from vidstyle.runner.keyframes import options_at
from vidstyle.runner.nodes import AnyNode, make_node
from vidstyle.runner.parcel import Parcel
from vidstyle.runner.plan import Assembly
from vidstyle.runner.reading import Reading
from vidstyle.runner.serial import Flow, run_serial, through
from vidstyle.runner.stamp import Stamp
from vidstyle.runner.store import Store
from vidstyle.runner.threaded import run_threaded

Engine = Literal["threaded", "serial"]


def execute(
    assembly: Assembly,
    plan: Plan,
    destination: Destination,
    *,
    original: Path,
    engine: Engine,
    listen: Listener,
) -> Result:
    """Make the destination. Raises a VidstyleError, and then the destination is untouched."""
    started = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(destination.reserved())
        store = stack.enter_context(Store(destination.store))
        nodes = _open_nodes(assembly, plan, stack)
        limit_threads(plan.sink.place.threads)
        listen(Planned(plan, destination.path))
        _tell(listen, assembly.clip.notices)
        stack.callback(lambda: _tell(listen, _met(assembly)))
        reading = Reading(assembly.source, plan, assembly.inputs)
        encoding = Encoding(assembly.sink, plan, store, listen)
        with closing(_stream(engine, reading, _flows(assembly, plan, nodes), plan)) as stream:
            encoding.consume(stream)
        encoding.join(original, destination, reading.start or Fraction(0))
        destination.commit()
    seconds = {
        plan.source.name: reading.seconds,
        **{node.planned.name: node.seconds for node in nodes},
        plan.sink.name: encoding.seconds,
    }
    took = time.perf_counter() - started
    result = Result(destination.path, encoding.frames, encoding.digest, took, seconds)
    listen(result)
    return result


def _met(assembly: Assembly) -> Iterator[Notice]:
    """What reading and joining have found out."""
    yield from assembly.source.notices
    for side in assembly.inputs:
        yield from side.notices
    for stage in assembly.stages:
        # Of filters that count what they find; most stages have nothing to tell.
        yield from getattr(stage, "notices", ())
    yield from assembly.sink.notices


def _tell(listen: Listener, notices: Iterable[Notice]) -> None:
    for notice in notices:
        listen(Noticed(notice))


def _open_nodes(assembly: Assembly, plan: Plan, stack: ExitStack) -> list[AnyNode]:
    """Open every stage and the sink; the stack closes them, whatever happens."""
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    for entry, planned, stage in zip(assembly.entries, plan.stages, assembly.stages, strict=True):
        stack.callback(stage.close)
        guarded(planned.name, None, partial(stage.open, clip, planned.place))
        nodes.append(make_node(planned, stage, partial(options_at, entry)))
        stack.callback(nodes[-1].close)
        clip = planned.clip
    stack.callback(assembly.sink.close)
    guarded(plan.sink.name, None, partial(assembly.sink.open, clip, plan.sink.place))
    return nodes


def _flows(assembly: Assembly, plan: Plan, nodes: list[AnyNode]) -> list[Flow]:
    """The nodes in order, with the numbering of shots and chunks where it belongs."""
    flows = [through(node) for node in nodes]
    stamp = partial(_stamped, Stamp(*plan.chunk))
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
    engine: Engine, parcels: Iterable[Parcel], flows: list[Flow], plan: Plan
) -> Generator[Parcel, None, None]:
    if engine == "threaded":
        yield from run_threaded(parcels, flows, plan.queue)
    else:
        yield from run_serial(parcels, flows)
