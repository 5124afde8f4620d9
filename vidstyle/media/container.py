"""Opening a file that may be anything: regular files of known video formats, nothing else."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from vidstyle.core import OtherStream
from vidstyle.core.errors import InputError, UsageError
from vidstyle.media.gif_delays import read_with_delays
from vidstyle.media.piped_video import PipedVideo

MAX_PIXELS: Final = 8192 * 8192
"""Of a frame, unless more are asked for."""

VideoInput: TypeAlias = Path | PipedVideo
"""What is read: a file, or what comes through a pipe."""

Kind = Literal["audio", "subtitle", "video", "data", "attachment"]

# Formats that hold their streams themselves. Playlists (hls, concat, dash, sdp, imf, vobsub) name
# other files or addresses, whatever the file's own name is, and are never opened.
_FORMATS: Final = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,gif,apng,"
    "flv,asf,ogg,nut,mxf,yuv4mpegpipe,mjpeg,dv,rm,wtv,dirac,vc1,gxf,nsv,3gp,amv,"
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,caf,amr,ape,wv,tta,dts,truehd"
)

_PLAYLISTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"#EXTM3U", "an HLS playlist"),
    (b"ffconcat", "a concat list"),
    (b"<?xml", "an XML manifest"),
    (b"<MPD", "a DASH manifest"),
    (b"<SMIL", "a SMIL playlist"),
    (b"[playlist]", "a PLS playlist"),
    (b"[Reference]", "an ASX playlist"),
    (b"v=0", "an SDP session"),
)

_UNSUITABLE: Final = (
    Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
)


def open_input(
    path: VideoInput, *, max_pixels: int = MAX_PIXELS, device: HWAccel | None = None
) -> InputContainer:
    """Open a video file for reading; the caller closes it.

    Only a pipe or a regular file is opened, this by absolute path and the ``file`` protocol, and
    only in a format that cannot name another file. ``max_pixels`` is for the decoders that FFmpeg
    tries here: they make no larger frames. ``device`` is what its streams' decoders use where they
    can.
    Raises InputError, one line, for everything else.
    """
    if isinstance(path, PipedVideo):
        return path.open(formats=_FORMATS, max_pixels=max_pixels, refuse=_PLAYLISTS)
    _check_file(path)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _FORMATS,
        "max_pixels": str(max_pixels),
    }
    try:
        changed = read_with_delays(path)
        # Metadata is often not UTF-8; a strange title must not stop a run.
        return av.open(
            f"file:{path.absolute()}" if changed is None else io.BytesIO(changed),
            mode="r",
            options=options,
            metadata_errors="replace",
            hwaccel=device,
        )
    except av.error.ArgumentError as error:
        raise InputError(
            f"{path}: its format is not read as video; for images give their folder to "
            "decode/images, anything else convert to mp4, mkv, mov or webm"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(
            f"{path}: not a video that can be read ({_reason(error)}); "
            "is the file complete, and is it a video?"
        ) from error


@contextmanager
def open_original(path: Path) -> Iterator[InputContainer | None]:
    """The file that frames were read from; None where it is a folder of images or missing."""
    try:
        source = open_input(path) if path.is_file() else None
    except InputError:
        source = None
    if source is None:
        yield None
        return
    with source:
        yield source


def choose_video(container: InputContainer) -> VideoStream:
    """The stream to work on: flagged as default, then the largest; never a cover image.

    Raises InputError where there is none, saying what there is instead.
    """
    candidates = video_streams(container)
    if not candidates:
        found = ", ".join(_describe(stream) for stream in container.streams) or "nothing"
        undecodable = any(
            not stream.disposition & _UNSUITABLE for stream in container.streams.video
        )
        what = "no decoder for its video" if undecodable else "no video stream"
        raise InputError(f"{_name(container)}: {what}; it has: {found}")
    return max(candidates, key=_rank)


def video_streams(container: InputContainer) -> list[VideoStream]:
    """All streams that show moving images and that a decoder is there for."""
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & _UNSUITABLE and _decodable(stream)
    ]


def other_streams(container: InputContainer, chosen: VideoStream) -> tuple[OtherStream, ...]:
    """Everything in the file but the chosen stream, in file order; chapters are no stream."""
    return tuple(
        OtherStream(stream.index, _kind(stream), _codec(stream), _language(stream))
        for stream in container.streams
        if stream.index != chosen.index and not _is_chapter_track(stream)
    )


def _is_chapter_track(stream: Stream) -> bool:
    # mp4 keeps chapters as a text of their own, which FFmpeg reads itself and marks so.
    return stream.type == "data" and stream.discard == Discard.all


def _check_file(path: Path) -> None:
    """Raise InputError for what is not a readable, regular, non-empty file, or is a playlist.

    Raises UsageError for ``-`` where no file has that name.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        if str(path) == "-":
            raise UsageError("-: no such file; only `vidstyle run` reads standard input") from error
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(
            f"{path}: is a folder, not a video; for images start with decode/images, for a "
            "folder of clips use vidstyle batch"
        )
    # A pipe or a device would block or never end, and cannot be read twice.
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is not a regular file; copy the video into a file first")
    if status.st_size == 0:
        raise InputError(f"{path}: the file is empty; fetch or copy it again")
    _check_start(path)


def _check_start(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from error
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, what in _PLAYLISTS:
        if text.startswith(sign.lower()):
            raise InputError(f"{path}: is {what}, which names other files; give the video itself")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]


def _name(container: InputContainer) -> str:
    return container.name.removeprefix("file:")


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    area = stream.codec_context.width * stream.codec_context.height
    return bool(stream.disposition & Disposition.default), area, -stream.index


def _decodable(stream: VideoStream) -> bool:
    # PyAV has no codec context where FFmpeg has no decoder, whatever its types say.
    return getattr(stream, "codec_context", None) is not None


def _describe(stream: Stream) -> str:
    cover = bool(stream.disposition & _UNSUITABLE)
    return f"{'cover image' if cover else stream.type} ({_codec(stream)})"


def _kind(stream: Stream) -> Kind:
    return "data" if stream.type == "unknown" else stream.type


def _codec(stream: Stream) -> str:
    context = getattr(stream, "codec_context", None)
    return context.name if context is not None else "unknown"


def _language(stream: Stream) -> str | None:
    language = stream.metadata.get("language")
    return None if language in (None, "", "und") else language
