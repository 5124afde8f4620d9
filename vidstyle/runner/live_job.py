"""One clip through one pipeline where an end of it is a pipe: no resuming, no manifest, no wait."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import UsageError
from vidstyle.core.plan import Plan
from vidstyle.core.source import Source
from vidstyle.media.piped_output import FileOutput, PipedOutput
from vidstyle.media.piped_video import PacketQueue, PipedVideo
from vidstyle.runner.clips import FILE_SOURCE, fitted
from vidstyle.runner.config.output_format import PIPE_SINK, VIDEO_SINK
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.execution.events import Listener, NoteEvent, Planned, Result
from vidstyle.runner.execution.live import run_live
from vidstyle.runner.interval import (
    Indices,
    Interval,
    TimeInterval,
    indices_in,
    thinning_notes,
)
from vidstyle.runner.plan.assembly import Assembly, assemble, make_stage
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.guard import Guard, close_with
from vidstyle.runner.plan.memory import BUDGET
from vidstyle.runner.plan.resolve import make_plan
from vidstyle.runner.plan.side_reading import open_side_inputs
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.encode.pipe import EncodePipe, live_container
from vidstyle.stages.encode.pipe_options import PipeForm, PipeOptions

# Stands for the name of a pipe where a name says whether it is a video.
_VIDEO = Path("pipe.mkv")
_FORMS: tuple[PipeForm, ...] = ("y4m", "mkv", "raw")


@dataclass(frozen=True, slots=True)
class LiveJob:
    """What a user asked for; input, output or both are pipes."""

    pipeline: Pipeline
    input: Path | PipedVideo
    output: Path | PipedOutput
    form: PipeForm | None = None
    """What is written; None for what fits the input, or the name of the output."""
    device: str = "auto"
    frames: Interval = (0, None)
    """Half-open interval of frame indices, or of times."""
    overwrite: bool = False
    timeout: float = 1800.0
    """Seconds that a stage may take for a frame, or for a span of them."""
    budget: int = BUDGET
    """Bytes of memory that the run may take."""


@contextmanager
def prepared_live(job: LiveJob) -> Generator[tuple[Assembly, Plan], None, None]:
    """Open the input, check the output and resolve the plan; write nothing.

    Of a pipe the first frame is read. Raises a VidstyleError for what would stop the run.
    """
    pipeline = _check_ends(job)
    first, *middle, last = pipeline.stages
    source = make_stage(first)
    with ExitStack() as stack:
        close_with(stack, first.name, source.close)
        context = ExecutionContext(threads=available_cores())
        given = job.input
        opening = source.open_pipe if isinstance(given, PipedVideo) else source.open
        clip: Clip = Guard(first.name)(None, opening, given, context)
        frames, notes = Guard(first.name)(None, _indices, job, source, clip)
        clip = replace(clip, notes=(*clip.notes, *notes))
        entry = _sink_entry(job, last, source)
        pipeline = replace(pipeline, stages=(first, *middle, entry))
        inputs = stack.enter_context(open_side_inputs(pipeline.inputs, clip, context))
        assembly = assemble(pipeline, source, clip, inputs=inputs, device=job.device)
        plan = make_plan(assembly, frames=frames, budget=job.budget, live=True)
        Guard(entry.name)(None, assembly.sink.check, Path(str(job.output)), plan.sink.clip)
        yield assembly, plan


def run(job: LiveJob, *, listen: Listener) -> Result:
    """Run the job to its end.

    Args:
        job: What to do.
        listen: Gets the events.

    Returns:
        What was written.

    Raises:
        VidstyleError: As any run; a file is then untouched, and a pipe has what was written.
    """
    with prepared_live(job) as (assembly, plan), ExitStack() as stack:
        output, destination = _open_output(job, stack)
        sink = cast("EncodePipe", assembly.sink)
        close_with(stack, plan.sink.name, sink.close)
        guard = Guard(plan.sink.name)
        guard(None, sink.open, plan.sink.clip, plan.sink.context)
        listen(Planned(plan, Path(str(job.output))))
        for note in assembly.clip.notes:
            listen(NoteEvent(note))
        cut = plan.frames != (0, None)
        writer = guard(
            None, lambda: sink.stream(output, Path(str(job.output)), _original(job), cut=cut)
        )
        stack.callback(writer.close)
        # What closes a file writes its end, for which nobody waits where something has failed.
        stack.push(lambda kind, error, trace: output.abandon(error) if error else None)
        given = job.input
        result = run_live(
            assembly,
            plan,
            writer,
            str(job.output),
            listen=listen,
            timeout=job.timeout,
            watch=output.check_reader,
            interrupt=given.close if isinstance(given, PipedVideo) else _nothing,
            measured=isinstance(given, PipedVideo),
        )
        if isinstance(output, FileOutput) and destination is not None:
            output.close()
            destination.commit()
    listen(result)
    return result


def pipe_form(text: str) -> PipeForm:
    """``y4m``, ``mkv`` or ``raw``. Raises UsageError for anything else."""
    for form in _FORMS:
        if form == text:
            return form
    raise UsageError(f"--format {text}: wanted {', '.join(_FORMS)}")


def _indices(job: LiveJob, source: Source, clip: Clip) -> tuple[Indices, tuple[Note, ...]]:
    """The frame numbers that are wanted, and what is to be noted of them.

    Of a pipe nobody can look ahead: numbers stay, and times are those of a clip of its rate.
    """
    wanted, rate = job.frames, clip.frame_rate
    if not isinstance(job.input, PipedVideo):
        return indices_in(wanted, source, clip)
    if not isinstance(wanted, TimeInterval):
        return wanted, thinning_notes(wanted, source, clip)
    if rate is None:
        raise UsageError(f"--frames {wanted}: the input does not say its rate; give frame numbers")
    stop = None if wanted.stop is None else math.ceil(wanted.stop * rate)
    return (math.ceil(wanted.start * rate), stop), ()


def _check_ends(job: LiveJob) -> Pipeline:
    """The pipeline as it reads this input. Raises UsageError where a pipe does not fit."""
    pipeline = fitted(job.pipeline, Path(str(job.input)), _VIDEO)
    first, *_, last = pipeline.stages
    if isinstance(job.input, PipedVideo) and first.use != FILE_SOURCE:
        raise UsageError(f"{job.input}: {first.use} reads no pipe, only {FILE_SOURCE} does")
    if last.use != VIDEO_SINK:
        raise UsageError(f"{last.use} writes no frames as they are done, only {VIDEO_SINK} does")
    if isinstance(job.output, Path):
        if job.output.is_dir():
            raise UsageError(f"{job.output} is a folder: name the output of a pipe, as in out.mkv")
        if live_container(job.output.suffix) is None and _form(job) == "file":
            raise UsageError(
                f"{job.output}: frames of a pipe are written to .y4m, .mkv, .mp4, .mov or .webm"
            )
        source = job.input if isinstance(job.input, Path) else Path(str(job.input))
        Destination(job.output, job.overwrite).check(source)
    if isinstance(job.input, PipedVideo) and (_form(job) in ("mkv", "file")):
        job.input.beside = PacketQueue()
    return pipeline


def _form(job: LiveJob) -> PipeForm:
    """What is written."""
    if job.form is not None:
        return job.form
    if isinstance(job.output, Path):
        return "y4m" if job.output.suffix.lower() == ".y4m" else "file"
    if not isinstance(job.input, PipedVideo):
        return "y4m" if job.input.suffix.lower() == ".y4m" else "mkv"
    if job.input.raw is not None:
        return "raw"
    return "y4m" if job.input.is_y4m else "mkv"


def _sink_entry(job: LiveJob, last: StageEntry, source: object) -> StageEntry:
    """The entry of the stage that writes frame by frame, with the options of the pipeline's own."""
    given, live = last.options, job.input if isinstance(job.input, PipedVideo) else None
    options = PipeOptions(
        **{name: getattr(given, name) for name in given.model_fields_set},
        form=_form(job),
        like=source.pixel_format if isinstance(source, DecodePyAV) else "",
        rate=_thinned_rate(source),
        siting=live.chroma_siting if live is not None else "center",
    )
    return replace(last, use=PIPE_SINK, cls=EncodePipe, options=options)


def _thinned_rate(source: object) -> str:
    """Frames a second where frames are left out; their times are then uneven."""
    thin_to = source.options.thin_to if isinstance(source, DecodePyAV) else None
    return "" if thin_to is None else str(thin_to)


def _open_output(
    job: LiveJob, stack: ExitStack
) -> tuple[PipedOutput | FileOutput, Destination | None]:
    """What takes the bytes; a file is held against other runs, and lies apart until it is whole."""
    if isinstance(job.output, PipedOutput):
        return job.output, None
    destination = Destination(job.output, job.overwrite)
    stack.enter_context(destination.reserved())
    file = FileOutput(destination.partial)
    stack.callback(file.close)
    return file, destination


def _original(job: LiveJob) -> Path | PacketQueue | None:
    """Where sound and subtitles come from."""
    return job.input.beside if isinstance(job.input, PipedVideo) else job.input


def _nothing() -> None:
    return None
