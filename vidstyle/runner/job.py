"""One clip through one pipeline: the call that everything else stands on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import DeviceError, NoMemoryError, UsageError
from vidstyle.core.plan import Plan
from vidstyle.core.stop import StopRequest
from vidstyle.imaging.photo_file import is_photo
from vidstyle.runner.clips import fitted
from vidstyle.runner.config.output_format import IMAGE_SINK, VIDEO_SINK
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.computation import Compute, compute_in_turn
from vidstyle.runner.execution.engines import EngineName
from vidstyle.runner.execution.events import AlreadyDone, Event, Listener, NoteEvent, Result
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.execution.work import CacheUse
from vidstyle.runner.interval import Indices, Interval, TimeInterval, indices_in
from vidstyle.runner.plan.assembly import Assembly, assemble, make_stage
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.guard import Guard, close_with
from vidstyle.runner.plan.identity import stage_identities
from vidstyle.runner.plan.memory import BUDGET
from vidstyle.runner.plan.resolve import make_plan
from vidstyle.runner.plan.side_reading import open_side_inputs
from vidstyle.runner.plan.stamp import Stamp, make_stamp
from vidstyle.runner.storage.destination import Destination, check_folder
from vidstyle.runner.storage.layer_cache import LIMIT
from vidstyle.runner.storage.made import Standing, look_up
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.image_format import IMAGE_FORMATS


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asked for."""

    pipeline: Pipeline
    input: Path
    output: Path
    device: str = "auto"
    frames: Interval = (0, None)
    """Half-open interval of frame indices, or of times."""
    split_shots: int | None = None
    """Frames after which a shot is cut into parts that are computed apart; None for never."""
    overwrite: bool = False
    resume: bool = True
    """Whether to resume what an interrupted run of the same job has left."""
    timeout: float = 1800.0
    """Seconds that a stage may take for a frame, or for a span of them."""
    budget: int = BUDGET
    """Bytes of memory that the run may take."""
    cache: Path | None = None
    """A folder where the layers of flow and stylization are looked up and kept."""
    cache_limit: int = LIMIT
    """Bytes that it may take."""
    engine: EngineName = "threaded"
    redo: bool = False
    """Whether an output of ours that was made otherwise is replaced. Unlike with ``overwrite`` one
    that is what the job would make is left."""
    cores: int | None = None
    """Cores that the run may use; None for all that its process may."""
    cluster: str | None = None
    """HOST:PORT of the Ray cluster that computes the frames; None for this process."""


def output_suffix(pipeline: Pipeline, path: Path | None = None) -> str:
    """Of the file that the pipeline makes, such as ``.mp4``; empty for a folder of images.

    Of a photo ``path`` it makes an image, with the photo's own suffix where that can be written.
    """
    entry = pipeline.stages[-1]
    if path is not None and is_photo(path) and entry.use in (VIDEO_SINK, IMAGE_SINK):
        own = path.suffix.lower()
        return own if own in IMAGE_FORMATS else ".png"
    suffix: str = Guard(entry.name)(None, getattr, make_stage(entry), "suffix")
    return suffix


def check_without_clip(
    pipeline: Pipeline, *, device: str = "auto", part: int | None = None
) -> None:
    """Find out what is wrong whatever the clip is: wiring, styles, side inputs, device, parts."""
    with _without_clip(pipeline, device) as assembly:
        make_plan(assembly, part=part)


def stamp_without_clip(job: Job) -> Stamp:
    """What the options of a job make of any clip: jobs with other options have another stamp.

    Raises what is wrong whatever the clip is.
    """
    with _without_clip(job.pipeline, job.device) as assembly:
        by_time = isinstance(job.frames, TimeInterval)
        frames = (0, None) if isinstance(job.frames, TimeInterval) else job.frames
        plan = make_plan(assembly, frames=frames, part=job.split_shots)
        stamp = make_stamp(assembly, plan, "", output_suffix(job.pipeline))
    # Times are other frames of each clip.
    asked = {"frames": str(job.frames)} if by_time else {}
    return replace(stamp, frames={**stamp.frames, **asked})


@contextmanager
def _without_clip(pipeline: Pipeline, device: str) -> Generator[Assembly, None, None]:
    """The objects for a clip that stands for any."""
    # Has all that an input may have, so that only what nothing can provide is missing.
    clip = Clip(640, 360, Fraction(1, 25), Fraction(25), alpha=True)
    context = ExecutionContext()
    with open_side_inputs(pipeline.inputs, clip, context, any_shape=True) as inputs:
        source = make_stage(pipeline.stages[0])
        yield assemble(pipeline, source, clip, inputs=inputs, device=device)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a job will meet, known before a frame is decoded."""

    standing: Standing
    memory: int
    """Bytes that it takes at most."""
    device: str
    """``cpu`` or ``cuda:N``."""
    frames: int | None
    """How many there will be, where that is known; an estimate."""


def find_outlook(job: Job) -> Outlook:
    """Open the input and resolve the plan. Raises what stops the job; writes nothing."""
    with prepared(job, to_write=False) as (assembly, plan):
        standing = look_up(job.output, job.input, assembly, plan)
        if standing.state == "absent":
            check_folder(job.output.parent)
        return Outlook(standing, plan.memory, plan.device, plan.frame_total)


def has_work(job: Job) -> bool:
    """Whether there is something to make. Raises what stops the job; writes nothing."""
    with prepared(job) as (assembly, plan):
        return find_standing(job, assembly, plan).state != "done"


@contextmanager
def prepared(
    job: Job, *, below: Plan | None = None, to_write: bool = True
) -> Generator[tuple[Assembly, Plan], None, None]:
    """Open the input, check the destination and resolve the plan; decode nothing.

    What lies at the destination is for ``find_standing``. The plan takes less memory than the one
    ``below``. With ``to_write`` the output's folder must be there.
    """
    pipeline = fitted(job.pipeline, job.input, job.output)
    _check_photo(job)
    first, *_, last = pipeline.stages
    source = make_stage(first)
    with ExitStack() as stack:
        close_with(stack, first.name, source.close)
        context = ExecutionContext(threads=job.cores or available_cores())
        clip = Guard(first.name)(None, source.open, job.input, context)
        frames, notes = Guard(first.name)(None, indices_in, job.frames, source, clip)
        clip = replace(clip, notes=(*clip.notes, *notes))
        for path in (job.input, *(side.path for side in job.pipeline.inputs)) if to_write else ():
            Destination(job.output, overwrite=True).check(path)
        with open_side_inputs(job.pipeline.inputs, clip, context) as inputs:
            assembly = assemble(
                pipeline, source, clip, inputs=inputs, device=job.device, cores=job.cores
            )
            plan = _plan(job, assembly, frames, below)
            wanted = replace(plan.sink.clip, frame_count=plan.frame_total)
            Guard(last.name)(None, assembly.sink.check, job.output, wanted)
            yield assembly, plan


def _check_photo(job: Job) -> None:
    """Raise UsageError where one image would become a video, or what nobody writes."""
    suffix = job.output.suffix.lower()
    if not is_photo(job.input) or suffix in (*IMAGE_FORMATS, ".gif"):
        return
    if suffix in CONTAINERS:
        name = job.output.with_suffix(".png").name
        raise UsageError(
            f"{job.input} is one image, and {job.output} the name of a video; name the output"
            f" {name}, or pass a folder of images"
        )
    if job.pipeline.stages[-1].use == VIDEO_SINK:
        found = f"the suffix {suffix}" if suffix else "no suffix"
        raise UsageError(
            f"{job.output} has {found}: for an image name the output {', '.join(IMAGE_FORMATS)}"
        )


def find_standing(job: Job, assembly: Assembly, plan: Plan) -> Standing:
    """What lies at the output. Raises OutputError where the job may not replace it."""
    if job.overwrite:
        return Standing(job.output, "absent")
    standing = look_up(job.output, job.input, assembly, plan)
    if not (job.redo and standing.state == "other"):
        standing.check()
    return standing


def run(
    job: Job,
    *,
    listen: Listener | None = None,
    stop: StopRequest | None = None,
) -> Result:
    """Run the job to its end. Raises a VidstyleError, and then the destination is untouched.

    What runs out of memory is tried again with shorter queues. Where the output is what the job
    would make, nothing is done. With ``stop`` somebody may ask the run to store what is finished,
    and to raise.
    """
    failed: Plan | None = None
    while True:
        with prepared(job, below=failed) as (assembly, plan):
            standing = find_standing(job, assembly, plan)
            if standing.state == "done" and standing.entry is not None:
                done = AlreadyDone(job.output, standing.entry.frames, standing.entry.digest)
                (listen or _ignore)(done)
                return done.result
            try:
                rule = PauseRule(stop=stop or StopRequest())
                wanted = replace(job, overwrite=job.overwrite or standing.state == "other")
                return _executed(wanted, assembly, plan, listen or _ignore, rule)
            except NoMemoryError as error:
                if not _can_save(assembly, job, plan):
                    raise
                failed, reason = plan, str(error)
        (listen or _ignore)(NoteEvent(Note("memory", f"{reason.split(';')[0]}: tried with less")))


def _executed(
    job: Job,
    assembly: Assembly,
    plan: Plan,
    listen: Listener,
    rule: PauseRule,
) -> Result:
    if job.split_shots is not None and plan.split is None:
        listen(NoteEvent(Note("split-shots", "no effect: each frame is computed by itself")))
    return execute(
        assembly,
        plan,
        Destination(job.output, job.overwrite),
        original=job.input,
        compute=_compute(job),
        listen=listen,
        resume=job.resume,
        timeout=job.timeout,
        rule=rule,
        cache=_cache_use(job, assembly, plan),
    )


def _compute(job: Job) -> Compute:
    if job.cluster is None:
        return compute_in_turn(job.engine)
    from vidstyle.runner.execution.ray_units import compute_on_ray

    return compute_on_ray(job.cluster)


def _cache_use(job: Job, assembly: Assembly, plan: Plan) -> CacheUse | None:
    if job.cache is None:
        return None
    return CacheUse(job.cache, job.cache_limit, tuple(stage_identities(assembly, plan)))


def _plan(job: Job, assembly: Assembly, frames: Indices, below: Plan | None) -> Plan:
    return make_plan(assembly, frames=frames, part=job.split_shots, budget=job.budget, below=below)


def _can_save(assembly: Assembly, job: Job, plan: Plan) -> bool:
    """Whether there is a plan that takes less."""
    try:
        _plan(job, assembly, plan.frames, plan)
    except DeviceError:
        return False
    return True


def _ignore(_: Event) -> None:
    return None
