"""What is missing from a store: where runs have to start so that all chunks are there.

What was computed on one machine in turn, and what several have computed as units, lies in one
store: a run of either kind resumes the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vidstyle.runner.storage.checkpoint import Checkpoint
from vidstyle.runner.storage.store import CHUNKS, Store
from vidstyle.runner.storage.stored import UnitStart

PLANNED = "planned"
"""Fact that is noted when the starts of all units are known: how many chunks there will be."""
START = "start"
"""Fact: the first frame's time in seconds."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a run starts, and where it stops."""

    chunk: int = 0
    """The first that is to be made."""
    checkpoint: Checkpoint | None = None
    """Before the first frame that is read; None at the beginning."""
    images: int = 0
    """How many frames of the chunk are kept: they lie before the checkpoint."""
    first: int | None = None
    """Index of the chunk's first frame where frames before it are read as well; else None."""
    stop: int | None = None
    """Index of the first frame that is there again; None where nothing follows."""
    overlap: int = 0
    """Frames before ``first`` that are computed and dropped."""


def find_missing(store: Store) -> tuple[Resumption, ...]:
    """What is to be made, in order; empty where all is there.

    What is used is whole, by its hashes; all else is dropped.
    """
    # Where a long shot is cut must be known: a run that missed it would give other frames.
    if not (store.is_whole() and store.knows_units()):
        store.begin(store.facts)
        return (Resumption(),)
    sound = store.sound_chunks()
    count = next(number for number in range(len(sound) + 1) if number not in sound)
    facts = store.facts
    planned = facts.get(PLANNED)
    if count and START in facts and str(count) in (facts.get(CHUNKS), planned):
        return ()
    units = store.units()
    first = _resumption(store, count, units)
    ends = [*(unit.chunk for unit in units[1:]), *([int(planned)] if planned else [])]
    # Behind the place where the run resumes a unit counts whole or not at all.
    whole = [
        (unit, end)
        for unit, end in zip(units, ends, strict=False)
        if unit.chunk > first.chunk and all(each in sound for each in range(unit.chunk, end))
    ]
    store.forget(first.chunk, {each for unit, end in whole for each in range(unit.chunk, end)})
    return tuple(_gaps(first, whole, {unit.chunk: unit for unit in units}, planned))


def start_of(unit: UnitStart) -> Resumption:
    """A run that starts with a unit."""
    return Resumption(unit.chunk, unit.start, first=unit.first, overlap=unit.overlap)


def _resumption(store: Store, count: int, units: Sequence[UnitStart]) -> Resumption:
    """Where to start with ``count`` chunks at the beginning that are there."""
    if (paused := store.paused(count)) is not None:
        return Resumption(count, *paused)
    store.drop_images()
    known = [start_of(unit) for unit in units if unit.chunk <= count]
    checkpoint = next(store.checkpoints(count), None)
    if checkpoint is not None:
        known.append(Resumption(*checkpoint))
    return max(known, key=lambda each: each.chunk, default=Resumption())


def _gaps(
    first: Resumption,
    whole: Sequence[tuple[UnitStart, int]],
    units: dict[int, UnitStart],
    planned: str | None,
) -> Iterator[Resumption]:
    """What lies between units that are whole, and behind the last."""
    ends = [(first.chunk, first), *((end, None) for _, end in whole)]
    starts = [(unit.chunk, unit.first) for unit, _ in whole]
    for (end, start), following in zip(ends, [*starts, None], strict=True):
        if following is None and str(end) == planned:
            return
        if following is not None and following[0] == end:
            continue
        gap = start or start_of(units[end])
        stop = None if following is None else following[1]
        yield replace(gap, stop=stop)
