"""Video files in, through FFmpeg's libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from av import VideoFrame
from av.codec.hwaccel import HWAccel

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Mark, Note
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.media.container import VideoInput
from vidstyle.media.container_crop import Crop
from vidstyle.media.piped_video import PipedVideo
from vidstyle.media.to_rgb import ToRGB
from vidstyle.media.tonemap import ToneMap
from vidstyle.stages.decode.clip_reader import ClipReader
from vidstyle.stages.decode.file_facts import FileFacts, read_file_facts, read_piped_facts
from vidstyle.stages.decode.hardware import choose_device
from vidstyle.stages.decode.policies import Decision, DecodeOptions, decide


class DecodePyAV:
    """Reads a video file. Frames come upright, in the order and at the times of a player.

    Times are the file's own, start offset and variable rate included, repaired where they
    do not go forward. Damaged packets are skipped and counted. Frames are turned upright,
    deinterlaced one for one, and converted to full-range RGB by the file's matrix and range.
    """

    Options: ClassVar[type[Any]] = DecodeOptions

    def __init__(self, options: DecodeOptions) -> None:
        self.options = options
        self._opened: tuple[VideoInput, FileFacts, Decision, int] | None = None
        self._device: HWAccel | None = None
        self._reader: ClipReader | None = None

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        """Read the first frames and packets. Raises InputError where it cannot be read."""
        self.close()
        facts = read_file_facts(path, threads=context.threads, max_pixels=self.options.max_pixels)
        decision = decide(facts, self.options, path)
        if self.options.hardware == "auto":
            self._device, note = choose_device(
                path,
                threads=context.threads,
                hidden_alpha=decision.alpha,
                max_pixels=self.options.max_pixels,
            )
            clip = replace(decision.clip, notes=(*decision.clip.notes, note))
            decision = replace(decision, clip=clip)
        self._opened = path, facts, decision, context.threads
        return decision.clip

    def open_pipe(self, video: PipedVideo, context: ExecutionContext) -> Clip:
        """Read the first frame of a pipe, whose frames are then given once, each at once.

        Raises InputError where it cannot be read.
        """
        self.close()
        options = self.options
        facts = read_piped_facts(video, threads=context.threads, max_pixels=options.max_pixels)
        decision = decide(facts, options, video)
        if options.hardware == "auto":
            note = Note("hardware", "the video is decoded by the processor: it comes by a pipe")
            clip = replace(decision.clip, notes=(*decision.clip.notes, note))
            decision = replace(decision, clip=clip)
        self._opened = video, facts, decision, context.threads
        return decision.clip

    @property
    def pixel_format(self) -> str:
        """Of the frames as they are coded, by FFmpeg's name; RuntimeError before ``open``."""
        if self._opened is None:
            raise RuntimeError("nothing is open")
        return self._opened[1].pixel_format

    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        """All frames, or those after the mark, with ``source`` and, if the clip has it, ``alpha``.

        The file is open until they end or the iterator is closed; a new call starts over.
        Raises InputError where the mark's frame is not found, and RuntimeError
        before ``open``.
        """
        reader, to_layers = self._begin()
        for index, item in reader.frames(after):
            yield Frame(index, item.pts, item.duration, to_layers(item.image))

    def times(self) -> Iterator[tuple[int, int]]:
        """Index and pts of each frame: frames are decoded, but not converted."""
        reader, _ = self._begin()
        for index, item in reader.frames(None):
            yield index, item.pts

    def length(self) -> Fraction:
        """By the container's word, in seconds; 0 where it has none."""
        if self._opened is None:
            raise RuntimeError("length() was called before open()")
        _, facts, decision, _ = self._opened
        if facts.end_seconds is not None:
            return max(facts.end_seconds - facts.start * facts.time_base, Fraction(0))
        count, rate = decision.clip.frame_count, decision.clip.frame_rate
        return count / rate if count and rate else Fraction(0)

    def frame_at(self, seconds: Fraction) -> Frame:
        """The frame that is shown then, from the keyframe before it. Raises InputError."""
        reader, to_layers = self._begin()
        index, item = reader.frame_at(seconds)
        return Frame(index, item.pts, item.duration, to_layers(item.image))

    def _begin(self) -> tuple[ClipReader, _ToLayers]:
        """A reader of the file, from the beginning, in place of the one before."""
        if self._opened is None:
            raise RuntimeError("frames() was called before open()")
        self.close()
        path, facts, decision, threads = self._opened
        self._reader = ClipReader(path, facts, decision, self.options, threads, device=self._device)
        return self._reader, _ToLayers(facts, decision)

    def mark(self) -> Callable[[], Mark]:
        """The position after the last frame of ``frames``; ValueError before the first."""
        if self._reader is None:
            raise ValueError("no frame was read yet, so there is no position to mark")
        return self._reader.mark()

    @property
    def notes(self) -> Sequence[Note]:
        """Damage, repaired times, interlacing, changes of size and an early end, so far."""
        return () if self._reader is None else self._reader.notes()

    def close(self) -> None:
        """Release the file and the decoder's threads; may be called twice."""
        if self._reader is not None:
            self._reader.close()


class _ToLayers:
    """Converts, tone-maps and turns the images of one clip."""

    def __init__(self, facts: FileFacts, decision: Decision) -> None:
        color, peak = facts.color, decision.hdr_peak
        self._to_rgb = ToRGB(color, alpha=decision.alpha, size=facts.size)
        self._tone = None if peak is None else ToneMap(color.transfer, peak)
        self._orientation = decision.orientation
        self._alpha = decision.alpha
        self._crop, self._size = facts.crop, facts.size
        # Else the samples are not those of the image.
        untouched = self._tone is None and decision.orientation.upright
        self._keeps_planes = untouched and facts.crop == Crop() and not self._alpha

    def __call__(self, image: VideoFrame) -> LazyLayers:
        """``source``, and ``alpha`` if the clip has it: read-only, upright."""
        planes = self._to_rgb.planes(image) if self._keeps_planes else None
        if planes is not None:
            return LazyLayers({"source": LazyLayer(planes)})
        source, alpha = self._to_rgb(image)
        layers = {"source": self._tone(source) if self._tone else source}
        if self._alpha:
            # A clip may change to a format without alpha midway.
            layers["alpha"] = np.ones(source.shape[:2], np.float32) if alpha is None else alpha
        return LazyLayers({name: LazyLayer(self._upright(layer)) for name, layer in layers.items()})

    def _upright(self, layer: HostArray) -> HostArray:
        turned = self._orientation.apply(np.ascontiguousarray(self._cropped(layer)))
        turned.flags.writeable = False
        return turned

    def _cropped(self, layer: HostArray) -> HostArray:
        width, height = self._size
        crop = self._crop
        return layer[crop.top : height - crop.bottom, crop.left : width - crop.right]


STAGE = DecodePyAV
