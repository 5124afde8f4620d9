from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.media.joined_files import flashes, write_parts
from tests.stages.encode.sound_files import heard
from vidstyle.core import ExecutionContext, FrameTime, Original
from vidstyle.media.file_clock import read_sections
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.encode.pyav import EncodePyAV


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
    path = write_parts(tmp_path / "in.ts", starts)
    made = tmp_path / name
    notes = _copied(path, made, "libvpx-vp9" if name == "out.webm" else "libx264")
    with av.open(str(made)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert np.allclose(np.diff(times), 0.04, atol=0.0011)
    assert len(times) == 50 * len(starts)
    assert times[0] < 0.1
    shown = flashes(made)
    assert len(shown) == len(starts)
    assert np.allclose(heard(made), shown, atol=0.005 + 0.0011)
    (note,) = (text for text in notes if "the file's clock jumps" in text)
    assert ("2 times" in note) == (len(starts) == 3)


def test_a_long_wait_in_an_indexed_file_is_no_jump(tmp_path):
    path = tmp_path / "in.mkv"
    write_parts(path, [0.0, 60.0], codec="mp2")
    with av.open(str(path)) as container:
        assert len(read_sections(container, container.streams.video[0])) == 1
    made = tmp_path / "out.mkv"
    _copied(path, made, "libx264")
    assert flashes(made) == pytest.approx([1.0, 61.0], abs=0.002)
    assert heard(made) == pytest.approx([1.0, 61.0], abs=0.005)


def test_a_transmission_begins_at_its_first_image(tmp_path):
    path = write_parts(tmp_path / "in.ts", [40_000.0])
    made = tmp_path / "out.mp4"
    assert not any("clock" in text for text in _copied(path, made, "libx264"))
    assert flashes(made) == pytest.approx([1.0])
    assert heard(made) == pytest.approx([1.0], abs=0.005)
