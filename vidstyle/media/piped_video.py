"""Video that arrives through a pipe: it is read once, and as it comes."""

from __future__ import annotations

import io
import os
import re
import select
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal, TypeAlias

import av
from av.container import InputContainer

from vidstyle.core.errors import InputError
from vidstyle.media.file_clock import Section
from vidstyle.media.raw_video import RawVideo

AvPacket: TypeAlias = "av.Packet[Any]"

NAME: Final = "standard input"
# Seconds between two looks at whether somebody wants the reading to end.
_LOOK: Final = 0.2
# Bytes that show what the input is; every format has a header that is longer, with its frames.
_HEAD: Final = 128
# Bytes in which mp4 says whether its index comes first.
_BOXES: Final = 1024
# Bytes that are kept at most until it is known what the input is: some frames of the largest size.
_MOST: Final = 1 << 30
_Y4M: Final = b"YUV4MPEG2"
_EBML: Final = b"\x1a\x45\xdf\xa3"
# FFmpeg would read seconds of video to find what the header of Matroska says.
_AT_ONCE: Final = {"probesize": "32", "analyzeduration": "0"}
# Microseconds of video that are read to find out what is in other formats.
_ANALYZED: Final = {"analyzeduration": "500000"}


@dataclass(slots=True)
class PacketQueue:
    """Packets of sound and subtitles that were read on the way to those of the video."""

    container: InputContainer | None = None
    """That they come from; None before reading has begun."""
    sections: Sequence[Section] = ()
    """Of its clock, so far."""
    packets: deque[AvPacket] = field(default_factory=deque)
    """In the order of the file; the reader appends, and who writes them takes them away."""
    _steps: dict[int, tuple[int, int]] = field(default_factory=dict)
    # Of each stream the last time and the step to it.

    def put(self, packet: AvPacket) -> None:
        """Append a packet. One of sound without a duration lasts as long as the one before it."""
        if packet.pts is not None and packet.stream.type == "audio":
            before, step = self._steps.get(packet.stream_index, (packet.pts, 0))
            step = packet.pts - before or step
            self._steps[packet.stream_index] = packet.pts, step
            # FFmpeg knows it only where it has decoded some, which takes a second of the input.
            packet.duration = packet.duration or max(step, 0)
        self.packets.append(packet)


class PipedVideo:
    """The bytes of a pipe as a video that can be opened.

    It can be opened again at its beginning until ``forget_head``: all that has been read is kept.
    """

    def __init__(self, descriptor: int, raw: RawVideo | None = None) -> None:
        """Read nothing yet.

        Args:
            descriptor: Of the pipe; it stays open.
            raw: What the frames are, where they have no header.
        """
        self._descriptor, self.raw = descriptor, raw
        self._head = bytearray()
        self._keeps_head = True
        self._received = 0
        self._ended = self._closed = False
        self._failure: BaseException | None = None
        self.beside: PacketQueue | None = None
        """Where packets of other streams go; None where nobody wants them."""
        self.is_y4m = False
        """Whether it is y4m; known when it was opened."""
        self.chroma_siting: Literal["left", "center"] = "center"
        """Where chroma lies across, by the header of y4m."""

    def __str__(self) -> str:
        return NAME

    def open(
        self, *, formats: str, max_pixels: int, refuse: Sequence[tuple[bytes, str]]
    ) -> InputContainer:
        """Open it at its beginning.

        Args:
            formats: Those that are allowed, as FFmpeg writes the list.
            max_pixels: Decoders make no larger frames.
            refuse: Beginnings of what names other files, and what each is.

        Returns:
            The container; the caller closes it.

        Raises:
            InputError: It is empty, or no video that can be read from a pipe.
        """
        options = {"protocol_whitelist": "pipe", "max_pixels": str(max_pixels)}
        if self.raw is None:
            self._check_head(refuse)
            options |= {"format_whitelist": formats} | self._probing()
        else:
            self._fill_head(1)
            options |= {
                "video_size": f"{self.raw.width}x{self.raw.height}",
                "pixel_format": self.raw.pixel_format,
                "framerate": str(self.raw.rate),
            }
        if not self._head:
            raise InputError(f"{NAME} is empty: does the program that writes it work?")
        try:
            container = av.open(
                _Reading(self),
                mode="r",
                format=None if self.raw is None else "rawvideo",
                options=options,
                metadata_errors="replace",
            )
        except (av.error.FFmpegError, OSError) as error:
            self.check()
            reason = str(getattr(error, "strerror", None) or error).splitlines()[0]
            raise InputError(
                f"{NAME}: not a video that can be read from a pipe ({reason});"
                " send y4m or Matroska, or say with --raw what frames without a header are"
            ) from error
        self.check()
        return container

    def check(self) -> None:
        """Raise what has ended the reading; FFmpeg takes it for the end of the input."""
        if self._failure is not None:
            raise self._failure

    def forget_head(self) -> None:
        """Keep no more of what is read: it will not be opened again after the next time."""
        self._keeps_head = False

    def head(self) -> BinaryIO:
        """What has been read and kept so far, as a file."""
        return io.BytesIO(bytes(self._head))

    def bytes_behind(self, position: int) -> int:
        """How many bytes were received behind a position."""
        return self._received - position

    def close(self) -> None:
        """Let a reader on another thread find the end at once."""
        self._closed = True

    def _probing(self) -> dict[str, str]:
        return _AT_ONCE if self._head.startswith(_EBML) else _ANALYZED

    def _check_head(self, refuse: Sequence[tuple[bytes, str]]) -> None:
        """Raise InputError for what needs other files, and for mp4 whose index comes last."""
        self._fill_head(_HEAD)
        self.is_y4m = self._head.startswith(_Y4M)
        if re.match(_Y4M + rb" [^\n]*\bC420mpeg2\b", self._head):
            self.chroma_siting = "left"
        text = bytes(self._head[:_HEAD]).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        for sign, what in refuse:
            if text.startswith(sign.lower()):
                raise InputError(f"{NAME}: is {what}, which names other files; send the video")
        if self._head[4:8] == b"ftyp":
            self._fill_head(_BOXES)
            if _is_media_first(self._head):
                raise InputError(
                    f"{NAME}: an mp4 whose index comes at its end cannot be read from a pipe;"
                    " name the file, write it with -movflags +faststart, or send Matroska"
                )

    def _fill_head(self, size: int) -> None:
        while len(self._head) < size and self._keeps_head:
            if not self._receive(size - len(self._head)):
                self.check()
                return

    def read_from(self, position: int, size: int) -> bytes:
        """Some bytes from a position on; none at the end, and where something has failed."""
        begin = self._received - len(self._head)
        if position >= self._received:
            return self._receive(size)
        data = bytes(self._head[position - begin : position - begin + size])
        if not self._keeps_head and position + len(data) == self._received:
            self._head.clear()
        return data

    def _receive(self, size: int) -> bytes:
        try:
            data = self._wait_and_read(size)
        except BaseException as error:
            # FFmpeg calls this, through which nothing can be raised.
            self._failure = error
            return b""
        self._received += len(data)
        if self._keeps_head:
            self._head += data
            if len(self._head) > _MOST:
                self._failure = InputError(f"{NAME}: no frame of it was found in {_MOST} bytes")
                return b""
        return data

    def _wait_and_read(self, size: int) -> bytes:
        while not (self._closed or self._ended):
            if not select.select([self._descriptor], [], [], _LOOK)[0]:
                continue
            try:
                data = os.read(self._descriptor, size)
            except BlockingIOError:
                continue
            except OSError as error:
                raise InputError(f"{NAME} cannot be read ({error.strerror})") from error
            self._ended = not data
            return data
        return b""


class _Reading:
    """One way through the bytes, as FFmpeg reads a file that cannot be sought in."""

    name = NAME

    def __init__(self, video: PipedVideo) -> None:
        self._video, self._position = video, 0

    def read(self, size: int) -> bytes:
        """At most so many bytes, as soon as there are some."""
        data = self._video.read_from(self._position, size)
        self._position += len(data)
        return data


def _is_media_first(head: bytes | bytearray) -> bool:
    """Whether the frames of an mp4 come before its index (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(head):
        size, kind = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 8]
        if kind in (b"moov", b"moof"):
            return False
        if kind == b"mdat":
            return True
        if size < 8:
            return False
        at += size
    return False
