"""One reading of a file's frames, from the beginning or from a mark."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from av import VideoFrame
from av.codec.hwaccel import HWAccel

from vidstyle.core import Mark, Note
from vidstyle.core.errors import InputError
from vidstyle.stages.decode.deinterlace import deinterlaced
from vidstyle.stages.decode.limits import check_count, check_length, check_size
from vidstyle.stages.decode.marks import REMEMBERED, digests, found_after_seek, skip_to
from vidstyle.stages.decode.packets import Reader
from vidstyle.stages.decode.policies import Decision, DecodeOptions
from vidstyle.stages.decode.probe import Found
from vidstyle.stages.decode.timestamps import Decoded, Repairs, Timed, repaired

_BEFORE_MARK: Final = (3, 15)
# Seconds. A mark is looked for from the keyframe before each of these, then from the beginning.


class Reading:
    """Gives decoded, deinterlaced frames with their final times, and counts what it meets."""

    def __init__(
        self,
        path: Path,
        found: Found,
        decision: Decision,
        options: DecodeOptions,
        threads: int,
        *,
        device: HWAccel | None = None,
    ) -> None:
        """``device`` decodes, where ``hardware.choose`` has found one."""
        self._path = path
        self._found = found
        self._hidden_alpha = decision.alpha
        self._options = options
        self._threads = threads
        self._device = device
        self._reader: Reader | None = None
        self._repairs = Repairs()
        self._met: dict[str, Note] = {}
        self._last: tuple[int, int] | None = None
        self._recent: deque[VideoFrame] = deque(maxlen=REMEMBERED)

    def frames(self, after: Mark | None) -> Iterator[tuple[int, Timed]]:
        """Indices and frames after the mark, or all. Raises InputError where it is not found."""
        first = 0 if after is None else after.index + 1
        end: int | None = None
        for index, item in enumerate(self._timed(after), first):
            self._check_limits(index, item)
            self._last = index, item.pts
            self._recent.append(item.image)
            end = item.pts + item.duration
            yield index, item
        if end is not None:
            self._check_end(end * self._found.time_base)

    def mark(self) -> Callable[[], Mark]:
        """The place after the last frame that was given; ValueError before the first."""
        if self._last is None:
            raise ValueError("no frame was given yet, so there is no place to mark")
        (index, pts), images = self._last, tuple(self._recent)
        return lambda: Mark(index, pts, digests(images))

    def notes(self) -> tuple[Note, ...]:
        """What was met so far."""
        return (*self._read_notices(), *self._repairs.notes(), *self._met.values())

    def _read_notices(self) -> Iterator[Note]:
        if self._reader is None:
            return
        yield from self._reader.damage.notes()
        if self._reader.device_failed:
            text = "the GPU failed to decode the video, and the processor has gone on"
            yield Note("hardware-failed", text)

    def close(self) -> None:
        """Give back the file and the decoder's threads; may be called twice."""
        if self._reader is not None:
            self._reader.close()

    def _timed(self, after: Mark | None) -> Iterator[Timed]:
        try:
            decoded = None if after is None else self._sought(after)
            if after is not None and decoded is not None:
                yield from self._repaired(decoded, after.pts)
                return
            timed = self._repaired(self._decoded(self._read()), None)
            if after is not None:
                skip_to(timed, after, self._path)
            yield from timed
        finally:
            self.close()

    def _sought(self, mark: Mark) -> Iterator[Decoded] | None:
        """What comes after the mark, found by seeking, or None where that does not find it."""
        for seconds in _BEFORE_MARK:
            target = mark.pts - round(seconds / self._found.time_base)
            if target <= self._found.start:
                return None
            reader = self._read()
            decoded = self._decoded(reader)
            if reader.seek(target) and found_after_seek(decoded, mark):
                reader.damage.forget()
                return decoded
        return None

    def _read(self) -> Reader:
        """Open the file anew, at its beginning, and count anew."""
        self.close()
        self._met.clear()
        self._repairs = Repairs()
        self._reader = Reader(
            self._path,
            threads=self._threads,
            hidden_alpha=self._hidden_alpha,
            max_pixels=self._options.max_pixels,
            device=self._device,
        )
        return self._reader

    def _repaired(self, decoded: Iterator[Decoded], after: int | None) -> Iterator[Timed]:
        found = self._found
        return repaired(
            decoded,
            first=found.start,
            step=found.step,
            repairs=self._repairs,
            after=after,
            end=self._end,
        )

    def _end(self) -> int | None:
        return None if self._reader is None else self._reader.ending.ticks()

    def _decoded(self, reader: Reader) -> Iterator[Decoded]:
        return deinterlaced(self._noting(reader.frames()), self._options.deinterlace)

    def _noting(self, decoded: Iterator[Decoded]) -> Iterator[Decoded]:
        """The same frames, after a look at what may change midway."""
        for item in decoded:
            if (item.image.width, item.image.height) != self._found.size:
                self._meet_size(item.image)
            if item.image.interlaced_frame and "interlaced" not in self._met:
                done = "kept as they are" if self._options.deinterlace == "off" else "rebuilt"
                self._met["interlaced"] = Note("interlaced", f"interlaced frames are {done}")
            yield item

    def _meet_size(self, image: VideoFrame) -> None:
        width, height = self._found.size
        change = f"from {width}x{height} to {image.width}x{image.height}"
        if self._options.size_change == "refuse":
            raise InputError(
                f"{self._path}: the image changes {change} midway; set decode's option "
                "size_change to scale, or cut the file there"
            )
        check_size(self._path, image.width, image.height, self._options.max_pixels)
        text = f"the image changes {change} midway and is scaled back"
        self._met.setdefault("size-change", Note("size-change", text))

    def _check_limits(self, index: int, item: Timed) -> None:
        """Raise InputError where there is more than the header has said."""
        options, found = self._options, self._found
        check_count(self._path, index + 1, options.max_frames)
        seconds = (item.pts - found.start) * found.time_base
        check_length(self._path, float(seconds), options.max_hours)

    def _check_end(self, end: Fraction) -> None:
        missing = self._found.missing_seconds(end)
        if missing:
            text = (
                f"the video ends after {float(end):.2f} s, {float(missing):.2f} s before the "
                "file says; it may be cut short"
            )
            self._met["truncated"] = Note("truncated", text)
