"""What a worker process tells: a line of JSON each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _News(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(_News):
    """A part of the work begins; what was counted before is done with."""

    kind: Literal["stage"] = "stage"
    title: str


class Step(_News):
    """So much of the part is done."""

    kind: Literal["step"] = "step"
    done: int
    total: int | None = None


class Made(_News):
    """A file of the task's folder is there, or is there anew."""

    kind: Literal["made"] = "made"
    name: str
    caption: str = ""


class Note(_News):
    """Something was guessed, repaired or dropped."""

    kind: Literal["note"] = "note"
    text: str


class Failed(_News):
    """The end of a task that could not be done, in one line."""

    kind: Literal["failed"] = "failed"
    text: str


News: TypeAlias = Stage | Step | Made | Note | Failed
NEWS: TypeAdapter[News] = TypeAdapter(Annotated[News, Field(discriminator="kind")])
"""From JSON and back."""
Tell: TypeAlias = Callable[[News], None]
