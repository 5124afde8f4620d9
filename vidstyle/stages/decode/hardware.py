"""Decoding by a GPU: where its frames equal the processor's, sample for sample."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from av.codec.codec import Codec
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError

from vidstyle.core import Note
from vidstyle.media.planes import digest
from vidstyle.stages.decode.stream_decoder import StreamDecoder

# Their standards define every bit of a decoded frame; MPEG-2 and MPEG-4 leave the last one open.
_CODECS: Final = ("h264", "hevc", "vp9")
# Frames that are compared: enough for some that are stored in another order than shown.
_FRAMES: Final = 8

_Seen = list[tuple[str, int | None, int]]


def choose_device(
    path: Path, *, threads: int, hidden_alpha: bool, max_pixels: int
) -> tuple[HWAccel | None, Note]:
    """A device to decode a file by, or None, and the note that says so.

    The first frames are decoded both ways: where format, samples, times or order differ, the
    processor decodes. Raises InputError as ``StreamDecoder`` does.
    """

    def read(device: HWAccel | None) -> tuple[Codec, _Seen, int]:
        with StreamDecoder(
            path, threads=threads, hidden_alpha=hidden_alpha, max_pixels=max_pixels, device=device
        ) as reader:
            images = [
                (digest(item.image), item.pts, item.duration)
                for item in islice(reader.frames(), _FRAMES)
            ]
            return reader.context.codec, images, reader.by_device

    codec, wanted, _ = read(None)
    name = codec.canonical_name
    if name not in _CODECS:
        return None, _by_processor(f"GPUs may decode {name} to other samples")
    device = HWAccel("cuda")
    if not _works(device, codec):
        return None, _by_processor("there is no GPU here that can")
    _, found, by_device = read(device)
    if not by_device:
        return None, _by_processor(f"the GPU does not decode this {name}")
    if found != wanted:
        return None, _by_processor("the GPU decodes to other samples")
    return device, Note("hardware", "the video is decoded by the GPU")


def _works(device: HWAccel, codec: Codec) -> bool:
    """Whether FFmpeg can open the device for the codec; without one it raises."""
    try:
        device.create(codec)
    except (FFmpegError, NotImplementedError):
        return False
    return True


def _by_processor(reason: str) -> Note:
    return Note("hardware", f"the video is decoded by the processor: {reason}")
