"""What runs in the processes of a Ray cluster: a unit of a clip, and the search for units."""

from __future__ import annotations

import os
import pickle
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from vidstyle.core.clip import Note
from vidstyle.core.errors import DeviceError
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.chunks import gather_chunks
from vidstyle.runner.execution.ray_cluster import import_ray
from vidstyle.runner.execution.serial import drive_serial
from vidstyle.runner.execution.shipment import Shipment, copy_here, localize, missing_here
from vidstyle.runner.execution.threaded import drive_threaded
from vidstyle.runner.execution.units import AllUnits, find_units
from vidstyle.runner.execution.work import RunningWork, Work
from vidstyle.runner.plan.identity import own_code_digest
from vidstyle.runner.storage.chunk_rows import ChunkRows, chunk_rows
from vidstyle.runner.storage.stored import StoredImage, UnitStart

Pieces: TypeAlias = Mapping[int, Sequence[tuple[int, Any]]]
"""Of each shipment that has to be copied: the number of a file and a reference to its bytes."""


@dataclass(frozen=True, slots=True)
class UnitTask:
    """What is asked of another machine."""

    plan: Plan
    work: Work
    shipments: tuple[Shipment, ...]
    code: str
    """Hash of the code and the libraries that the plan was made with."""
    images: tuple[StoredImage, ...] = field(default=(), repr=False)
    """Frames of the first chunk that are computed already."""


@dataclass(frozen=True, slots=True)
class UnitEnd:
    """A unit is whole."""

    start: Fraction
    """When the run's first frame is shown, in seconds on the file's clock."""
    notes: tuple[Note, ...]
    seconds: Mapping[str, float]
    """Time inside each stage."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of it, behind its chunks."""

    end: UnitEnd | None = None
    missing: tuple[int, ...] = ()
    """Numbers of shipments that are not on the machine, and have to be sent."""
    error: Exception | None = None


def compute_unit(task: UnitTask, pieces: Pieces) -> Iterator[ChunkRows | Answer]:
    """Compute a unit: its chunks, one at a time in memory, and an answer.

    Raises nothing: errors are part of the answer.
    """
    try:
        plan, work, missing = _prepare(task, pieces)
        if missing:
            yield Answer(missing=missing)
            return
        drive = drive_threaded if plan.queue else drive_serial
        with RunningWork(plan, work, drive, task.images) as running:
            for chunk, _ in gather_chunks(running):
                yield chunk_rows(chunk.number, chunk.header, chunk.records, chunk.stored)
            yield Answer(end=UnitEnd(running.start, running.notes, dict(running.seconds)))
    except Exception as error:
        yield Answer(error=portable_error(error))


def search_units(task: UnitTask, pieces: Pieces) -> Iterator[UnitStart | AllUnits | Answer]:
    """Find the units of a work; last comes ``AllUnits``, or an answer where that cannot be."""
    try:
        plan, work, missing = _prepare(task, pieces)
        if missing:
            yield Answer(missing=missing)
        else:
            yield from find_units(plan, work)
    except Exception as error:
        yield Answer(error=portable_error(error))


def remove_copies(job: str) -> None:
    """Remove what was copied to this machine."""
    import shutil

    shutil.rmtree(_folder_of(job), ignore_errors=True)


def portable_error(error: Exception) -> Exception:
    """The error, or one with its text where it cannot be sent."""
    with suppress(Exception):
        pickle.loads(pickle.dumps(error))
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def _prepare(task: UnitTask, pieces: Pieces) -> tuple[Plan, Work, tuple[int, ...]]:
    """Plan and work with this machine's paths, or what is missing for that."""
    if task.code != own_code_digest():
        raise DeviceError(
            f"{socket.gethostname()} has other versions of the libraries that compute pixels;"
            " install the same ones on all machines of the cluster"
        )
    ray = import_ray()
    folder = _folder_of(ray.get_runtime_context().get_job_id())
    for number in missing_here(task.shipments, folder):
        if number in pieces:
            arriving = ((file, ray.get(data)) for file, data in pieces[number])
            copy_here(task.shipments[number], folder, arriving)
    missing = tuple(missing_here(task.shipments, folder))
    if missing:
        return task.plan, task.work, missing
    return *localize(task.plan, task.work, task.shipments, folder), ()


def _folder_of(job: str) -> Path:
    """Of the copies of one driver, for all processes of this machine."""
    return Path(tempfile.gettempdir()) / f"vidstyle-ray-{os.getuid()}-{job}"
