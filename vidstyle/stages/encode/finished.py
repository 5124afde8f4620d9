"""The video of a file that was written before, as one segment that can be joined again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av

from vidstyle.core import Packet
from vidstyle.core.errors import InputError
from vidstyle.media.container import open_input
from vidstyle.stages.encode.routes import AvPacket


@dataclass(frozen=True, slots=True)
class FinishedVideo:
    """Its packets are read when they are asked for."""

    path: Path
    header: bytes
    numbers: dict[int, int] = field(repr=False)
    """The number of the frame that is shown at a time of the file's clock."""

    @property
    def frames(self) -> int:
        """How many frames it holds."""
        return len(self.numbers)

    def packets(self) -> Iterator[Packet]:
        """In decoding order."""
        with open_input(self.path) as container:
            for number, packet in enumerate(_video_packets(container)):
                assert packet.pts is not None
                yield Packet(bytes(packet), self.numbers[packet.pts], number, packet.is_keyframe)


def reopen_video(path: Path, frames: int, codec: str) -> FinishedVideo | None:
    """The video of a file of ours; None where it is not one of so many frames of that codec."""
    try:
        with open_input(path) as container:
            context = container.streams.video[0].codec_context
            if context.codec.canonical_name != av.Codec(codec, "w").canonical_name:
                return None
            header = bytes(context.extradata or b"")
            times = [packet.pts for packet in _video_packets(container)]
    except (av.error.FFmpegError, InputError, IndexError):
        return None
    shown = sorted({time for time in times if time is not None})
    if not len(shown) == len(times) == frames:
        return None
    return FinishedVideo(path, header, {time: number for number, time in enumerate(shown)})


def _video_packets(container: av.container.InputContainer) -> Iterator[AvPacket]:
    for packet in container.demux(video=0):
        # The last one is empty: it says that there are no more.
        if packet.size:
            yield packet
