"""The contract of what starts a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.frame import Frame


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two frames that can be found again.

    Seeking by time alone misses frames in real files, so a mark also holds what the last
    frames looked like: a source seeks too early and goes on until times and hashes agree.
    """

    index: int
    """Index of the last frame before the mark."""
    pts: int
    """Its presentation time, in the clip's time base."""
    digests: tuple[str, ...]
    """Hashes of the last decoded images, newest last."""


class Source(Protocol):
    """Reads frames in presentation order. It alone repairs times, deinterlaces and rotates.

    Args:
        options: Of its class ``Options``.
    """

    Options: ClassVar[type[Any]]

    def __init__(self, options: Any) -> None: ...

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        """Describe the clip.

        Args:
            path: A file or folder.
            context: Device and threads.

        Returns:
            The clip, without pixels.

        Raises:
            InputError: It cannot be read.
        """
        ...

    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        """Read the frames, with ``source`` and, if the clip has it, ``alpha``.

        Args:
            after: Where to begin; None for the first frame.

        Returns:
            All frames, or those after the mark.

        Raises:
            InputError: Nothing can be decoded, or the mark is not found.
        """
        ...

    def mark(self) -> Callable[[], Mark]:
        """The place after the last frame that ``frames`` gave; called by its consumer.

        After every frame, so it must be quick: what is returned hashes when it is called.
        """
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What reading has found out so far, beyond the clip's own notes."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class TimedSource(Source, Protocol):
    """A source that knows its frames' times for less than it takes to read the frames."""

    def times(self) -> Iterator[tuple[int, int]]:
        """Index and pts of each frame, as ``frames`` would give them.

        Raises:
            InputError: Nothing can be decoded.
        """
        ...


@runtime_checkable
class SeekingSource(Source, Protocol):
    """A source that finds single frames without reading those before."""

    def length(self) -> Fraction:
        """How long the clip is, in seconds; 0 where that is not known."""
        ...

    def frame_at(self, seconds: Fraction) -> Frame:
        """The frame that is shown at a time, or one near it; the last one behind the end.

        Args:
            seconds: Since the first frame.

        Returns:
            The frame, as ``frames`` gives it, but for its index, which may be an estimate.

        Raises:
            InputError: Nothing can be decoded there.
        """
        ...
