"""``vidstyle run`` with ``-``: standard input, standard output or both instead of files."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from vidstyle.cli import shared_options as given
from vidstyle.cli.option_groups import ComputationOptions, ExistingOptions
from vidstyle.core.errors import UsageError

if TYPE_CHECKING:
    from vidstyle.media.piped_output import PipedOutput
    from vidstyle.media.piped_video import PipedVideo
    from vidstyle.runner.config.pipeline import Pipeline
    from vidstyle.runner.interval import Interval
    from vidstyle.runner.live_job import LiveJob

STANDARD = Path("-")
"""Standard input as an input."""
_EXAMPLE = "ffmpeg -i in.mp4 -f yuv4mpegpipe - | vidstyle run temporal - -o - | ffplay -"


def clip_path(text: str) -> Path:
    """The path that somebody has typed; ``STANDARD`` for ``-`` alone, and for no other name."""
    path = Path(text)
    return path.absolute() if path == STANDARD and text != "-" else path


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """What comes and goes by pipes."""

    TITLE: ClassVar = "Pipes"

    raw: given.Raw = None
    pipe_format: given.PipeFormat = None

    @property
    def given(self) -> bool:
        """Whether one of them is."""
        return self.raw is not None or self.pipe_format is not None


@dataclass(frozen=True, slots=True)
class PipeCall:
    """What was typed, as far as a run with a pipe takes it."""

    inputs: Sequence[Path]
    output: str | None
    """As typed."""
    stream: StreamOptions
    interval: Interval
    computation: ComputationOptions
    existing: ExistingOptions
    others: Mapping[str, object]
    """Further options that need files, by their names."""
    dry_run: bool
    as_json: bool

    @property
    def is_piped(self) -> bool:
        """Whether an end of the run is a pipe, or an option wants one."""
        return STANDARD in self.inputs or self.output == "-" or self.stream.given

    @property
    def suffix(self) -> str:
        """Of the output, as ``load_pipeline`` takes it; y4m has no codec."""
        suffix = Path(self.output or "").suffix
        return "" if suffix.lower() == ".y4m" else suffix

    def check(self) -> None:
        """Raise UsageError for what cannot be, before anything is loaded."""
        raw, form = self.stream.raw, self.stream.pipe_format
        if STANDARD not in self.inputs and self.output != "-":
            option = "--raw" if raw is not None else "--format"
            raise UsageError(f"{option} is for pipes: give - as the input or the output")
        for option, value in self._need_files():
            if value:
                raise UsageError(f"{option} needs files: a run with a pipe stores nothing")
        if len(self.inputs) > 1:
            raise UsageError("a run with a pipe takes one input, and - can be read once")
        (source,) = self.inputs
        if raw is not None and source != STANDARD:
            raise UsageError("--raw says what comes by standard input: give - as the input")
        if self.output is None:
            raise UsageError("a pipe has no name: say with -o what the output is, as in -o out.mkv")
        if form is not None and self.output != "-":
            raise UsageError("--format is for -o -; the suffix of a file says what it is")
        if source == STANDARD:
            _check_descriptor(0, "standard input", "pipe a video into it")
        if self.output == "-":
            _check_descriptor(1, "standard output", "pipe it into a player, or name a file with -o")

    def _need_files(self) -> Iterator[tuple[str, object]]:
        """Options that a run with a pipe cannot heed, and whether they are given."""
        yield "--split-shots", self.computation.split_shots
        yield "--cache", self.computation.cache
        yield "--redo", self.existing.redo
        yield "--keep", self.existing.keep
        yield from self.others.items()

    def run(self, pipeline: Pipeline) -> None:
        """Run it, with progress and notes on standard error.

        JSON goes there, too, where standard output has the video.
        """
        with ExitStack() as stack:
            job = self._job(pipeline, stack)
            if self.dry_run:
                _print_plan(job, as_json=self.as_json)
            else:
                _run(job, as_json=self.as_json)

    def _job(self, pipeline: Pipeline, stack: ExitStack) -> LiveJob:
        """The job; the stack gives standard input and output back."""
        from vidstyle.media import piped_output, piped_video
        from vidstyle.media.raw_video import parse_raw_video
        from vidstyle.runner.live_job import LiveJob, pipe_form
        from vidstyle.runner.plan.memory import parse_size

        (source,) = self.inputs
        assert self.output is not None
        raw, form = self.stream.raw, self.stream.pipe_format
        described = None if raw is None else parse_raw_video(raw, "--raw")
        wanted = None if form is None else pipe_form(form)
        budget = parse_size(self.computation.max_memory, "--max-memory")
        given_input: Path | PipedVideo = source
        given_output: Path | PipedOutput = Path(self.output)
        if source == STANDARD:
            given_input = piped_video.PipedVideo(stack.enter_context(_own_input()), described)
        if self.output == "-":
            given_output = piped_output.PipedOutput(stack.enter_context(_own_output()))
        return LiveJob(
            pipeline,
            given_input,
            given_output,
            wanted,
            self.computation.device,
            self.interval,
            overwrite=self.existing.overwrite,
            timeout=self.computation.timeout,
            budget=budget,
        )


def _print_plan(job: LiveJob, *, as_json: bool) -> None:
    from vidstyle.cli.plan_text import print_plan
    from vidstyle.cli.style_learning import with_planned_styles
    from vidstyle.runner import live_job as jobs

    planned = replace(job, pipeline=with_planned_styles(job.pipeline))
    with jobs.prepared_live(planned) as (_, plan):
        print_plan(plan, as_json=as_json)


def _run(job: LiveJob, *, as_json: bool) -> None:
    from vidstyle.cli.interruption import explain_interruption
    from vidstyle.cli.progress import listener
    from vidstyle.cli.run_title import run_title
    from vidstyle.cli.style_learning import with_learned_styles
    from vidstyle.runner import live_job as jobs
    from vidstyle.runner.execution.events import Event, FrameDone

    def check(stand_in: Pipeline) -> None:
        with jobs.prepared_live(replace(job, pipeline=stand_in)):
            pass

    learned = with_learned_styles(job.pipeline, device=job.device, as_json=as_json, check=check)
    written = 0

    def count(event: Event) -> None:
        nonlocal written
        if isinstance(event, FrameDone):
            written = event.done
        show(event)

    def what_is_left() -> str:
        if isinstance(job.output, Path):
            return "the destination is untouched"
        return "1 frame was written" if written == 1 else f"{written} frames were written"

    title = run_title(job.pipeline)
    with listener(as_json=as_json, title=title) as show, explain_interruption(what_is_left):
        jobs.run(replace(job, pipeline=learned), listen=count)


def _check_descriptor(number: int, name: str, advice: str) -> None:
    """Raise UsageError where a standard stream is a terminal."""
    if os.isatty(number):
        raise UsageError(f"{name} is a terminal: {advice}, as in: {_EXAMPLE}")


@contextmanager
def _own_input() -> Generator[int, None, None]:
    """Standard input under a number of its own; nobody else reads from it meanwhile."""
    own, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        yield own
    finally:
        os.dup2(own, 0)
        os.close(own)


@contextmanager
def _own_output() -> Generator[int, None, None]:
    """Standard output under a number of its own; what else is printed goes to standard error."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield own
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)
