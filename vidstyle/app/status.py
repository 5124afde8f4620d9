"""How a job is going, from the lines that its commands print: what the page draws of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from vidstyle.app.tasks import JsonLine

State = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a job at one time."""

    state: State = "waiting"
    title: str = ""
    """Of the command that runs."""
    learning: bool = False
    """Whether the command learns a style before it does what its title says."""
    done: int = 0
    total: int | None = None
    counts_bytes: bool = False
    """Whether the counts are of a download."""
    first: tuple[int, float] | None = None
    """The first count and its time: loading is no part of the rate."""
    latest: float = 0.0
    """Time of the last count, in seconds of the same clock."""
    notes: tuple[str, ...] = ()
    result: JsonLine | None = None
    """The last line of the last command."""
    error: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "stopped")

    @property
    def fraction(self) -> float | None:
        """How much of the command is done, in [0, 1]; None where its length is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def rate(self) -> float | None:
        """Frames, steps or bytes a second; None before there are two counts."""
        if self.first is None or self.latest <= self.first[1]:
            return None
        return (self.done - self.first[0]) / (self.latest - self.first[1])

    @property
    def seconds_left(self) -> float | None:
        """Of this command, at its rate."""
        if not self.rate or self.total is None:
            return None
        return max(0, self.total - self.done) / self.rate

    def start(self, title: str) -> Status:
        """With a command that starts now; counts start over."""
        return Status(self.state, title, notes=self.notes, result=self.result)

    def after(self, row: JsonLine, now: float) -> Status:
        """With a line that a command has printed at a time ``now`` in seconds."""
        match row:
            case {"event": "style-step", "step": int(done), "steps": total}:
                status = self if self.learning else replace(self.start(self.title), learning=True)
                return status._counted(done, total, now)
            case {"event": "frame", "done": int(done), "total": total}:
                status = self.start(self.title) if self.learning else self
                return status._counted(done, total, now)
            case {"event": "step", "step": int(done), "steps": total}:
                return self._counted(done, total, now)
            case {"event": "download", "bytes": int(done), "total": total}:
                return replace(self, counts_bytes=True)._counted(done, total, now)
            case {"event": "note", "text": str(text)}:
                return self.with_note(text)
        return replace(self, result=row)

    def with_note(self, text: str) -> Status:
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, text))))

    def _counted(self, done: int, total: int | None, now: float) -> Status:
        first = self.first or (done, now)
        return replace(self, done=done, total=total, first=first, latest=now)
