"""When the work of an unfinished chunk is kept: slow pipelines take minutes for one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

_FIRST = 4
# Frames before which nobody knows how fast a pipeline is.


@dataclass(frozen=True, slots=True)
class PauseRule:
    """Every so many seconds, where frames take longer than ``slow`` seconds."""

    every: float = 60.0
    slow: float = 0.25


class Pauses:
    """The rule at work, asked from the threads of a run."""

    def __init__(self, rule: PauseRule) -> None:
        self._rule = rule
        self._lock = threading.Lock()
        self._last = self._begun = time.monotonic()
        self._frames = 0

    def due(self, *, begins_chunk: bool) -> bool:
        """Whether what is before a frame is to be kept; asked once for each."""
        with self._lock:
            now = time.monotonic()
            if not begins_chunk and now - self._last < self._rule.every:
                return False
            self._last = now
            return True

    def begin(self) -> None:
        """A chunk begins: its frames are counted anew."""
        self._begun, self._frames = time.monotonic(), 0

    def worthwhile(self) -> bool:
        """Whether the images of the chunk are worth keeping; asked once for each."""
        self._frames += 1
        taken = time.monotonic() - self._begun
        return self._frames <= _FIRST or taken > self._rule.slow * self._frames
