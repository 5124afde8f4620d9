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

STAMP_PREFIX = "vidstyle "
"""How ``Original.stamp`` begins."""


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
    stamp: str = ""
    """What the output is made of, as a short text for its tags."""


class Writer(Protocol):
    """Encodes the frames of one chunk, in order."""

    @property
    def header(self) -> bytes:
        """What a decoder needs before the first packet (FFmpeg's extradata)."""
        ...

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        """Encode a frame.

        Args:
            frame: The next one, with the layer ``image``.

        Returns:
            Packets that are ready, and the hash of the pixel planes given to the encoder.
        """
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
        """Encode an image of another writer of an equal sink.

        Args:
            planes: As that writer's ``planes`` has given them.

        Returns:
            Packets that are ready.
        """
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
    """Makes one file, or one folder of images, of the frames of a clip.

    Args:
        options: Of its class ``Options``.
    """

    Options: ClassVar[type[Any]]

    def __init__(self, options: Any) -> None: ...

    @property
    def needs(self) -> Needs: ...

    @property
    def suffix(self) -> str:
        """Of the file that is made when no name is given, such as ``.mp4``; empty for a folder."""
        ...

    def check(self, path: Path, clip: Clip) -> None:
        """Check, before a frame is decoded, that a clip can be written under a name.

        Args:
            path: The destination; its name decides the container.
            clip: As it arrives at the sink.

        Raises:
            PipelineError: The options do not go with the clip or the container.
            OutputError: The name has no container.
        """
        ...

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        """Replace every ``auto`` of the options by its value, as ``AnyStage.resolve`` does.

        Args:
            clip: As it arrives at the sink.
            context: Device and threads.

        Returns:
            The options of the sink that runs.
        """
        ...

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        """State the memory of the encoder.

        Args:
            clip: As it arrives at the sink.
            context: Device and threads.

        Returns:
            Bytes at most that it holds.
        """
        ...

    def open(self, clip: Clip, context: ExecutionContext) -> None: ...

    def segment(self, clip: Clip) -> Writer:
        """Start the segment of a chunk.

        Args:
            clip: As it arrives at the sink.

        Returns:
            A writer of its frames.
        """
        ...

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        """Write the file whole, with the original's other streams, and probe it.

        Args:
            segments: Of all chunks, in order.
            times: Of all frames.
            original: The clip that was read, for its other streams.
            path: A name beside the destination, with its suffix; the runner renames the file.

        Raises:
            OutputError: Writing fails, or the probe disagrees.
        """
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What joining dropped or changed."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class ReopeningSink(Sink, Protocol):
    """A sink that can join the frames of a file that it wrote before, into another file."""

    def reopen(self, path: Path, frames: int) -> Segment | None:
        """Read the frames of a file as they were encoded.

        Args:
            path: A file that a sink of equal options has joined, but for those of ``file_option``.
            frames: How many it has.

        Returns:
            All of them as one segment; None where the file does not give them back.
        """
        ...
