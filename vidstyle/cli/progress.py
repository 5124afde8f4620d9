"""The progress of a run: a bar on a terminal, lines elsewhere, JSON lines with ``--json``."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import is_quiet, say, say_note, time_text, visible
from vidstyle.cli.waiting import Waiting, show_waiting
from vidstyle.runner.execution.events import (
    AlreadyDone,
    Event,
    FrameDone,
    Kept,
    Latency,
    Listener,
    NoteEvent,
    Planned,
    Result,
    Resumed,
    StyleStep,
)


@contextmanager
def listener(*, as_json: bool, title: str = "") -> Generator[Listener, None, None]:
    """A listener that shows the events of one run while the context is open.

    ``title`` is a line about the run, printed with its first frame.
    """
    # A name such as [red].mp4 or :clip:.mp4 is no markup.
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if as_json:
        yield print_json
    elif is_quiet():
        yield _say_note
    elif console.is_terminal:
        with _bar(console) as bar:
            yield _RunBar(bar, title)
    else:
        with show_waiting("loading the stages of the pipeline ...") as waiting:
            yield _RunLines(waiting, title)


def _say_note(event: Event) -> None:
    """The line of a note; nothing of other events."""
    match event:
        case NoteEvent(note):
            say_note(note.text)
        case Resumed() | Kept():
            say_note(work_line(event))


def print_json(event: Event) -> None:
    """Print an event as a line of JSON."""
    put_json(event_json(event))


def event_json(event: Event) -> dict[str, object]:
    """An event as JSON values."""
    match event:
        case Planned(plan, output):
            return {
                "event": "plan",
                "output": str(output),
                "digest": plan.digest(),
                "stages": [stage.use for stage in plan.every],
                "memory": plan.memory,
            }
        case StyleStep(images, step, steps, losses):
            return {
                "event": "style-step",
                "style_images": [str(image) for image in images],
                "step": step,
                "steps": steps,
                "losses": dict(losses),
            }
        case FrameDone(index, done, total, digest, behind):
            frame: dict[str, object] = {
                "event": "frame",
                "index": index,
                "done": done,
                "total": total,
                "hash": digest,
            }
            return frame if behind is None else {**frame, "behind": round(behind, 4)}
        case NoteEvent(note):
            return {"event": "note", "kind": note.kind, "text": note.text}
        case Resumed(frames):
            return {"event": "resumed", "frames": frames}
        case Kept(frames, store):
            return {"event": "kept", "frames": frames, "store": str(store)}
        case AlreadyDone(output, frames, digest):
            return {
                "event": "already-done",
                "output": str(output),
                "frames": frames,
                "hash": digest,
            }
        case Result(output, frames, digest, seconds, stage_seconds, latency):
            result: dict[str, object] = {
                "event": "done",
                "output": str(output),
                "frames": frames,
                "hash": digest,
                "seconds": round(seconds, 3),
                "stage_seconds": {k: round(v, 3) for k, v in stage_seconds.items()},
            }
            if latency is not None:
                result["latency"] = {
                    "frames": latency.frames,
                    "seconds": round(latency.seconds, 4),
                    "most_seconds": round(latency.most_seconds, 4),
                }
            return result


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} fps"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class _RunBar:
    """A moving bar; notes stay above it, the summary below."""

    def __init__(self, bar: Progress, title: str) -> None:
        self._bar, self._title, self._started = bar, title, time.perf_counter()
        self._task = bar.add_task("opening", total=None, rate=0.0)

    def __call__(self, event: Event) -> None:
        match event:
            case Planned(_, output):
                self._started = time.perf_counter()
                self._bar.update(self._task, description=_short(visible(output.name)))
            case FrameDone(_, done, total, _, behind):
                if self._title:
                    self._say(self._title)
                    self._title = ""
                rate = done / max(time.perf_counter() - self._started, 1e-6)
                known = None if total is None else max(total, done)
                self._bar.update(self._task, completed=done, total=known, rate=rate)
                if behind is not None:
                    late = f"{1000 * behind:.0f} ms behind"
                    self._bar.update(self._task, description=late)
            case NoteEvent(note):
                self._say(f"note: {note.text}")
            case Resumed() | Kept():
                self._say(f"note: {work_line(event)}")
            case AlreadyDone():
                self._say(done_line(event))
            case Result():
                for line in summary(event):
                    self._say(line)

    def _say(self, line: str) -> None:
        self._bar.console.print(visible(line), soft_wrap=True)


class _RunLines:
    """A line every few seconds, for logs."""

    def __init__(self, waiting: Waiting, title: str) -> None:
        self._waiting, self._title = waiting, title
        self._started = time.perf_counter()

    def __call__(self, event: Event) -> None:
        match event:
            case Planned():
                self._started = time.perf_counter()
                self._waiting.update("computing the first frames ...")
            case FrameDone(_, done, total, _, behind):
                if self._title:
                    say(self._title)
                    self._title = ""
                line = progress_line(done, total, time.perf_counter() - self._started)
                late = "" if behind is None else f", {1000 * behind:.0f} ms behind"
                self._waiting.update(f"{line}{late}")
            case NoteEvent() | Resumed() | Kept():
                _say_note(event)
            case AlreadyDone():
                self._waiting.stop()
                say(done_line(event))
            case Result():
                self._waiting.stop()
                for line in summary(event):
                    say(line)


def progress_line(done: int, total: int | None, seconds: float) -> str:
    """``frame 120 of 250, 14.2 fps, 0:09 left``."""
    rate = done / max(seconds, 1e-6)
    if total is None or total < done:
        return f"frame {done}, {rate:.1f} fps"
    left = time_text((total - done) / rate)
    return f"frame {done} of {total}, {rate:.1f} fps, {left} left"


def work_line(event: Resumed | Kept) -> str:
    """Frames that an earlier run has left, or that this one leaves."""
    if isinstance(event, Resumed):
        return f"resuming an interrupted run after {event.frames} frames"
    command = shlex.join(["vidstyle", *(word for word in sys.argv[1:] if word != "--no-resume")])
    return f"{event.frames} frames are stored in {event.store}; resume with: {command}"


def done_line(event: AlreadyDone) -> str:
    """``out.mp4 is done already: same source, options and style``."""
    return f"{event.output} is done already: same source, options and style"


def summary(result: Result) -> list[str]:
    """Rate, time by stage, and the output."""
    rate = result.frames / max(result.seconds, 1e-6)
    frames = "1 frame" if result.frames == 1 else f"{result.frames} frames"
    late = [] if result.latency is None else [_latency_line(result.latency)]
    return [
        f"{frames} in {result.seconds:.1f} s ({rate:.1f} fps)",
        *late,
        _stage_times(result.stage_seconds, result.frames),
        f"wrote {result.output}",
    ]


def _latency_line(latency: Latency) -> str:
    """``latency: 95 ms on average, 240 ms at most, 2 frames at most``."""
    frames = "1 frame" if latency.frames == 1 else f"{latency.frames} frames"
    mean, most = 1000 * latency.seconds, 1000 * latency.most_seconds
    return f"latency: {mean:.0f} ms on average, {most:.0f} ms and {frames} at most"


def _stage_times(seconds: Mapping[str, float], frames: int) -> str:
    parts = (f"{name} {1000 * spent / max(frames, 1):.1f}" for name, spent in seconds.items())
    return "ms per frame: " + ", ".join(parts)


def _short(name: str, width: int = 28) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"
