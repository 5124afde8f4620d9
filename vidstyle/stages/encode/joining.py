"""Chunks, the original's other streams and the true times, put together in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from av.container import InputContainer

from vidstyle.core import Clip, FrameTime, Note, Original, Segment
from vidstyle.core.errors import InputError
from vidstyle.media.container import open_input
from vidstyle.stages.encode.codecs import CODECS
from vidstyle.stages.encode.containers import Container, container_for
from vidstyle.stages.encode.cut import Cut
from vidstyle.stages.encode.encoder import EncoderSettings
from vidstyle.stages.encode.matroska import write_sample_aspect
from vidstyle.stages.encode.muxing import (
    VideoHeader,
    add_video,
    failing_as_output,
    interleaved,
    opened_output,
    video_packets,
)
from vidstyle.stages.encode.options import EncodeOptions
from vidstyle.stages.encode.other_streams import OtherStreams
from vidstyle.stages.encode.probe import probe
from vidstyle.stages.encode.timeline import Timeline, decoding_order

_MOST_AHEAD: Final = 4
# Seconds. Enough for the usual end card, and little enough for players to hold at 4K.


@dataclass(frozen=True, slots=True)
class Joining:
    """What all files of one clip and one set of options have in common."""

    clip: Clip
    settings: EncoderSettings
    options: EncodeOptions

    def write(
        self,
        chunks: Sequence[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> list[Note]:
        """Write ``path`` and probe it; what was changed on the way. Raises OutputError."""
        # No container shows what is before 0, so that everything moves up together.
        lift = max(0, -times[0].pts)
        shown = [FrameTime(frame.pts + lift, frame.duration) for frame in times]
        cut = _cut(original, lift * self.clip.time_base)
        with _original(original.path) as source:
            notes = self._mux(chunks, shown, source, cut, path)
        if lift:
            seconds = float(lift * self.clip.time_base)
            notes.append(Note("moved", f"all times are {seconds:g} s later, to start at 0"))
        size = (self.settings.width, self.settings.height)
        notes += self._write_aspect(path, size)
        probe(path, [frame.pts * self.clip.time_base for frame in shown], size)
        return notes

    def _write_aspect(self, path: Path, size: tuple[int, int]) -> list[Note]:
        aspect = self.clip.sample_aspect
        if aspect == 1 or path.suffix.lower() not in (".mkv", ".webm"):
            return []
        with failing_as_output(path):
            if write_sample_aspect(path, size, aspect):
                return []
        return [Note("aspect", f"the sample aspect {aspect} could not be written")]

    def _most_ahead(self, container: Container) -> int | None:
        if not container.edit_lists:
            return None
        # Equal intervals are how a file says that its rate is constant, whatever the last frame.
        return 0 if self.clip.frame_rate else int(_MOST_AHEAD / self.clip.time_base)

    def _mux(
        self,
        chunks: Sequence[Segment],
        times: Sequence[FrameTime],
        source: InputContainer | None,
        cut: Cut,
        path: Path,
    ) -> list[Note]:
        clip, codec = self.clip, CODECS[self.options.codec]
        container = container_for(path, codec.name)
        order = decoding_order(chunks, len(times)) if codec.reorders else range(len(times))
        timeline = Timeline(times, order, self._most_ahead(container))
        header = VideoHeader(
            self.settings, chunks[0].header, timeline.delay, clip.time_base, clip.frame_rate
        )
        others = OtherStreams(source, container, self.options, cut)
        with opened_output(path, container, clip.time_base) as output:
            stream = add_video(output, header, codec.tag.get(path.suffix.lower()))
            others.add_to(output, stream, clip)
            video = video_packets(timeline.packets(chunks), stream, clip.time_base)
            for packet in interleaved(video, others.packets()):
                output.mux_one(packet)
        return others.notes


def _cut(original: Original, lift: Fraction) -> Cut:
    if original.interval is None:
        return Cut(start=-lift)
    start, end = original.interval
    return Cut(start - lift, end, exact=True)


@contextmanager
def _original(path: Path) -> Iterator[InputContainer | None]:
    """The original file, or None where it is a folder of images or gone."""
    try:
        source = open_input(path) if path.is_file() else None
    except InputError:
        source = None
    if source is None:
        yield None
        return
    with source:
        yield source
