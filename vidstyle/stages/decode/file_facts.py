"""What a file's header, first frames and packets say about all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Final, Literal

import av
import numpy as np
from av import VideoFrame
from av.video.stream import VideoStream

from vidstyle.core import Clip, Color, Note, OtherStream
from vidstyle.core.errors import InputError
from vidstyle.media.color import color_of, has_alpha
from vidstyle.media.container import VideoInput, other_streams, video_streams
from vidstyle.media.container_crop import Crop, read_crop
from vidstyle.media.file_clock import is_transmission
from vidstyle.media.hdr10 import with_hdr10
from vidstyle.media.piped_video import PipedVideo
from vidstyle.media.side_data import side_data_of
from vidstyle.media.to_rgb import ToRGB, bit_depth
from vidstyle.stages.decode.decoding_times import only_grow
from vidstyle.stages.decode.limits import check_size
from vidstyle.stages.decode.orientation import Orientation, orientation_of
from vidstyle.stages.decode.rate import (
    end_seconds_of,
    frame_count_of,
    frame_rate_of,
    start_seconds_of,
    step_of,
)
from vidstyle.stages.decode.stream_decoder import StreamDecoder, has_hidden_alpha

# Frames that are decoded: a first frame alone may be progressive or opaque by chance.
_FRAMES: Final = 4
# Packets and frames in which those that are out of order are looked for.
_LOOKED_AT: Final = 48


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts of a file that decoding depends on."""

    size: tuple[int, int]
    """Width and height as coded, before turning upright."""
    time_base: Fraction
    frame_rate: Fraction | None
    frame_count: int | None
    step: int
    """Usual duration of a frame in ticks."""
    start: int
    """Time of the first frame where it has none itself, in ticks."""
    end_seconds: Fraction | None
    """When the video should end by the container's word; None where it has none."""
    end_is_exact: bool
    """Whether that is the stream's own end, rather than that of the longest stream."""
    color: Color
    bit_depth: int
    pixel_format: str
    """Of the first frame, by FFmpeg's name."""
    sample_aspect: Fraction
    orientation: Orientation
    alpha: Literal["none", "opaque", "used"]
    """Whether there is transparency, and whether one of the first frames uses it."""
    crop: Crop
    """What the container cuts off the coded frames."""
    reordered: bool
    """Whether its times are those of decoding, and out of order as frames are shown."""
    streams: tuple[OtherStream, ...]
    notes: tuple[Note, ...]

    def clip(self) -> Clip:
        """The clip as it is shown upright, opaque and in its own colors."""
        width, height = self.crop.size(*self.size)
        if self.orientation.swaps_sides:
            width, height = height, width
        aspect = self.sample_aspect
        return Clip(
            width=width,
            height=height,
            time_base=self.time_base,
            frame_rate=self.frame_rate,
            color=self.color,
            bit_depth=self.bit_depth,
            sample_aspect=1 / aspect if self.orientation.swaps_sides else aspect,
            frame_count=self.frame_count,
            streams=self.streams,
            notes=self.notes,
        )

    def missing_seconds(self, end: Fraction) -> Fraction | None:
        """How much of the video is not there if its frames end at ``end``, or None."""
        if self.end_seconds is None:
            return None
        tolerance = max(2 * self.step * self.time_base, Fraction(1, 10))
        if not self.end_is_exact:
            # The longest stream may well be the sound.
            tolerance = max(Fraction(1), self.end_seconds / 20)
        missing = self.end_seconds - end
        return missing if missing > tolerance else None


def read_file_facts(path: VideoInput, *, threads: int, max_pixels: int) -> FileFacts:
    """Open the file twice, for its packets and its first frames.

    Raises InputError where it is no video, is too large or has nothing that can be decoded.
    """
    with StreamDecoder(path, threads=1, max_pixels=max_pixels) as reader:
        context = reader.stream.codec_context
        check_size(path, context.width, context.height, max_pixels)
        rate = frame_rate_of(reader)
    reordered = _is_reordered(path, max_pixels)
    with StreamDecoder(path, threads=threads, max_pixels=max_pixels) as reader:
        images = [item.image for item in islice(reader.frames(), _FRAMES)]
        if not images:
            raise _undecodable(path, reader, max_pixels)
        check_size(path, images[0].width, images[0].height, max_pixels)
        facts = _facts(reader, images, rate, _color(path, reader.stream, images[0]))
        crop = read_crop(path, reader.stream)
        return replace(facts, reordered=reordered, crop=crop)


def read_piped_facts(video: PipedVideo, *, threads: int, max_pixels: int) -> FileFacts:
    """Read no more of a pipe than the first frame, or some where they may be transparent.

    The rate is the header's word: whether it is constant, nobody knows before the end. Raises
    InputError as ``read_file_facts`` does.
    """
    with StreamDecoder(video, threads=threads, max_pixels=max_pixels) as reader:
        context, stream = reader.stream.codec_context, reader.stream
        check_size(video, context.width, context.height, max_pixels)
        stated = stream.average_rate or stream.guessed_rate
        rate = video.raw.rate if video.raw is not None else stated and Fraction(stated)
        frames = reader.frames()
        images = [item.image for item in islice(frames, 1)]
        if not images:
            video.check()
            if reader.lost_end:
                raise InputError(f"{video}: ends before its first frame is whole")
            raise _undecodable(video, reader, max_pixels)
        check_size(video, images[0].width, images[0].height, max_pixels)
        if has_alpha(images[0].format):
            images += [item.image for item in islice(frames, _FRAMES - 1)]
        facts = _facts(reader, images, rate or None, _color(video, stream, images[0]))
        return replace(facts, crop=read_crop(video, stream))


def _is_reordered(path: VideoInput, max_pixels: int) -> bool:
    """Whether times grow from packet to packet, and yet not from frame to frame."""
    with StreamDecoder(path, threads=1, max_pixels=max_pixels) as reader:
        # FFmpeg looks for frames that are out of order when it opens a file.
        if not reader.stream.codec_context.reorder_depth:
            return False
        if not only_grow([packet.pts for packet in islice(reader.packets(), _LOOKED_AT)]):
            return False
    with StreamDecoder(path, threads=1, max_pixels=max_pixels) as reader:
        return not only_grow([item.pts for item in islice(reader.frames(), _LOOKED_AT)])


def _undecodable(path: VideoInput, reader: StreamDecoder, max_pixels: int) -> InputError:
    # FFmpeg forgets a size that it refuses.
    if not reader.context.width:
        return InputError(
            f"{path}: its frames have no known size, or more than {max_pixels} pixels; "
            "raise decode's option max_pixels to allow it, unless the file is damaged"
        )
    return InputError(
        f"{path}: none of its video can be decoded; is it damaged, encrypted or cut short?"
    )


def _facts(
    reader: StreamDecoder, images: list[VideoFrame], rate: Fraction | None, color: Color
) -> FileFacts:
    stream, first = reader.stream, images[0]
    orientation = orientation_of(first)
    end, exact = _end_seconds(reader)
    return FileFacts(
        size=(first.width, first.height),
        time_base=reader.time_base,
        frame_rate=rate,
        frame_count=frame_count_of(stream, rate),
        step=step_of(stream, reader.time_base),
        start=reader.start,
        end_seconds=end,
        end_is_exact=exact,
        color=color,
        bit_depth=bit_depth(first.format),
        pixel_format=first.format.name,
        sample_aspect=_sample_aspect(stream),
        orientation=orientation,
        alpha=_alpha(stream, images, color),
        crop=Crop(),
        reordered=False,
        streams=other_streams(reader.container, stream),
        notes=tuple(_notes(reader, color, orientation)),
    )


def _color(path: VideoInput, stream: VideoStream, first: VideoFrame) -> Color:
    try:
        own = color_of(first, first.height)
        color = own if own.tagged else color_of(stream.codec_context, first.height)
        return with_hdr10(color, side_data_of(first))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _sample_aspect(stream: VideoStream) -> Fraction:
    # The container comes before the codec, as in players.
    for aspect in (stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio):
        if aspect:
            return Fraction(aspect)
    return Fraction(1)


def _alpha(
    stream: VideoStream, images: list[VideoFrame], color: Color
) -> Literal["none", "opaque", "used"]:
    if has_hidden_alpha(stream):
        return "used"
    if not has_alpha(images[0].format):
        return "none"
    to_rgb = ToRGB(color, alpha=True)
    alphas = [to_rgb(image)[1] for image in images]
    used = any(alpha is not None and bool(np.any(alpha < 1)) for alpha in alphas)
    return "used" if used else "opaque"


def _end_seconds(reader: StreamDecoder) -> tuple[Fraction | None, bool]:
    if is_transmission(reader.container):
        # FFmpeg takes it from the last packets, before which the clock may have jumped.
        return None, False
    end = end_seconds_of(reader.stream)
    if end is not None:
        return end, True
    if reader.container.duration is None:
        return None, False
    length = Fraction(reader.container.duration, av.time_base)
    return start_seconds_of(reader.stream) + length, False


def _notes(reader: StreamDecoder, color: Color, orientation: Orientation) -> Iterator[Note]:
    if not color.tagged:
        text = f"the file does not say how its colors are coded; {color.matrix} is assumed"
        yield Note("color-guessed", text)
    candidates = len(video_streams(reader.container))
    if candidates > 1:
        text = f"of {candidates} video streams, stream {reader.stream.index} is used"
        yield Note("several-videos", text)
    if orientation.slanted is not None:
        text = f"the file asks for a turn by {orientation.slanted:.0f}°, which is not done"
        yield Note("rotation", text)
