"""The frames of a file with their final times, from the beginning or from a mark."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Final

from av import VideoFrame
from av.codec.hwaccel import HWAccel

from vidstyle.core import Mark, Note
from vidstyle.core.errors import InputError
from vidstyle.media.container import VideoInput
from vidstyle.media.piped_video import PipedVideo
from vidstyle.media.planes import digest
from vidstyle.stages.decode.deinterlace import deinterlace
from vidstyle.stages.decode.file_facts import FileFacts
from vidstyle.stages.decode.limits import check_count, check_length, check_size
from vidstyle.stages.decode.policies import Decision, DecodeOptions
from vidstyle.stages.decode.side_data import lost_side_data
from vidstyle.stages.decode.stream_decoder import StreamDecoder
from vidstyle.stages.decode.thinning import thin_frames
from vidstyle.stages.decode.timestamps import Decoded, Repairs, Timed, repair_times

# Seconds. A mark is searched from the keyframe before each of these, then from the beginning.
_BEFORE_MARK: Final = (3, 15)
# Frames whose hashes make a mark: enough to distinguish repeated frames from moving ones.
REMEMBERED: Final = 3


class ClipReader:
    """Yields decoded, deinterlaced frames with their final times, and notes what it finds."""

    def __init__(
        self,
        path: VideoInput,
        facts: FileFacts,
        decision: Decision,
        options: DecodeOptions,
        threads: int,
        *,
        device: HWAccel | None = None,
    ) -> None:
        """``device`` decodes, where ``hardware.choose_device`` has returned one."""
        self._path = path
        self._facts = facts
        self._hidden_alpha = decision.alpha
        self._tone_mapped = decision.hdr_peak is not None
        self._options = options
        self._threads = threads
        self._device = device
        self._reader: StreamDecoder | None = None
        self._repairs = Repairs()
        self._changes: dict[str, Note] = {}
        self._last: tuple[int, int] | None = None
        # Between frames that are kept lie others, which a search would see.
        remembered = REMEMBERED if options.thin_to is None else 1
        self._recent: deque[VideoFrame] = deque(maxlen=remembered)

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
            self._check_end(end * self._facts.time_base)
            self._check_last()

    def frame_at(self, seconds: Fraction) -> tuple[int, Timed]:
        """The frame that is shown so long after the first, and its index by the usual duration.

        Raises InputError where none can be decoded.
        """
        start, step = self._facts.start, self._facts.step
        target = start + int(seconds / self._facts.time_base)
        reader, last = self._open(), None
        try:
            if target > start and not reader.seek(target):
                reader = self._open()
            for item in self._decode(reader):
                pts = target if item.pts is None else item.pts
                if last is not None and pts > target:
                    break
                last = Timed(item.image, pts, item.duration or step)
                if pts == target:
                    break
        finally:
            self.close()
        if last is None:
            raise InputError(f"{self._path}: no frame near {float(seconds):.2f} s can be decoded")
        return max(0, round((last.pts - start) / step)), last

    def mark(self) -> Callable[[], Mark]:
        """The position after the last frame that was yielded; ValueError before the first."""
        if self._last is None:
            raise ValueError("no frame was read yet, so there is no position to mark")
        (index, pts), images = self._last, tuple(self._recent)
        return lambda: Mark(index, pts, _digests(images))

    def notes(self) -> tuple[Note, ...]:
        """What was found so far."""
        return (*self._decoder_notes(), *self._repairs.notes(), *self._changes.values())

    def _decoder_notes(self) -> Iterator[Note]:
        if self._reader is None:
            return
        yield from self._reader.damage.notes()
        yield from self._reader.jumps.notes()
        if self._reader.device_failed:
            text = "the GPU failed to decode the video; the processor decoded the rest"
            yield Note("hardware-failed", text)

    def close(self) -> None:
        """Release the file and the decoder's threads; may be called twice."""
        if self._reader is not None:
            self._reader.close()

    def _timed(self, after: Mark | None) -> Iterator[Timed]:
        try:
            decoded = None if after is None else self._seek(after)
            if after is not None and decoded is not None:
                yield from self._repair(decoded, after.pts)
                return
            timed = self._repair(self._decode(self._open()), None)
            if after is not None:
                _skip_to(timed, after, self._path)
            yield from timed
        finally:
            self.close()

    def _seek(self, mark: Mark) -> Iterator[Decoded] | None:
        """What comes after the mark, found by seeking, or None where that does not find it."""
        for seconds in _BEFORE_MARK:
            target = mark.pts - round(seconds / self._facts.time_base)
            if target <= self._facts.start:
                return None
            reader = self._open()
            decoded = self._decode(reader)
            if reader.seek(target) and _is_found(decoded, mark):
                reader.damage.forget()
                return decoded
        return None

    def _open(self) -> StreamDecoder:
        """Open the file again at its beginning, and reset the counts."""
        self.close()
        self._changes.clear()
        self._repairs = Repairs()
        self._reader = StreamDecoder(
            self._path,
            threads=self._threads,
            hidden_alpha=self._hidden_alpha,
            max_pixels=self._options.max_pixels,
            device=self._device,
            reordered=self._facts.reordered,
        )
        if isinstance(self._path, PipedVideo):
            self._path.forget_head()
            if self._path.beside is not None:
                self._reader.collect(self._path.beside)
        return self._reader

    def _repair(self, decoded: Iterator[Decoded], after: int | None) -> Iterator[Timed]:
        facts = self._facts
        timed = repair_times(
            decoded,
            first=facts.start,
            step=facts.step,
            repairs=self._repairs,
            after=after,
            end=self._end,
            at_once=isinstance(self._path, PipedVideo),
        )
        if self._options.thin_to is None:
            return timed
        rate = Fraction(self._options.thin_to)
        return thin_frames(timed, rate, tick=facts.time_base, first=facts.start, after=after)

    def _end(self) -> int | None:
        return None if self._reader is None else self._reader.ending.ticks()

    def _decode(self, reader: StreamDecoder) -> Iterator[Decoded]:
        return deinterlace(self._watch(reader.frames()), self._options.deinterlace)

    def _watch(self, decoded: Iterator[Decoded]) -> Iterator[Decoded]:
        """The same frames; side data, size changes and interlacing are noted."""
        for item in decoded:
            for note in lost_side_data(
                item.image, self._facts.color, tone_mapped=self._tone_mapped
            ):
                self._changes.setdefault(note.text, note)
            if (item.image.width, item.image.height) != self._facts.size:
                self._note_size(item.image)
            if item.image.interlaced_frame and "interlaced" not in self._changes:
                done = "kept as they are" if self._options.deinterlace == "off" else "rebuilt"
                self._changes["interlaced"] = Note("interlaced", f"interlaced frames are {done}")
            yield item

    def _note_size(self, image: VideoFrame) -> None:
        width, height = self._facts.size
        change = f"from {width}x{height} to {image.width}x{image.height}"
        if self._options.size_change == "refuse":
            raise InputError(
                f"{self._path}: the frame size changes {change} midway; set decode's option "
                "size_change to scale, or cut the file there"
            )
        check_size(self._path, image.width, image.height, self._options.max_pixels)
        text = f"the frame size changes {change} midway; the frames are scaled back"
        self._changes.setdefault("size-change", Note("size-change", text))

    def _check_limits(self, index: int, item: Timed) -> None:
        """Raise InputError where there is more than the options allow, whatever the header says."""
        options, facts = self._options, self._facts
        check_count(self._path, index + 1, options.max_frames)
        seconds = (item.pts - facts.start) * facts.time_base
        check_length(self._path, float(seconds), options.max_hours)

    def _check_end(self, end: Fraction) -> None:
        missing = self._facts.missing_seconds(end)
        if missing:
            text = (
                f"the video ends after {float(end):.2f} s, {float(missing):.2f} s before the "
                "file says; it may be cut short"
            )
            self._changes["truncated"] = Note("truncated", text)

    def _check_last(self) -> None:
        """Note where a pipe has ended in the middle of a frame."""
        if self._reader is not None and self._reader.lost_end:
            assert self._last is not None
            text = f"the input ends in the middle of frame {self._last[0] + 1}, which is left out"
            self._changes["truncated"] = Note("truncated", text)


def _is_found(decoded: Iterator[Decoded], mark: Mark) -> bool:
    """Skip to behind the mark's frame; False where the frames differ or it is not there.

    Times are compared as the file gives them: where they were repaired, only reading from
    the beginning gives the same again.
    """
    recent: deque[VideoFrame] = deque(maxlen=len(mark.digests))
    for item in decoded:
        recent.append(item.image)
        if item.pts == mark.pts and _digests(recent) == mark.digests:
            return True
        if item.pts is not None and item.pts > mark.pts:
            return False
    return False


def _skip_to(timed: Iterator[Timed], mark: Mark, path: VideoInput) -> None:
    """Skip to behind the mark's frame from the beginning. Raises InputError where it differs."""
    recent: deque[VideoFrame] = deque(maxlen=len(mark.digests))
    last: Timed | None = None
    for last in islice(timed, mark.index + 1):
        recent.append(last.image)
    if last is None or last.pts != mark.pts or _digests(recent) != mark.digests:
        raise InputError(
            f"{path}: frame {mark.index} is not the one that an earlier run stopped after; "
            "the file has changed; start again from the beginning"
        )


def _digests(images: Iterable[VideoFrame]) -> tuple[str, ...]:
    """Hashes of decoded frames, in their order."""
    return tuple(digest(image) for image in images)
