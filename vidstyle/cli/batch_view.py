"""The progress of a batch: lines that move on a terminal, lines elsewhere, JSON with ``--json``."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from vidstyle.cli.batch_summary import outcome_json
from vidstyle.cli.batch_tally import BatchTally
from vidstyle.cli.json_output import put_json
from vidstyle.cli.progress import event_json, work_line
from vidstyle.cli.terminal import is_quiet, say, time_text, visible
from vidstyle.cli.waiting import Waiting, show_waiting
from vidstyle.runner.batch import BatchEvent, Looked
from vidstyle.runner.execution.events import Kept, NoteEvent, Resumed
from vidstyle.runner.schedule import Begun, Outcome
from vidstyle.runner.schedule import Progress as ClipProgress

BatchView: TypeAlias = Callable[[BatchEvent], None]

_PLAIN_EVERY_SECONDS = 5.0
_NAME_WIDTH = 20


@contextmanager
def batch_view(
    names: Mapping[Path, str], *, as_json: bool, title: str = ""
) -> Generator[BatchView, None, None]:
    """What shows the events of a batch while the context is open.

    ``names`` are what is shown for inputs, and ``title`` begins the first line.
    """
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    tally = BatchTally(len(names))
    if as_json:
        yield _print_json
    elif is_quiet():
        yield _QuietLines(names, tally)
    elif console.is_terminal:
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            transient=True,
        )
        with bar:
            yield _Bars(names, tally, bar, title)
    else:
        with show_waiting("looking at the clips ...") as waiting:
            yield _Lines(names, tally, title, waiting)


def _print_json(event: BatchEvent) -> None:
    put_json(_as_json(event))


def _as_json(event: BatchEvent) -> dict[str, Any]:
    match event:
        case Looked(jobs):
            return {"event": "batch", "clips": len(jobs)}
        case Begun(job, attempt, because):
            reason = None if because is None else str(because)
            named = {"input": str(job.input), "output": str(job.output)}
            return {"event": "begun", **named, "attempt": attempt, "because": reason}
        case ClipProgress(job, news):
            return {**event_json(news), "input": str(job.input)}
        case Outcome():
            return {"event": "clip", **outcome_json(event)}


class _Lines:
    """A line for each clip that ends and, every few seconds, one for all."""

    def __init__(
        self,
        names: Mapping[Path, str],
        tally: BatchTally,
        title: str = "",
        waiting: Waiting | None = None,
    ) -> None:
        self._names, self._tally, self._title = names, tally, title
        self._waiting = waiting or Waiting()
        self._last = time.perf_counter()

    def __call__(self, event: BatchEvent) -> None:
        self._tally.take(event)
        if isinstance(event, Begun):
            if self._title:
                clips = "1 clip" if len(self._names) == 1 else f"{len(self._names)} clips"
                self._say(f"{self._title}: {clips}")
                # Once, and never where all clips are done already.
                self._title = ""
            self._waiting.update("loading the stages of the pipeline ...")
        elif isinstance(event, ClipProgress | Outcome):
            # From now on there are frames to count.
            self._waiting.stop()
        for line in lines_of(event, self._names, self._tally):
            self._say(line)
        if isinstance(event, ClipProgress):
            self._show()

    def _show(self) -> None:
        now = time.perf_counter()
        if now - self._last >= _PLAIN_EVERY_SECONDS:
            self._last = now
            running = (
                f"{self._names[path]} {clip_text(clip.done, clip.total)}"
                for path, clip in self._tally.running.items()
            )
            self._say(f"{overall_text(self._tally)}; {', '.join(running)}")

    def _say(self, line: str) -> None:
        say(line)


class _QuietLines(_Lines):
    """Notes, and clips that fail."""

    def __call__(self, event: BatchEvent) -> None:
        """Print a line where it is one of those."""
        self._tally.take(event)
        if not isinstance(event, Outcome) or event.state == "failed":
            for line in lines_of(event, self._names, self._tally):
                self._say(line)


class _Bars(_Lines):
    """A bar for all clips, and one for each that runs; lines stay above them."""

    def __init__(
        self, names: Mapping[Path, str], tally: BatchTally, bar: Progress, title: str
    ) -> None:
        # Before any line is printed above it.
        self._bar = bar
        super().__init__(names, tally, title)
        self._overall = bar.add_task("looking at the clips", total=None, text="")
        self._tasks: dict[Path, TaskID] = {}

    def _show(self) -> None:
        tally = self._tally
        total = tally.total
        self._bar.update(
            self._overall,
            description="all clips",
            total=total,
            completed=tally.frames,
            text=overall_text(tally),
        )
        for path, clip in tally.running.items():
            self._bar.update(
                self._tasks[path],
                total=clip.total,
                completed=clip.done,
                text=clip_text(clip.done, clip.total),
            )

    def __call__(self, event: BatchEvent) -> None:
        match event:
            case Begun(job):
                name = visible(self._names[job.input])
                shown = name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
                self._tasks[job.input] = self._bar.add_task(f"  {shown}", total=None, text="")
            case Outcome(job) if job.input in self._tasks:
                self._bar.remove_task(self._tasks.pop(job.input))
        super().__call__(event)
        if isinstance(event, Outcome):
            self._show()

    def _say(self, line: str) -> None:
        self._bar.console.print(visible(line), soft_wrap=True)


def lines_of(event: BatchEvent, names: Mapping[Path, str], tally: BatchTally) -> list[str]:
    """The lines that an event is worth."""
    match event:
        case Begun(job, attempt, because) if because is not None:
            return [f"{names[job.input]}: attempt {attempt}, after: {because}"]
        case ClipProgress(job, NoteEvent(note)):
            return [f"{names[job.input]}: note: {note.text}"]
        case ClipProgress(job, Resumed() | Kept() as news):
            return [f"{names[job.input]}: note: {work_line(news)}"]
        case Outcome(job):
            line = f"[{tally.ended} of {tally.clips}] {names[job.input]}: "
            return [line + sentence_of(event)]
    return []


def sentence_of(outcome: Outcome) -> str:
    """How a clip ended, for a line."""
    if outcome.error is not None and outcome.state == "failed":
        where = f" in {outcome.stage}" if outcome.stage else ""
        return f"failed{where}: {outcome.error}"
    if outcome.state == "elsewhere":
        return "in progress elsewhere"
    if outcome.state == "kept" and outcome.standing is not None:
        return f"kept; {outcome.standing.sentence}"
    if outcome.state == "done" and outcome.result is not None:
        count = outcome.result.frames
        return f"{count} frame{'' if count == 1 else 's'} in {outcome.seconds:.1f} s"
    return outcome.state


def overall_text(tally: BatchTally) -> str:
    """``1:24 left, 3 of 12 clips, frame 1200 of 5000, 45.2 fps``: the end may not fit."""
    left = tally.seconds_left
    text = "" if left is None else f"{time_text(left)} left, "
    text += f"{tally.ended} of {tally.clips} clips"
    return f"{text}, frame {clip_text(tally.frames, tally.total)}, {tally.rate:.1f} fps"


def clip_text(done: int, total: int | None) -> str:
    """``120 of 250``."""
    return str(done) if total is None or total < done else f"{done} of {total}"
