from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.stages.encode.sound_files import bursts, encode_sound, heard
from vidstyle.core import ExecutionContext, FrameTime, Original
from vidstyle.media.file_clock import read_sections
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.encode.pyav import EncodePyAV

RATE = 48_000


def _write_parts(path: Path, starts: list[float], *, codec: str = "mp2") -> Path:
    """Parts of 2 s, each from its own time on, with a flash and a burst at 1 s of each."""
    groups = [[start] for start in starts] if path.suffix == ".ts" else [starts]
    data = b""
    for group in groups:
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            sound = container.add_stream(codec, rate=RATE)
            sound.layout = "mono"
            packets = []
            for start in group:
                packets += [(packet, video) for packet in _video_part(start)]
                packets += [(packet, sound) for packet in _sound_part(codec, start)]
            packets.sort(key=lambda item: item[0].dts * item[0].time_base)
            for packet, stream in packets:
                packet.stream = stream
                container.mux(packet)
        data += path.read_bytes()
    # Recordings of transmissions are joined like this.
    path.write_bytes(data)
    return path


def _video_part(start: float) -> list:
    context = av.CodecContext.create("mpeg2video", "w")
    context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    packets = []
    for number in range(50):
        level = 220 if 25 <= number < 30 else 40
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8))
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += context.encode(frame)
    return _later([*packets, *context.encode(None)], start)


def _sound_part(codec: str, start: float) -> list:
    context = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.format = RATE, "mono", "s16"
    context.time_base = Fraction(1, RATE)
    # A whole number of frames of mp2, a little longer than the video, as recordings are.
    samples = bursts([1.0], 84 * 1152 / RATE, RATE)
    return _later(encode_sound(context, samples, RATE, "mono"), start)


def _later(packets: list, start: float) -> list:
    for packet in packets:
        ticks = round(start / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packets


def _flashes(path: Path) -> list[float]:
    """When the images become bright."""
    with av.open(str(path)) as container:
        levels = [(f.time, f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    return [now for (_, before), (now, level) in pairwise(levels) if before < 128 <= level]


def _copied(path: Path, out: Path, codec: str) -> list[str]:
    """Decode and encode all of a file; returns the notes."""
    source, sink = (
        DecodePyAV(DecodePyAV.Options()),
        EncodePyAV(EncodePyAV.Options(codec=codec)),
    )
    clip = source.open(path, ExecutionContext(threads=1))
    sink.open(clip, ExecutionContext(threads=1))
    writer, packets, times = sink.segment(clip), [], []
    for frame in source.frames():
        times.append(FrameTime(frame.pts, frame.duration))
        image = frame.write({"image": frame.lazy_layer("source")}, {"image"})
        packets += writer.write(image)[0]
    packets += writer.finish()

    class Segment:
        header, frames = writer.header, len(times)

        def packets(self):
            return iter(packets)

    sink.join([Segment()], times, Original(path), out)
    return [note.text for note in (*clip.notes, *source.notes, *sink.notes)]


JUMPS = {
    "back to the start": [10.0, 10.0],
    "a little back": [10.0, 11.88],
    "forwards": [10.0, 1010.0],
    "backwards by hours": [20_000.0, 10.0],
    "twice": [10.0, 2000.0, 5.0],
}


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
@pytest.mark.parametrize("jump", JUMPS)
def test_parts_with_clocks_of_their_own_follow_one_another_in_sync(tmp_path, jump, name):
    starts = JUMPS[jump]
    path = _write_parts(tmp_path / "in.ts", starts)
    made = tmp_path / name
    notes = _copied(path, made, "libvpx-vp9" if name == "out.webm" else "libx264")
    with av.open(str(made)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert np.allclose(np.diff(times), 0.04, atol=0.0011)
    assert len(times) == 50 * len(starts)
    assert times[0] < 0.1
    flashes = _flashes(made)
    assert len(flashes) == len(starts)
    assert np.allclose(heard(made), flashes, atol=0.005 + 0.0011)
    (note,) = (text for text in notes if "the file's clock jumps" in text)
    assert ("2 times" in note) == (len(starts) == 3)


def test_a_long_wait_in_an_indexed_file_is_no_jump(tmp_path):
    path = tmp_path / "in.mkv"
    _write_parts(path, [0.0, 60.0], codec="mp2")
    with av.open(str(path)) as container:
        assert len(read_sections(container, container.streams.video[0])) == 1
    made = tmp_path / "out.mkv"
    _copied(path, made, "libx264")
    assert _flashes(made) == pytest.approx([1.0, 61.0], abs=0.002)
    assert heard(made) == pytest.approx([1.0, 61.0], abs=0.005)


def test_a_transmission_begins_at_its_first_image(tmp_path):
    path = _write_parts(tmp_path / "in.ts", [40_000.0])
    made = tmp_path / "out.mp4"
    assert not any("clock" in text for text in _copied(path, made, "libx264"))
    assert _flashes(made) == pytest.approx([1.0])
    assert heard(made) == pytest.approx([1.0], abs=0.005)
