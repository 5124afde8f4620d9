"""A line about work that takes a while and has no steps to count yet: nothing is silent for long.

On a terminal it moves, and goes away at the end. Elsewhere it is printed once the work has taken a
second, and again every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vidstyle.cli.terminal import is_quiet, say, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# What is faster needs no line.
_PATIENCE_SECONDS = 1.0
_EVERY_SECONDS = 5.0


class Waiting:
    """The line that is shown; this one shows nothing."""

    def update(self, text: str) -> None:
        """Replace the text."""

    def stop(self) -> None:
        """Show nothing any more; may be called again."""


@contextmanager
def show_waiting(text: str, *, as_json: bool = False) -> Generator[Waiting, None, None]:
    """Shows what is being done on standard error while the context is open.

    Args:
        text: Such as ``loading the styles``.
        as_json: Nothing is shown.

    Yields:
        Replaces the text, or ends early.
    """
    waiting = Waiting() if as_json or is_quiet() else _new_line(text)
    try:
        yield waiting
    finally:
        waiting.stop()


def _new_line(text: str) -> Waiting:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    return _Spinner(text, console) if console.is_terminal else _WaitingLines(text)


class _Spinner(Waiting):
    """A line that moves."""

    def __init__(self, text: str, console: Console) -> None:
        self._status = console.status(_plain(text))
        self._status.start()

    def update(self, text: str) -> None:
        self._status.update(_plain(text))

    def stop(self) -> None:
        self._status.stop()


def _plain(text: str) -> Text:
    """No markup, whatever a file name contains."""
    from rich.text import Text

    return Text(visible(text))


class _WaitingLines(Waiting):
    """Lines of a thread that waits beside the work."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._started = time.perf_counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)
        self._thread.start()

    def update(self, text: str) -> None:
        self._text = text

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        wait, before = _PATIENCE_SECONDS, ""
        while not self._ended.wait(wait):
            text = self._text
            seconds = time.perf_counter() - self._started
            say(f"{text} ({seconds:.0f} s)" if text == before else text)
            wait, before = _EVERY_SECONDS, text
