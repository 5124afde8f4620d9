"""The contract of what ends a pipeline: chunks are encoded alone and joined once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.frame import Frame
from vidstyle.core.needs import Needs
from vidstyle.core.options import StageOptions

MANIFEST = "vidstyle.json"
"""File in a folder of images that lists ours under ``files``; no others are ever deleted."""


@dataclass(frozen=True, slots=True)
class Packet:
    """Encoded bytes on the clock of its chunk: one tick a frame, the first frame at 0."""

    data: bytes
    pts: int
    dts: int
    keyframe: bool
    side_data: tuple[tuple[str, bytes], ...] = ()
    """FFmpeg packet side data that the container must keep, such as VP9's alpha plane."""

    def __repr__(self) -> str:
        return f"Packet({len(self.data)} bytes, pts={self.pts}, dts={self.dts})"


@dataclass(frozen=True, slots=True)
class FrameTime:
    """When a frame is shown, in the clip's time base."""

    pts: int
    duration: int


@dataclass(frozen=True, slots=True)
class Original:
    """Where the other streams come from."""

    path: Path
    interval: tuple[Fraction, Fraction | None] | None = None
    """Seconds from and to which they are cut, on the file's own clock; None for all of it.

    With an interval the output's clock starts at 0. The end is None where the clip's is meant.
    """


class Writer(Protocol):
    """Encodes the frames of one chunk, in order."""

    @property
    def header(self) -> bytes:
        """What a decoder needs before the first packet (FFmpeg's extradata)."""
        ...

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        """Packets that are ready, and the hash of the pixel planes given to the encoder."""
        ...

    def finish(self) -> list[Packet]:
        """The packets that were still held back; nothing is written after it."""
        ...


@runtime_checkable
class ReplayableWriter(Writer, Protocol):
    """A writer with which a run can resume inside of a chunk.

    No encoder can be saved, but what it was given can, and be given to another one.
    """

    def planes(self) -> bytes:
        """The image that was written last, as the encoder was given it."""
        ...

    def replay(self, planes: bytes) -> list[Packet]:
        """Write an image of another writer of an equal sink; packets that are ready."""
        ...


class Segment(Protocol):
    """One encoded chunk, kept outside memory until it is joined."""

    @property
    def header(self) -> bytes: ...

    @property
    def frames(self) -> int:
        """How many frames it holds."""
        ...

    def packets(self) -> Iterator[Packet]:
        """In decoding order."""
        ...


class Sink(Protocol):
    """Makes one file, or one folder of images, of the frames of a clip."""

    Options: ClassVar[type[Any]]

    def __init__(self, options: Any) -> None: ...

    @property
    def needs(self) -> Needs: ...

    @property
    def suffix(self) -> str:
        """Of the file that is made when no name is given, such as ``.mp4``; empty for a folder."""
        ...

    def check(self, path: Path, clip: Clip) -> None:
        """Raise PipelineError or OutputError where the clip cannot be written under that name.

        Called before a frame is decoded. The file's name decides the container.
        """
        ...

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        """The options with every ``auto`` as its value, as a stage has it."""
        ...

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        """Bytes at most that its encoder holds, as a stage has it."""
        ...

    def open(self, clip: Clip, context: ExecutionContext) -> None: ...

    def segment(self, clip: Clip) -> Writer: ...

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        """Write ``path`` whole, with the original's other streams, and probe it.

        ``path`` has the suffix of the destination but lies beside it; the runner renames it.
        Raises OutputError where writing fails or the probe disagrees.
        """
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What joining dropped or changed."""
        ...

    def close(self) -> None: ...
