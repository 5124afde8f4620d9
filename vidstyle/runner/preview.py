"""A few frames of a clip, stylized each by itself, before the long run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidstyle.core.errors import UsageError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.core.source import SeekingSource
from vidstyle.runner.execution.nodes import AnyNode, open_node
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.interval import TimeInterval
from vidstyle.runner.job import Job, output_suffix, prepared
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.parts import make_parts


@dataclass(frozen=True, slots=True, eq=False)
class PreviewFrame:
    """One stylized frame."""

    seconds: Fraction
    """When it is shown, since the clip's first frame."""
    image: npt.NDArray[np.uint8]
    """(H, W, 3) RGB; what is transparent is shown on black."""


def preview_frames(job: Job, count: int) -> Iterator[PreviewFrame]:
    """Stylize frames that are spread evenly, in order. Writes nothing.

    The source seeks them. Each is a shot of its own, so that nothing is blended with it: where the
    blend keeps what the frames before have shown, the run's frame differs.

    Args:
        job: What would be run; its output does not matter.
        count: How many, where the clip has as many.

    Raises:
        UsageError: The source cannot seek.
        VidstyleError: What stops the run, too.
    """
    with _open_whole(job) as (assembly, plan, source), ExitStack() as stack:
        begin, moments = _spread(job, plan, _length(plan, source), count)
        nodes = _open_nodes(stack, plan)
        limit_threads(plan.source.context.threads)
        frames = _read(assembly, plan, source, moments, begin)
        moment = iter(moments)
        for frame in run_serial(frames, [node.run for node in nodes]):
            yield PreviewFrame(next(moment), _pixels(frame))


def preview_moments(job: Job, count: int) -> list[Fraction]:
    """Find what ``preview_frames`` would stylize, without decoding it.

    Args:
        job: What would be run.
        count: How many frames, where the clip has as many.

    Returns:
        When they are shown, in seconds since the clip's first frame.

    Raises:
        UsageError: The source cannot seek.
        VidstyleError: What stops the run, too.
    """
    with _open_whole(job) as (_, plan, source):
        return list(_spread(job, plan, _length(plan, source), count)[1])


@contextmanager
def _open_whole(job: Job) -> Iterator[tuple[Assembly, Plan, SeekingSource]]:
    """The clip, whatever part of it is wanted. Raises UsageError where it cannot be sought in."""
    # A name that nobody has: the sink is not used.
    output = Path(f".preview{output_suffix(job.pipeline, job.input)}")
    whole = replace(job, frames=(0, None), output=output, cluster=None)
    with prepared(whole, to_write=False) as (assembly, plan):
        if not isinstance(assembly.source, SeekingSource):
            raise UsageError(f"--preview: {plan.source.use} cannot seek; use --frames instead")
        yield assembly, plan, assembly.source


def _length(plan: Plan, source: SeekingSource) -> Fraction:
    length: Fraction = Guard(plan.source.name)(None, source.length)
    return length


def _spread(
    job: Job, plan: Plan, length: Fraction, count: int
) -> tuple[Fraction, Sequence[Fraction]]:
    """When the wanted part of the clip begins, and the middles of equal parts of it."""
    clip, wanted = plan.source.clip, job.frames
    frame = length / clip.frame_count if clip.frame_count else Fraction(1, 25)
    if clip.frame_rate is not None:
        frame = 1 / clip.frame_rate
    if isinstance(wanted, TimeInterval):
        start, stop = wanted.start, wanted.stop
    else:
        start, stop = wanted[0] * frame, None if wanted[1] is None else wanted[1] * frame
    stop = length if stop is None else min(stop, max(length, frame))
    if start >= stop:
        raise UsageError(
            f"--frames starts at {float(start):g}s, but the input ends at {float(length):g}s"
        )
    count = min(count, max(1, round((stop - start) / frame)))
    part = (stop - start) / count
    return start, [start + (2 * at + 1) * part / 2 for at in range(count)]


def _read(
    assembly: Assembly,
    plan: Plan,
    source: SeekingSource,
    moments: Sequence[Fraction],
    begin: Fraction,
) -> Iterator[Frame]:
    """The frames that are shown at these moments, each as a shot."""
    guard = Guard(plan.source.name)
    for number, moment in enumerate(moments):
        frame: Frame = guard(None, source.frame_at, moment)
        layers = {"image": frame.lazy_layer("source")}
        layers |= {side.name: side.at(frame.index, moment) for side in assembly.inputs}
        kept = frame.write(layers, plan.source.keeps)
        yield replace(kept, time=moment - begin, shot=number, chunk=number)


def _open_nodes(stack: ExitStack, plan: Plan) -> list[AnyNode]:
    """All stages but those that find shots; the stack closes them."""
    parts, nodes = make_parts(plan), list[AnyNode]()
    clip = plan.source.clip
    for planned, stage, options in zip(plan.stages, parts.stages, parts.options, strict=True):
        if not planned.use.startswith("shots/"):
            nodes.append(open_node(stack, planned, stage, options, clip))
        clip = planned.clip
    return nodes


def _pixels(frame: Frame) -> npt.NDArray[np.uint8]:
    seen = frame.restrict(("image", "alpha"), "host")
    image = np.clip(seen.host("image"), 0, 1)
    if "alpha" in seen.layers:
        image = image * np.clip(seen.host("alpha"), 0, 1).reshape(*image.shape[:2], 1)
    return np.rint(image * 255).astype(np.uint8)
