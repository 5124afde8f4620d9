"""Cover images: one packet, which is not part of the video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream

from vidstyle.core import Note
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.routes import AvPacket

_MIME_TYPES: Final = {"mjpeg": "image/jpeg", "png": "image/png"}


class CoverRoute:
    """One packet at the beginning, whatever the time of the original's."""

    def __init__(self, target: Stream) -> None:
        self.target = target
        self._done = False

    @property
    def notes(self) -> Iterable[Note]:
        return ()

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        if self._done:
            return []
        self._done = True
        packet.pts = packet.dts = 0
        packet.stream = self.target
        return [packet]

    def finish(self) -> list[AvPacket]:
        return []


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a cover image."""
    return bool(stream.disposition & Disposition.attached_pic)


def add_cover(
    source: InputContainer, stream: Stream, output: OutputContainer, container: Container
) -> CoverRoute | None:
    """Add a cover image; returns its route, or None where it is an attachment.

    Raises av's errors or ValueError where it cannot be kept.
    """
    codec = stream.codec_context.codec.canonical_name
    if not container.attachments:
        return CoverRoute(output.add_stream_from_template(stream, opaque=True))
    mime_type = _MIME_TYPES.get(codec)
    packet = next(source.demux(stream), None)
    source.seek(0)
    if mime_type is None or packet is None:
        raise ValueError(f"no attachment can be made of {codec}")
    # By this name players find it.
    name = f"cover.{'jpg' if codec == 'mjpeg' else 'png'}"
    output.add_attachment(name, mime_type, bytes(packet))
    return None
