"""The steps of an optimizer while it works: a bar on a terminal, plain lines elsewhere, or JSON."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import is_quiet, say, time_text
from vidstyle.cli.waiting import Waiting, show_waiting

_PLAIN_EVERY_SECONDS = 10.0
# The first line comes sooner, unless the whole work takes no longer.
_FIRST_AFTER_SECONDS = 2.0
# The losses that people weigh against each other: all of them would not fit beside a bar.
_MAIN = ("loss", "style", "content")


@dataclass(frozen=True, slots=True)
class StepView:
    """What is shown of a step."""

    step: int
    """Counted from 1."""
    steps: int
    losses: Mapping[str, float]
    more: Mapping[str, object] = field(default_factory=dict)
    """For JSON alone."""
    seconds: float | None = None
    """That the step took; without it the pace counts from the beginning of the work."""


ShowStep: TypeAlias = Callable[[StepView], None]


@contextmanager
def show_steps(*, as_json: bool = False, average: int = 1) -> Generator[ShowStep, None, None]:
    """Shows steps on standard error, or as JSON lines on standard output.

    Args:
        as_json: one line a step.
        average: steps over which losses are averaged: in training those of a single photo jump.
    """
    console = Console(stderr=True, highlight=False)
    if as_json:
        yield _print_json
    elif is_quiet():
        yield lambda _: None
    elif console.is_terminal:
        with _new_bar(console) as bar:
            yield _StepBar(bar, average)
    else:
        with show_waiting("loading networks and images ...") as waiting:
            yield _StepLines(average, waiting)


def _print_json(view: StepView) -> None:
    losses = dict(view.losses)
    row = {"event": "step", "step": view.step, "steps": view.steps, **view.more}
    if "loss" in losses:
        row["loss"] = losses.pop("loss")
    put_json({**row, "terms": losses})


class _Pace:
    """Steps a second since the first one that was shown, and the mean of recent losses."""

    def __init__(self, average: int) -> None:
        self._before: int | None = None
        self._started = time.perf_counter()
        self._recent: deque[Mapping[str, float]] = deque(maxlen=average)

    def add(self, view: StepView) -> None:
        if self._before is None and view.seconds is not None:
            # A training that was resumed does not begin at step 1.
            self._before = view.step - 1
            self._started = time.perf_counter() - view.seconds
        self._recent.append(view.losses)

    def rate(self, step: int) -> float:
        spent = time.perf_counter() - self._started
        return (step - (self._before or 0)) / max(spent, 1e-6)

    def losses(self) -> dict[str, float]:
        count = len(self._recent)
        return {name: sum(row[name] for row in self._recent) / count for name in self._recent[-1]}


def _new_bar(console: Console) -> Progress:
    return Progress(
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[losses]}"),
        console=console,
        transient=True,
    )


class _StepBar:
    """A moving bar, with the main losses."""

    def __init__(self, bar: Progress, average: int) -> None:
        self._bar, self._pace = bar, _Pace(average)
        self._task = bar.add_task("", total=None, rate=0.0, losses="loading")

    def __call__(self, view: StepView) -> None:
        self._pace.add(view)
        main = {name: loss for name, loss in self._pace.losses().items() if name in _MAIN}
        self._bar.update(
            self._task,
            completed=view.step,
            total=view.steps,
            rate=self._pace.rate(view.step),
            losses=losses_line(main),
        )


class _StepLines:
    """One line now and then, and one at the end, for logs."""

    def __init__(self, average: int, waiting: Waiting) -> None:
        self._pace = _Pace(average)
        self._waiting = waiting
        self._last = time.perf_counter() - _PLAIN_EVERY_SECONDS + _FIRST_AFTER_SECONDS

    def __call__(self, view: StepView) -> None:
        self._pace.add(view)
        self._waiting.stop()
        now = time.perf_counter()
        if view.step == view.steps or now - self._last >= _PLAIN_EVERY_SECONDS:
            self._last = now
            line = step_line(view.step, view.steps, self._pace.rate(view.step))
            say(f"{line}, {losses_line(self._pace.losses())}")


def step_line(step: int, steps: int, rate: float) -> str:
    """``step 500 of 5000, 2.3 a second, 32:36 left``."""
    return f"step {step} of {steps}, {rate:.1f} a second, {time_text((steps - step) / rate)} left"


def losses_line(losses: Mapping[str, float]) -> str:
    """``style 0.123, content 0.456``."""
    return ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
