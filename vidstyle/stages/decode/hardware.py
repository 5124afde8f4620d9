"""Decoding by a GPU: where it gives what the processor gives, sample for sample."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from av.codec.codec import Codec
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError

from vidstyle.core import Note
from vidstyle.media.planes import digest
from vidstyle.stages.decode.packets import Reader

_CODECS: Final = ("h264", "hevc", "vp9")
# Their standards say every bit of a decoded image; MPEG-2 and MPEG-4 leave the last one open.
_FRAMES: Final = 8
# That are compared: enough for some that are stored in another order than they are shown in.

_Seen = list[tuple[str, int | None, int]]


def choose(
    path: Path, *, threads: int, hidden_alpha: bool, max_pixels: int
) -> tuple[HWAccel | None, Note]:
    """A device to decode a file by, or None, and what to tell of it.

    The first frames are decoded both ways: where format, samples, times or order differ in
    anything, the processor decodes. Raises InputError as ``Reader`` does.
    """

    def read(device: HWAccel | None) -> tuple[Codec, _Seen, int]:
        with Reader(
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
        return None, _by_processor("the GPU gives other frames")
    return device, Note("hardware", "the video is decoded by the GPU")


def _works(device: HWAccel, codec: Codec) -> bool:
    """Whether FFmpeg can open the device for the codec: without one it raises, whatever it is
    allowed to fall back on."""
    try:
        device.create(codec)
    except (FFmpegError, NotImplementedError):
        return False
    return True


def _by_processor(reason: str) -> Note:
    return Note("hardware", f"the video is decoded by the processor: {reason}")
