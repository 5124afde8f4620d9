"""How a training is shown: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from vidstyle.cli.terminal import say
from vidstyle.training.watch import Image, Progress, Watcher

_PLAIN_EVERY_SECONDS = 10.0
_MAIN = ("style", "content")
"""The losses that people weigh against each other: all of them would not fit beside a bar."""
_AVERAGED = 50
"""Steps over which losses are averaged: those of a single photo jump."""


@contextmanager
def progress_watcher() -> Generator[Watcher, None, None]:
    """Shows the steps of one training on standard error while the context is open."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with _bar(console) as bar:
            yield _Bar(bar)
    else:
        yield _Lines()


class _Pace:
    """Steps a second since a training was begun or taken up again, and its recent losses."""

    def __init__(self) -> None:
        self._before: int | None = None
        self._started = 0.0
        self._recent: deque[Mapping[str, float]] = deque(maxlen=_AVERAGED)

    def add(self, progress: Progress) -> None:
        if self._before is None:
            self._before = progress.iteration - 1
            self._started = time.perf_counter() - progress.seconds
        self._recent.append(progress.losses)

    def rate(self, iteration: int) -> float:
        """Steps a second; asked after the first step."""
        spent = time.perf_counter() - self._started
        return (iteration - (self._before or 0)) / max(spent, 1e-6)

    def losses(self) -> dict[str, float]:
        """Means over the last steps."""
        count = len(self._recent)
        return {name: sum(row[name] for row in self._recent) / count for name in self._recent[-1]}


def _bar(console: Console) -> RichProgress:
    return RichProgress(
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[losses]}"),
        console=console,
        transient=True,
    )


class _Bar:
    """A moving bar, with the main losses."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar, self._pace = bar, _Pace()
        self._task = bar.add_task("", total=None, rate=0.0, losses="getting ready")

    def step(self, progress: Progress) -> None:
        self._pace.add(progress)
        means = self._pace.losses()
        main = {name: loss for name, loss in means.items() if name in _MAIN}
        self._bar.update(
            self._task,
            completed=progress.iteration,
            total=progress.iterations,
            rate=self._pace.rate(progress.iteration),
            losses=losses_line(main),
        )

    def image(self, iteration: int, name: str, image: Image) -> None:
        return None

    def close(self) -> None:
        return None


class _Lines:
    """One line now and then, and one at the end, for logs."""

    def __init__(self) -> None:
        self._pace = _Pace()
        self._last = time.perf_counter()

    def step(self, progress: Progress) -> None:
        self._pace.add(progress)
        now = time.perf_counter()
        done = progress.iteration == progress.iterations
        if done or now - self._last >= _PLAIN_EVERY_SECONDS:
            self._last = now
            rate = self._pace.rate(progress.iteration)
            line = training_line(progress.iteration, progress.iterations, rate)
            say(f"{line}, {losses_line(self._pace.losses())}")

    def image(self, iteration: int, name: str, image: Image) -> None:
        return None

    def close(self) -> None:
        return None


def training_line(iteration: int, iterations: int, rate: float) -> str:
    """``step 500 of 5000, 2.3 a second, 32:36 left``."""
    left = round((iterations - iteration) / rate)
    hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"step {iteration} of {iterations}, {rate:.1f} a second, {clock} left"


def losses_line(losses: Mapping[str, float]) -> str:
    """``style 0.123, content 0.456``."""
    return ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
