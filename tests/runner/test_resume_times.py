"""Times that vary are carried to the tick, through chunks, B-frames and stops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from tests.runner.test_resume import Stopped, heard, stopped_after
from vidstyle.runner.config import load_pipeline
from vidstyle.runner.discovery import Registry
from vidstyle.runner.events import Resumed
from vidstyle.runner.execute import Engine
from vidstyle.runner.job import Job, run

IDENTITY = """\
version: 1
chunk: {least: 5, most: 9}
stages:
  - use: decode/pyav
  - use: encode/pyav
    codec: libx264
"""
DURATIONS = (*[1501] * 23, *[2909, 91] * 2, 40_000, *[27_007] * 12, 180_000)
"""Of frames, in 1/90000 s: dense, then next to each other, then sparse; the last one 2 s."""
TICKS = {".mp4": Fraction(1, 90_000), ".mkv": Fraction(1, 1000)}
"""What a container counts time in."""


class Shown(NamedTuple):
    """A clip as a player sees it."""

    starts: list[Fraction]
    """Of frames, in seconds."""
    end: Fraction
    """Of the last one."""
    last: Fraction
    """How long the last one is shown, by its own packet."""
    order: list[int]
    """Of the frames in the file, by their place in time."""
    keys: int
    """Frames that a decoder can begin at."""
    hashes: list[bytes]


def write(path: Path, durations: Sequence[int], tick: Fraction) -> list[Fraction]:
    """Write a clip with B-frames; gives the times of its frames in seconds."""
    times = [Fraction(at, 90_000) for at in accumulate(durations, initial=0)]
    ticks = [round(time / tick) for time in times]
    texture = np.random.default_rng(0).integers(0, 255, (64, 96 + len(durations), 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", width=96, height=64, options={"bf": "3"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = tick

        def put(picture: av.VideoFrame | None) -> None:
            for packet in stream.encode(picture):
                assert packet.pts is not None
                # An encoder keeps no durations.
                number = ticks.index(packet.pts)
                packet.duration = ticks[number + 1] - ticks[number]
                container.mux(packet)

        for index, at in enumerate(ticks[:-1]):
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(texture[:, index : index + 96]), "rgb24"
            )
            picture.pts, picture.time_base = at, tick
            # Last in the file too, since the length of an mp4 counts from there.
            if index == len(durations) - 1:
                picture.pict_type = PictureType.I
            put(picture)
        put(None)
    return [at * tick for at in ticks[:-1]]


def shown(path: Path) -> Shown:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert container.duration is not None
        start = Fraction(container.start_time or 0, av.time_base)
        end = start + Fraction(container.duration, av.time_base)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [packet.pts * packet.time_base for packet in packets]
    last = max(packets, key=lambda packet: packet.pts)
    return Shown(
        [frame.pts * frame.time_base for frame in frames],
        end,
        last.duration * last.time_base,
        [sorted(times).index(time) for time in times],
        sum(packet.is_keyframe for packet in packets),
        [hashlib.sha256(frame.to_ndarray().tobytes()).digest() for frame in frames],
    )


@pytest.mark.parametrize("engine", ["serial", "threaded"])
@pytest.mark.parametrize("suffix", TICKS)
def test_varying_times_are_the_source_s_whether_a_run_was_stopped_or_not(
    tmp_path: Path, suffix: str, engine: Engine
) -> None:
    source = tmp_path / f"in{suffix}"
    starts = write(source, DURATIONS, TICKS[suffix])
    assert shown(source).order != sorted(shown(source).order)
    (tmp_path / "p.yaml").write_text(IDENTITY)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry([]))
    whole, stopped = (Job(pipeline, source, tmp_path / f"{name}{suffix}") for name in "ab")

    run(whole, engine=engine)
    for frames in (20, 12):
        with pytest.raises(Stopped):
            run(stopped, engine=engine, listen=stopped_after(frames))
    _, events = heard(stopped, engine)
    assert any(isinstance(event, Resumed) and event.frames >= 18 for event in events)

    one, other = shown(whole.output), shown(stopped.output)
    assert one == other
    assert one.starts == starts
    assert one.order != sorted(one.order)
    assert one.keys >= 4
    # av counts a file's length in microseconds.
    assert abs(one.end - starts[-1] - 2) <= TICKS[suffix] + Fraction(1, 10**6)
    if suffix == ".mkv":
        assert abs(one.last - 2) <= TICKS[suffix]
