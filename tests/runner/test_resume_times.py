"""Times that vary are carried to the tick, through chunks, B-frames and stops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from tests.runner.test_resume import Stopped, heard, stopped_after
from vidstyle.core import ExecutionContext
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.execution.engines import EngineName as Engine
from vidstyle.runner.execution.events import Resumed
from vidstyle.runner.job import Job, run
from vidstyle.stages.decode.pyav import DecodePyAV

IDENTITY = """\
version: 1
chunk: {least: 5, most: 9}
stages:
  - use: decode/pyav
  - use: encode/pyav
    codec: CODEC
"""
DURATIONS = (*[1501] * 23, *[2909, 91] * 2, 40_000, *[27_007] * 12, 180_000)
"""Of frames, in 1/90000 s: dense, then next to each other, then sparse; the last one 2 s."""
CLIPS = {
    "dense to sparse": DURATIONS,
    "sparse to dense": (*[27_007] * 12, *[1501] * 23, 180_000),
    "short end": (*[27_007] * 12, *[1501] * 23),
    "last frame coded before others": (*[1501, 4507] * 12, 180_000),
    "two": (4507, 180_000),
    "one": (180_000,),
}
PASSES = ("1.mp4", "2.mp4", "3.mkv", "4.mp4", "5.mov")
TICKS = {".mp4": Fraction(1, 90_000), ".mkv": Fraction(1, 1000)}
"""What a container counts time in."""


class Shown(NamedTuple):
    """A clip as a player sees it."""

    starts: list[Fraction]
    """Of frames, in seconds."""
    durations: list[Fraction]
    """Of frames, as the decoder hands them on from their packets."""
    ends: tuple[Fraction, Fraction | None]
    """Of the last one, by the container's duration and by the stream's where it has one."""
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
        # x264's code for AVX-512 chooses other frame types from time to time.
        options = {"bf": "3", "x264-params": "asm=avx2"}
        stream = container.add_stream("libx264", width=96, height=64, options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = tick

        def put(image: av.VideoFrame | None) -> None:
            for packet in stream.encode(image):
                assert packet.pts is not None
                # An encoder keeps no durations.
                number = ticks.index(packet.pts)
                packet.duration = ticks[number + 1] - ticks[number]
                container.mux(packet)

        for index, at in enumerate(ticks[:-1]):
            image = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(texture[:, index : index + 96]), "rgb24"
            )
            image.pts, image.time_base = at, tick
            # Last in the file too, since the length of an mp4 counts from there.
            if index == len(durations) - 1:
                image.pict_type = PictureType.I
            put(image)
        put(None)
    return [at * tick for at in ticks[:-1]]


def shown(path: Path) -> Shown:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert container.duration is not None
        stream = container.streams.video[0]
        start = Fraction(container.start_time or 0, av.time_base)
        end = start + Fraction(container.duration, av.time_base)
        own = stream.duration and ((stream.start_time or 0) + stream.duration) * stream.time_base
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [packet.pts * packet.time_base for packet in packets]
    return Shown(
        [frame.pts * frame.time_base for frame in frames],
        [frame.duration * frame.time_base for frame in frames],
        (end, own),
        [sorted(times).index(time) for time in times],
        sum(packet.is_keyframe for packet in packets),
        [hashlib.sha256(frame.to_ndarray(format="rgb24").tobytes()).digest() for frame in frames],
    )


@pytest.mark.parametrize("engine", ["serial", "threaded"])
@pytest.mark.parametrize("suffix", TICKS)
def test_varying_times_are_the_source_s_whether_a_run_was_stopped_or_not(
    tmp_path: Path, suffix: str, engine: Engine
) -> None:
    source = tmp_path / f"in{suffix}"
    starts = write(source, DURATIONS, TICKS[suffix])
    assert shown(source).order != sorted(shown(source).order)
    pipeline = identity(tmp_path, "libx264")
    whole, stopped = (Job(pipeline, source, tmp_path / f"{name}{suffix}") for name in "ab")

    run(replace(whole, engine=engine))
    for frames in (20, 12):
        with pytest.raises(Stopped):
            run(replace(stopped, engine=engine), listen=stopped_after(frames))
    _, events = heard(stopped, engine)
    assert any(isinstance(event, Resumed) and event.frames >= 18 for event in events)

    one, other = shown(whole.output), shown(stopped.output)
    assert one == other
    assert one.starts == starts
    assert one.order != sorted(one.order)
    assert one.keys >= 4
    assert_shown_for(one, DURATIONS, TICKS[suffix])


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("durations", CLIPS.values(), ids=CLIPS)
def test_times_and_durations_stay_from_file_to_file(
    tmp_path: Path, durations: Sequence[int], codec: str
) -> None:
    source = tmp_path / "0.mp4"
    starts, tick = write(source, durations, TICKS[".mp4"]), Fraction(0)
    for name in PASSES:
        made = tmp_path / name
        coded = "ffv1" if made.suffix == ".mkv" else codec
        run(Job(identity(tmp_path, coded), source, made))
        if made.suffix == ".mkv":
            tick = TICKS[".mkv"]
        found = shown(made)
        assert_shown_for(found, durations, tick)
        for at, wanted in zip(found.starts, starts, strict=True):
            assert abs(at - wanted) <= tick
        assert_decoded_for(made, durations, tick)
        source = made


@pytest.mark.slow
@pytest.mark.parametrize(
    "durations",
    [(*[3000] * 24, 180_000), (*[1501, 4507] * 12, 900_000)],
    ids=["constant rate", "a last frame of 10 s"],
)
def test_the_end_stays_where_the_last_frame_s_packet_cannot_show_it(
    tmp_path: Path, durations: Sequence[int]
) -> None:
    source, pipeline = tmp_path / "0.mp4", identity(tmp_path, "libx264")
    write(source, durations, TICKS[".mp4"])
    for name in ("1.mp4", "2.mov"):
        made = tmp_path / name
        run(Job(pipeline, source, made))
        found = shown(made)
        assert found.order[-1] != len(durations) - 1
        assert_ends(found, durations, Fraction(0))
        assert_decoded_for(made, durations, Fraction(0))
        source = made


def identity(folder: Path, codec: str) -> Pipeline:
    (folder / "p.yaml").write_text(IDENTITY.replace("CODEC", codec))
    return load_pipeline(folder / "p.yaml", registry=Registry([]))


def assert_ends(found: Shown, durations: Sequence[int], tick: Fraction) -> None:
    # av counts a file's length in microseconds.
    tick = tick + Fraction(1, 10**6)
    end = Fraction(sum(durations), 90_000)
    assert all(abs(found_at - end) <= tick for found_at in found.ends if found_at is not None)


def assert_shown_for(found: Shown, durations: Sequence[int], tick: Fraction) -> None:
    assert_ends(found, durations, tick)
    for found_at, ticks in zip(found.durations, durations, strict=True):
        assert abs(found_at - Fraction(ticks, 90_000)) <= tick


def assert_decoded_for(path: Path, durations: Sequence[int], tick: Fraction) -> None:
    source = DecodePyAV(DecodePyAV.Options())
    time_base = source.open(path, ExecutionContext()).time_base
    for frame, ticks in zip(source.frames(), durations, strict=True):
        assert abs(frame.duration * time_base - Fraction(ticks, 90_000)) <= tick
    assert not any(note.kind == "truncated" for note in source.notes)
