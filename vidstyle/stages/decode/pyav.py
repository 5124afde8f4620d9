"""Video files in, through FFmpeg's libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from av.codec.hwaccel import HWAccel

from vidstyle.core import Clip, ExecutionContext, Frame, Mark, Note
from vidstyle.stages.decode.hardware import choose
from vidstyle.stages.decode.policies import Decision, DecodeOptions, decide
from vidstyle.stages.decode.probe import Found, probe
from vidstyle.stages.decode.reading import Reading
from vidstyle.stages.decode.to_layers import ToLayers


class DecodePyAV:
    """Reads the frames of a video file in presentation order, as a player would show them.

    Times are the file's own, start offset and variable rate included, repaired where they
    do not go forward. Damaged packets are skipped and counted. Images are turned upright,
    deinterlaced frame for frame, and made full-range RGB by the file's matrix and range.
    """

    Options: ClassVar[type[Any]] = DecodeOptions

    def __init__(self, options: DecodeOptions) -> None:
        self.options = options
        self._opened: tuple[Path, Found, Decision, int] | None = None
        self._device: HWAccel | None = None
        self._reading: Reading | None = None

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        """Look at the first frames and packets. Raises InputError where it cannot be read."""
        self.close()
        found = probe(path, threads=context.threads, max_pixels=self.options.max_pixels)
        decision = decide(found, self.options, path)
        if self.options.hardware == "auto":
            self._device, said = choose(
                path,
                threads=context.threads,
                hidden_alpha=decision.alpha,
                max_pixels=self.options.max_pixels,
            )
            clip = replace(decision.clip, notes=(*decision.clip.notes, said))
            decision = replace(decision, clip=clip)
        self._opened = path, found, decision, context.threads
        return decision.clip

    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        """All frames, or those after the mark, with ``source`` and, if the clip has it, ``alpha``.

        The file is open until they end or the iterator is closed; a new call starts anew.
        Raises InputError where the mark's frame is not there any more, and RuntimeError
        before ``open``.
        """
        if self._opened is None:
            raise RuntimeError("frames were asked for before open")
        self.close()
        path, found, decision, threads = self._opened
        self._reading = reading = Reading(
            path, found, decision, self.options, threads, device=self._device
        )
        to_layers = ToLayers(found, decision)
        for index, item in reading.frames(after):
            yield Frame(index, item.pts, item.duration, to_layers(item.image))

    def mark(self) -> Callable[[], Mark]:
        """The place after the last frame that ``frames`` gave; ValueError before the first."""
        if self._reading is None:
            raise ValueError("no frame was given yet, so there is no place to mark")
        return self._reading.mark()

    @property
    def notes(self) -> Sequence[Note]:
        """Damage, repaired times, interlacing, changes of size and an early end, so far."""
        return () if self._reading is None else self._reading.notes()

    def close(self) -> None:
        """Give back the file and the decoder's threads; may be called twice."""
        if self._reading is not None:
            self._reading.close()


STAGE = DecodePyAV
