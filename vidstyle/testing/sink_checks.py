"""What every sink has to keep to. Each check raises AssertionError where one does not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import numpy as np

from vidstyle.core import Clip, ExecutionContext, Frame, FrameTime, Original, Packet, Sink
from vidstyle.core.errors import OutputError, PipelineError
from vidstyle.testing.clips import SyntheticClip, pan
from vidstyle.testing.expect import expect

_FRAMES = 8


@dataclass(frozen=True, slots=True)
class SinkSubject:
    """A sink class and the kind of file that it is to make."""

    sink_class: type[Any]
    suffix: str
    """Such as ``.mp4``; empty for a folder of images."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def opened(self, clip: Clip) -> Iterator[tuple[Sink, Path]]:
        """Open a new sink on a clip.

        Args:
            clip: As it arrives at the sink.

        Yields:
            The sink, and the path that it is to write to.
        """
        sink = self.make()
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, f"made{self.suffix}")
                sink.check(path, clip)
                sink.open(clip, ExecutionContext())
                yield sink, path
        finally:
            sink.close()

    def make(self) -> Sink:
        """A new sink, not opened."""
        sink: Sink = self.sink_class(self.sink_class.Options.model_validate(dict(self.options)))
        return sink


@dataclass(frozen=True, slots=True)
class _Segment:
    """One encoded chunk, in memory."""

    header: bytes
    frames: int
    stored: tuple[Packet, ...]
    digests: tuple[str, ...]

    def packets(self) -> Iterator[Packet]:
        return iter(self.stored)


def same_frames_give_same_packets(subject: SinkSubject) -> None:
    """Two writers give the same bytes, and the same hash for each frame."""
    synthetic = pan(frames=_FRAMES)
    first, second = (_encoded(subject, synthetic, (_FRAMES,)) for _ in range(2))
    expect(first == second, "encoding again gives other packets or hashes")


def different_frames_have_different_hashes(subject: SinkSubject) -> None:
    """A frame's hash does not depend on its chunk, and another image has another hash."""
    synthetic = pan(frames=_FRAMES)
    whole = _encoded(subject, synthetic, (_FRAMES,))[0].digests
    parts = [d for segment in _encoded(subject, synthetic, (3, 1, 4)) for d in segment.digests]
    expect(list(whole) == parts, "a frame's hash depends on its chunk")
    expect(len(set(whole)) == _FRAMES, "two different frames have one hash")


def each_chunk_starts_with_a_keyframe(subject: SinkSubject) -> None:
    """One packet a frame, on the clock of the chunk, the first a keyframe."""
    for segment in _encoded(subject, pan(frames=_FRAMES), (3, 1, 4)):
        times = sorted(packet.pts for packet in segment.stored)
        expect(times == list(range(segment.frames)), f"packets of a chunk lie at {times}")
        expect(segment.stored[0].keyframe, "a chunk does not begin with a keyframe")


def chunks_join_to_all_frames(subject: SinkSubject) -> None:
    """One chunk, several, one of a single frame: the file has every frame once."""
    for chunks in ((_FRAMES,), (3, 1, 4), (1,)):
        made = _joined(subject, pan(frames=sum(chunks)), chunks)
        expect(made == sum(chunks), f"chunks of {chunks} frames gave {made} frames")


def odd_sizes_and_variable_rates_work(subject: SinkSubject) -> None:
    """Odd sizes and variable rates are written, or refused by ``check``."""
    for synthetic in (pan(frames=4, width=97, height=65), pan(frames=4, variable=True)):
        try:
            subject.make().check(Path(f"made{subject.suffix}"), synthetic.clip)
        except (PipelineError, OutputError):
            continue
        made = _joined(subject, synthetic, (2, 2))
        expect(made == 4, f"{synthetic.clip.width}x{synthetic.clip.height}: {made} frames of 4")


def sinks_close_without_opening(subject: SinkSubject) -> None:
    """The runner closes a sink also where something before it failed."""
    subject.make().close()


def _encoded(
    subject: SinkSubject, synthetic: SyntheticClip, chunks: Sequence[int]
) -> tuple[_Segment, ...]:
    with subject.opened(synthetic.clip) as (sink, _):
        return _segments(sink, synthetic, chunks)


def _segments(sink: Sink, synthetic: SyntheticClip, chunks: Sequence[int]) -> tuple[_Segment, ...]:
    stops = list(accumulate(chunks))
    starts = [0, *stops[:-1]]
    return tuple(
        _segment(sink, synthetic.clip, synthetic.frames[start:stop])
        for start, stop in zip(starts, stops, strict=True)
    )


def _segment(sink: Sink, clip: Clip, frames: Sequence[Frame]) -> _Segment:
    writer = sink.segment(clip)
    packets: list[Packet] = []
    digests = []
    for frame in frames:
        layers = {name: frame.layers[name] for name in sink.needs.reads if name in frame.layers}
        ready, digest = writer.write(replace(frame, layers=layers))
        packets += ready
        digests.append(digest)
    packets += writer.finish()
    return _Segment(writer.header, len(frames), tuple(packets), tuple(digests))


def _joined(subject: SinkSubject, synthetic: SyntheticClip, chunks: Sequence[int]) -> int:
    """How many frames the file has that these chunks make."""
    with subject.opened(synthetic.clip) as (sink, path):
        original = path.with_name("original.mkv")
        _write_original(original, synthetic)
        times = [FrameTime(frame.pts, frame.duration) for frame in synthetic.frames]
        sink.join(_segments(sink, synthetic, chunks), times, Original(original), path)
        return _count(path)


def _count(path: Path) -> int:
    if path.is_dir():
        return sum(1 for file in path.iterdir() if file.suffix == ".png")
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _write_original(path: Path, synthetic: SyntheticClip) -> None:
    """A file that the frames could come from, without other streams."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = (
            synthetic.clip.width,
            synthetic.clip.height,
            "bgr0",
        )
        for frame in synthetic.frames:
            pixels = np.rint(frame.host("source") * 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
