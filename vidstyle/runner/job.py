"""One clip through one pipeline: the call that everything else stands on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.place import Place
from vidstyle.core.plan import Plan
from vidstyle.runner.config import Pipeline
from vidstyle.runner.destination import Destination
from vidstyle.runner.device import available_cores
from vidstyle.runner.events import Event, Listener, Result
from vidstyle.runner.execute import Engine, execute
from vidstyle.runner.plan import Assembly, make_plan


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asked for."""

    pipeline: Pipeline
    input: Path
    output: Path
    device: str = "auto"
    frames: tuple[int, int | None] = (0, None)
    """Half-open interval of frame indices."""
    overwrite: bool = False


def output_suffix(pipeline: Pipeline) -> str:
    """Of the file that the pipeline makes, such as ``.mp4``; empty for a folder of pictures."""
    entry = pipeline.stages[-1]
    suffix: str = entry.cls(entry.options).suffix
    return suffix


@contextmanager
def prepared(job: Job) -> Generator[tuple[Assembly, Plan], None, None]:
    """Open the input, check the destination and settle the plan; decode nothing."""
    destination = Destination(job.output)
    first, *middle, last = job.pipeline.stages
    source = first.cls(first.options)
    try:
        clip = source.open(job.input, Place(threads=available_cores()))
        destination.check(job.input, overwrite=job.overwrite)
        stages = tuple(entry.cls(entry.options) for entry in middle)
        sink = last.cls(last.options)
        assembly = Assembly(job.pipeline, source, stages, sink, clip)
        plan = make_plan(assembly, device=job.device, frames=job.frames)
        sink.check(job.output, plan.sink.clip)
        yield assembly, plan
    finally:
        source.close()


def run(job: Job, *, engine: Engine = "threaded", listen: Listener | None = None) -> Result:
    """Run the job to its end. Raises a VidstyleError, and then the destination is untouched."""
    with prepared(job) as (assembly, plan):
        return execute(
            assembly,
            plan,
            Destination(job.output),
            original=job.input,
            engine=engine,
            listen=listen or _ignore,
        )


def _ignore(_: Event) -> None:
    return None
