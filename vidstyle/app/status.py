"""How a job is going: what the page draws of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from vidstyle.app.news import Failed, Made, News, Note, Stage, Step

State = Literal["waiting", "running", "done", "failed", "stopped"]
ENDED: tuple[State, ...] = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Status:
    """A moment of a job."""

    state: State = "waiting"
    title: str = ""
    """Of the part that is being done."""
    done: int = 0
    total: int | None = None
    first: tuple[int, float] | None = None
    """What was done when counting began, and when: loading is no part of the pace."""
    latest: float = 0.0
    """When it was counted last, in seconds of the same clock."""
    made: tuple[Made, ...] = ()
    """Files of the job's folder, each once, in the order in which they came."""
    changes: int = 0
    """How often one was made."""
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def share(self) -> float | None:
        """What of the part is done, in [0, 1]; None where its length is not known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def rate(self) -> float | None:
        """Steps a second; None before there are two counts."""
        if self.first is None or self.latest <= self.first[1]:
            return None
        return (self.done - self.first[0]) / (self.latest - self.first[1])

    @property
    def seconds_left(self) -> float | None:
        """Of this part, at its pace."""
        if not self.rate or self.total is None:
            return None
        return max(0, self.total - self.done) / self.rate

    def after(self, news: News, now: float) -> Status:
        """With what was told at a time ``now`` in seconds."""
        match news:
            case Stage(title=title):
                return replace(self, title=title, done=0, total=None, first=None)
            case Step(done=done, total=total):
                first = self.first or (done, now)
                return replace(self, done=done, total=total, first=first, latest=now)
            case Made():
                others = tuple(one for one in self.made if one.name != news.name)
                return replace(self, made=(*others, news), changes=self.changes + 1)
            case Note(text=text):
                return replace(self, notes=tuple(dict.fromkeys((*self.notes, text))))
            case Failed(text=text):
                return replace(self, error=text)
