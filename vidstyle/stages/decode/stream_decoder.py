"""From a file to decoded frames, packet by packet, past whatever is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from types import TracebackType
from typing import Final, Self, cast

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext, ThreadType
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidstyle.core import Note
from vidstyle.core.errors import InputError
from vidstyle.media.container import MAX_PIXELS, VideoInput, choose_video, open_input
from vidstyle.media.device_formats import is_from_device, to_planar
from vidstyle.media.file_clock import JumpFinder
from vidstyle.media.piped_video import PacketQueue, PipedVideo
from vidstyle.stages.decode.decoding_times import PresentationOrder
from vidstyle.stages.decode.limits import check_size
from vidstyle.stages.decode.timestamps import Decoded, Ending

# Errors of the demuxer in a row, after which there is nothing more to read.
_GIVE_UP: Final = 16
_ALPHA_DECODERS: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


@dataclass(slots=True)
class Damage:
    """Counts of what could not be decoded as it should."""

    skipped: int = 0
    """Packets that were skipped."""
    flagged: int = 0
    """Frames that the decoder returned, but flagged as damaged."""
    first_seconds: float | None = None

    def skip(self, seconds: float | None) -> None:
        self.skipped += 1
        if self.first_seconds is None:
            self.first_seconds = seconds

    def forget(self) -> None:
        """Count from zero again."""
        self.skipped, self.flagged, self.first_seconds = 0, 0, None

    def notes(self) -> list[Note]:
        """One line if there was any."""
        parts = []
        if self.skipped:
            near = "" if self.first_seconds is None else f" (first near {self.first_seconds:.2f} s)"
            parts.append(f"packets skipped as undecodable: {self.skipped}{near}")
        if self.flagged:
            parts.append(f"frames flagged as damaged: {self.flagged}")
        return [Note("damage", f"the video is damaged; {', '.join(parts)}")] if parts else []


class _DeviceFailedError(Exception):
    """A GPU did not decode a packet: the GPU failed, or the packet is damaged."""


class StreamDecoder:
    """An open file and the decoder of its chosen video stream."""

    def __init__(
        self,
        path: VideoInput,
        *,
        threads: int,
        hidden_alpha: bool = False,
        max_pixels: int = MAX_PIXELS,
        device: HWAccel | None = None,
        reordered: bool = False,
    ) -> None:
        """Open the file. Raises InputError where it has no video that can be read.

        Args:
            path: The file, or what comes through a pipe.
            threads: Of the decoder.
            hidden_alpha: Decode the transparency of VP8 and VP9 too, which is slower.
            max_pixels: The decoder makes no larger frame.
            device: Decodes what it can (``hardware.choose_device`` compares it with the
                processor); where it fails the processor continues.
            reordered: Packets say when they are decoded: frames get their times in order.
        """
        self._path, self._max_pixels = path, max_pixels
        self._threads, self._hidden_alpha = threads, hidden_alpha
        self._device = device
        self._reordered = reordered
        self._sought: int | None = None
        self._live = path if isinstance(path, PipedVideo) else None
        self._beside: PacketQueue | None = None
        self._read_until = 0
        self.lost_end = 0
        """Bytes of a last frame that is not whole, of a pipe whose frames all have one size."""
        self._scaler = VideoReformatter()
        self.damage = Damage()
        self.by_device = 0
        """Frames that the device has decoded."""
        self.device_failed = False
        self._open()

    def _open(self) -> None:
        self.container = self._container()
        try:
            self.stream: VideoStream = choose_video(self.container)
            self.ending = Ending(self.container, self.stream)
            self.jumps = JumpFinder(self.stream)
            self.context = _decoder(self.stream, self._threads, self._hidden_alpha)
            if self._live is not None:
                # Frames on threads of their own come out later, one for each thread.
                self.context.thread_type = ThreadType.SLICE
            self.context.options = {**self.context.options, "max_pixels": str(self._max_pixels)}
        except BaseException:
            self.container.close()
            raise

    def _container(self) -> InputContainer:
        try:
            return open_input(self._path, max_pixels=self._max_pixels, device=self._device)
        except InputError:
            if self._device is None:
                raise
            # The file may be good, and the GPU full or gone.
            self._device, self.device_failed = None, True
            return open_input(self._path, max_pixels=self._max_pixels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder's threads; may be called twice."""
        self.container.close()

    @property
    def time_base(self) -> Fraction:
        """Seconds a tick of the stream's times."""
        return self.stream.time_base or Fraction(1, av.time_base)

    @property
    def start(self) -> int:
        """When the first frame is shown, in ticks."""
        return (self.stream.start_time or 0) - self.jumps.origin

    def seek(self, pts: int) -> bool:
        """Go to a keyframe at or before ``pts``; False where the file cannot."""
        try:
            self.container.seek(pts + self.jumps.origin, stream=self.stream, backward=True)
        except (FFmpegError, ValueError):
            return False
        self.context.flush_buffers()
        self.ending.forget()
        self._sought = pts
        return True

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """The stream's packets from here on, without empty ones, on one clock."""
        self.jumps = JumpFinder(self.stream)
        if self._beside is not None:
            self._beside.sections = self.jumps.sections
        return self.jumps.follow(self._read())

    def collect(self, queue: PacketQueue) -> None:
        """Put the packets of sound and subtitles there that lie between those of the video."""
        self._beside = queue
        queue.container, queue.sections = self.container, self.jumps.sections

    def _read(self) -> Iterator[Packet[VideoStream]]:
        packets, failures = self._demux(), 0
        while failures < _GIVE_UP:
            try:
                packet = next(packets, None)
            except FFmpegError:
                failures += 1
                self.damage.skip(None)
                packets = self._demux()
                continue
            if packet is None:
                self._find_end()
                return
            failures = 0
            if packet.size and self._is_whole(packet):
                self.ending.see(packet)
                yield packet

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        if self._beside is None:
            yield from self.container.demux(self.stream)
            return
        others = [s for s in self.container.streams if s.type in ("audio", "subtitle")]
        for packet in self.container.demux([self.stream, *others]):
            if packet.stream_index == self.stream.index:
                yield cast("Packet[VideoStream]", packet)
            elif packet.size:
                self._beside.put(packet)

    def _is_whole(self, packet: Packet[VideoStream]) -> bool:
        """Whether all of a frame without a header has arrived; remember where it ends."""
        live = self._live
        if live is None:
            return True
        if live.raw is not None and packet.size < live.raw.frame_bytes:
            return False
        if packet.pos is not None:
            self._read_until = packet.pos + packet.size
        return True

    def _find_end(self) -> None:
        """At the end of a pipe: raise what has ended it, and count what is left."""
        if self._live is None:
            return
        self._live.check()
        if self._live.raw is not None or self.container.format.name == "yuv4mpegpipe":
            self.lost_end = self._live.bytes_behind(self._read_until)

    def frames(self) -> Iterator[Decoded]:
        """Frames in presentation order from here to the end."""
        given = 0
        try:
            for decoded in self._decoded():
                given += 1
                yield decoded
        except _DeviceFailedError:
            self._leave_device()
            yield from islice(self._decoded(), given, None)

    def _decoded(self) -> Iterator[Decoded]:
        self._order = PresentationOrder() if self._reordered else None
        for packet in self.packets():
            yield from self._decode(packet)
        yield from self._decode(None)

    def _leave_device(self) -> None:
        """Start over on the processor, from where the device started."""
        self.close()
        self._device, self.device_failed = None, True
        self.damage.forget()
        self._open()
        if self._sought is not None:
            self.seek(self._sought)

    def _decode(self, packet: Packet[VideoStream] | None) -> Iterator[Decoded]:
        if self._order is not None and packet is not None:
            self._order.see(packet.pts)
        try:
            images = [self._as_planar(image) for image in self.context.decode(packet)]
        except FFmpegError as error:
            if self._device is not None:
                raise _DeviceFailedError from error
            # The decoder refuses what is too large before it takes memory for it.
            check_size(self._path, self.context.width, self.context.height, self._max_pixels)
            at = None if packet is None or packet.pts is None else packet.pts * self.time_base
            self.damage.skip(None if at is None else float(at))
            if self._order is not None and packet is not None:
                self._order.lose(packet.pts)
            return
        depth = self.context.reorder_depth
        for image in images:
            self.damage.flagged += image.is_corrupt
            pts = image.pts if self._order is None else self._order.next_time(image.pts, depth)
            yield Decoded(image, pts, image.duration)

    def _as_planar(self, image: VideoFrame) -> VideoFrame:
        if self._device is None or not is_from_device(image):
            return image
        self.by_device += 1
        return to_planar(image, self._scaler)


def has_hidden_alpha(stream: VideoStream) -> bool:
    """Whether there is transparency that FFmpeg's own decoder drops (VP8 and VP9)."""
    coded = stream.codec_context.codec.canonical_name in _ALPHA_DECODERS
    return coded and stream.metadata.get("alpha_mode") == "1"


def _decoder(stream: VideoStream, threads: int, hidden_alpha: bool) -> VideoCodecContext:
    context = stream.codec_context
    if hidden_alpha and has_hidden_alpha(stream):
        context = _alpha_decoder(_ALPHA_DECODERS[context.codec.canonical_name])
    context.thread_count = threads
    context.thread_type = ThreadType.AUTO
    return context


def _alpha_decoder(name: str) -> VideoCodecContext:
    try:
        context = CodecContext.create(name, "r")
    except UnknownCodecError as error:
        raise InputError(
            f"the video has transparency, and this FFmpeg has no {name} to decode it; "
            "set decode's option alpha to drop"
        ) from error
    assert isinstance(context, VideoCodecContext)
    return context
