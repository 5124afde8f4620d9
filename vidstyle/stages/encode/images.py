"""Writes a folder of numbered images and a list of what is in it, or the file of one image."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from vidstyle.core import (
    NOW,
    Clip,
    ExecutionContext,
    Frame,
    FrameTime,
    Needs,
    Note,
    Original,
    Packet,
    Reach,
    Segment,
    StageOptions,
    Writer,
)
from vidstyle.core.errors import OutputError, PipelineError
from vidstyle.core.layers import HostArray
from vidstyle.core.options import file_option
from vidstyle.core.sink import MANIFEST
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.image_format import IMAGE_FORMATS, losses, write_in_format
from vidstyle.stages.encode.titles import lost_titles

_Samples: TypeAlias = npt.NDArray[Any]
# Names and nothing else: no folders, no hidden files, one number.
_NAMES: Final = (
    r"^(?:[A-Za-z0-9][A-Za-z0-9 ._-]{0,99})?%(?:0[1-9])?d[A-Za-z0-9 ._-]{0,99}"
    r"\.(?:png|jpe?g|webp|tiff?|bmp)$"
)


def are_image_names(text: str) -> bool:
    """Return whether a text names numbered images, as ``%06d.png`` does.

    Args:
        text: Any text.

    Returns:
        Whether it does; False for a name with a percent sign in it.
    """
    return re.fullmatch(_NAMES.strip("^$"), text) is not None


def _check_names(value: Any) -> Any:
    """The value. Raises ValueError, in words, where it does not fit the pattern."""
    if not isinstance(value, str) or not are_image_names(value):
        raise ValueError(
            "names of images are letters, digits, one number such as %06d, and a suffix such as"
            " .png or .jpg"
        )
    return value


class ImageOptions(StageOptions):
    """What an image file holds."""

    bits: Literal["auto", 8, 16] = Field(
        "auto", description="Bits per sample. auto is 16 for clips of more than 8 bits, else 8."
    )
    alpha: Literal["keep", "drop"] = Field(
        "keep", description="Transparency, if the clip has it. drop shows the clip on black."
    )
    compression: int = Field(
        3, ge=0, le=9, description="Of PNG: 0 is fast and large; 9 is slow and small."
    )
    quality: Annotated[int, Field(ge=1, le=100)] = file_option(
        95, description="Of JPEG and WebP: lower is smaller. 1 to 100."
    )
    names: Annotated[str, Field(pattern=_NAMES), BeforeValidator(_check_names)] = file_option(
        "%06d.png",
        description="Of the files in a folder: %06d is the number of the frame, with six digits.",
    )


class ImageWriter:
    """One PNG a frame; none is delayed."""

    def __init__(self, options: ImageOptions, bits: int) -> None:
        self._options, self._bits = options, bits
        self._frames = 0
        self._last = b""

    @property
    def header(self) -> bytes:
        """A PNG needs none."""
        return b""

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        """The image as a whole file, and the hash of its samples."""
        samples = self._samples(frame)
        flags = [cv2.IMWRITE_PNG_COMPRESSION, self._options.compression]
        encoded, data = cv2.imencode(".png", samples, flags)
        if not encoded:
            raise OutputError(f"frame {frame.index} cannot be written as PNG; is it too large?")
        self._last = data.tobytes()
        return self.replay(self._last), hashlib.blake2b(samples.data, digest_size=20).hexdigest()

    def planes(self) -> bytes:
        """The file that was written last."""
        return self._last

    def replay(self, planes: bytes) -> list[Packet]:
        """Take a file that another writer has encoded."""
        packet = Packet(planes, self._frames, self._frames, True)
        self._frames += 1
        return [packet]

    def finish(self) -> list[Packet]:
        return []

    def _samples(self, frame: Frame) -> _Samples:
        """Code values in OpenCV's order: BGR or BGRA."""
        image = np.clip(frame.host("image"), 0.0, 1.0)
        alpha = frame.host("alpha") if "alpha" in frame.layers else None
        if alpha is None:
            return np.ascontiguousarray(_codes(image, self._bits)[..., ::-1])
        opacity = np.clip(alpha, 0.0, 1.0)[..., None]
        if self._options.alpha == "drop":
            return np.ascontiguousarray(_codes(image * opacity, self._bits)[..., ::-1])
        return _codes(np.concatenate([image[..., ::-1], opacity], axis=2), self._bits)


class EncodeImages:
    """Writes a folder of images, numbered from 0, and their times in ``vidstyle.json``.

    Where the output's name is that of an image, such as ``out.png``, it writes that file alone, of
    a clip of one frame.
    """

    Options = ImageOptions

    def __init__(self, options: ImageOptions) -> None:
        self._options = options
        self._clip: Clip | None = None
        self._notes: list[Note] = []

    @property
    def needs(self) -> Needs:
        """The image, and its opacity where it is there."""
        return Needs(reads={"image": NOW, "alpha": Reach(optional=True)})

    @property
    def suffix(self) -> str:
        """None: a folder."""
        return ""

    @property
    def notes(self) -> Sequence[Note]:
        """What of the original is not supported in a folder."""
        return tuple(self._notes)

    def check(self, path: Path, clip: Clip) -> None:
        """Raise PipelineError for the name of a video, OutputError for that of a file.

        PipelineError, too, for the name of one image where the clip has more frames.
        """
        if _is_image(path):
            _check_single(path, clip.frame_count)
            return
        if path.suffix.lower() in CONTAINERS:
            raise PipelineError(
                f"{path} is the name of a video and encode/images writes a folder; "
                "leave the suffix out or use encode/pyav"
            )
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} is not a folder; choose another -o")

    def resolve(self, clip: Clip, context: ExecutionContext) -> ImageOptions:
        """The options with the bits of this clip."""
        return self._options.model_copy(update={"bits": self._bits(clip)})

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        # The samples of one image, and its file in memory.
        return 2 * 8 * clip.width * clip.height

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._clip = clip
        self._notes = []

    def segment(self, clip: Clip) -> Writer:
        """A writer of files."""
        return ImageWriter(self._options, self._bits(clip))

    def _bits(self, clip: Clip) -> int:
        if self._options.bits == "auto":
            return 16 if clip.bit_depth > 8 else 8
        return self._options.bits

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        """Write the files, then the list that makes them ours; or the one image.

        Raises OutputError.
        """
        if self._clip is None:
            raise RuntimeError("encode/images is not open")
        clip, single = self._clip, _is_image(path)
        images = (packet.data for segment in segments for packet in segment.packets())
        file = path if single else path / self._options.names
        self._notes += self._losses(clip, file, "an image" if single else "a folder of images")
        try:
            if single:
                _check_single(path, len(times))
                write_in_format(path, next(images), quality=self._options.quality)
            else:
                self._write_folder(path, images, times, clip)
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror}; free some space or choose another "
                "place with -o"
            ) from error
        what = "an image" if single else "a folder of images"
        self._notes += lost_titles(original.path, what)

    def reopen(self, path: Path, frames: int) -> Segment | None:
        """The image of a PNG file that was written before; None of anything else."""
        if frames != 1 or path.suffix.lower() != ".png":
            return None
        return _FinishedImage(path.read_bytes())

    def _write_folder(
        self, path: Path, images: Iterable[bytes], times: Sequence[FrameTime], clip: Clip
    ) -> None:
        path.mkdir(exist_ok=True)
        names = []
        for number, image in enumerate(images):
            names.append(self._options.names % number)
            write_in_format(path / names[-1], image, quality=self._options.quality)
        if len(names) != len(times):
            raise OutputError(
                f"{len(names)} images are stored for {len(times)} frames; run again from the start"
            )
        (path / MANIFEST).write_text(_manifest(names, times, clip), encoding="utf-8")

    def _losses(self, clip: Clip, file: Path, what: str) -> Iterator[Note]:
        bits = self._bits(clip)
        yield from _losses(clip, bits, what)
        yield from losses(file, bits, alpha=clip.alpha and self._options.alpha == "keep")

    def close(self) -> None:
        self._clip = None


@dataclass(frozen=True, slots=True)
class _FinishedImage:
    """A segment of one image."""

    data: bytes
    header: bytes = b""
    frames: int = 1

    def packets(self) -> Iterator[Packet]:
        yield Packet(self.data, 0, 0, True)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_FORMATS and not path.is_dir()


def _check_single(path: Path, frames: int | None) -> None:
    if frames is not None and frames > 1:
        raise PipelineError(
            f"{path} is one image, and the clip has {frames} frames: choose one with"
            f" --frames N:N+1, or name a folder, as in -o {path.stem}/"
        )


def _losses(clip: Clip, bits: int, what: str) -> Iterator[Note]:
    """What of the clip cannot be kept."""
    if clip.streams:
        kinds = ", ".join(sorted({stream.kind for stream in clip.streams}))
        yield Note("dropped", f"{what} does not support {kinds}: left out")
    if clip.sample_aspect != 1:
        text = (
            f"images do not store the sample aspect {clip.sample_aspect}: pixels are shown square"
        )
        yield Note("aspect", text)
    if bits < clip.bit_depth:
        hint = "; bits auto keeps more" if bits < 16 else ""
        yield Note("bits", f"images store {bits} of the clip's {clip.bit_depth} bits{hint}")
    if clip.color.mastering or clip.color.light_levels:
        yield Note("side-data", "images store no HDR10 metadata: left out")


def _codes(values: HostArray, bits: int) -> _Samples:
    top = (1 << bits) - 1
    kind = np.uint8 if bits == 8 else np.uint16
    return (values * np.float32(top) + np.float32(0.5)).astype(kind)


def _manifest(names: Sequence[str], times: Sequence[FrameTime], clip: Clip) -> str:
    facts = {
        "files": list(names),
        "time_base": str(clip.time_base),
        "frame_rate": None if clip.frame_rate is None else str(clip.frame_rate),
        "times": [[frame.pts, frame.duration] for frame in times],
    }
    return json.dumps(facts, indent=1)


STAGE = EncodeImages
