"""Video through a pipe: read once, opened as often as it must be before."""

from __future__ import annotations

import io
import os
import threading
import time
from fractions import Fraction

import av
import pytest

from tests.media.piped_inputs import noise, sending, y4m
from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.media.container import open_input
from vidstyle.media.piped_video import PipedVideo
from vidstyle.media.raw_video import RawVideo
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

RAW = RawVideo(64, 48, Fraction(25))


def decoded(video: PipedVideo) -> tuple[DecodePyAV, list[bytes]]:
    source = DecodePyAV(DecodeOptions())
    source.open_pipe(video, ExecutionContext())
    return source, [frame.host("source").tobytes() for frame in source.frames()]


def test_it_can_be_opened_again_until_its_head_is_forgotten() -> None:
    with sending(y4m(3)) as pipe:
        video = PipedVideo(pipe)
        for _ in range(2):
            with open_input(video) as container:
                assert next(container.decode(video=0)).width == 64
        video.forget_head()
        with open_input(video) as container:
            assert len(list(container.decode(video=0))) == 3
        assert video.head().read() == b""


@pytest.mark.parametrize(
    ("data", "raw", "words"),
    [
        (b"", None, "standard input is empty"),
        (b"", RAW, "standard input is empty"),
        (noise(5000), None, "not a video that can be read from a pipe"),
        (y4m(1)[:40], None, "not a video that can be read from a pipe"),
        (y4m(1)[:400], None, "ends before its first frame is whole"),
        (noise(100), RAW, "ends before its first frame is whole"),
        (b"#EXTM3U\nhttp://localhost/a.ts\n", None, "is an HLS playlist"),
    ],
)
def test_what_is_no_video_is_one_line(data: bytes, raw: RawVideo | None, words: str) -> None:
    with sending(data) as pipe, pytest.raises(InputError, match=words) as caught:
        DecodePyAV(DecodeOptions()).open_pipe(PipedVideo(pipe, raw), ExecutionContext())
    assert "\n" not in str(caught.value)


def mp4(**options: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


def test_an_mp4_is_read_where_its_index_comes_first_and_refused_at_once_where_not() -> None:
    with sending(mp4(movflags="+frag_keyframe+empty_moov")) as pipe:
        assert len(decoded(PipedVideo(pipe))[1]) == 5
    reading, writing = os.pipe()
    os.write(writing, mp4()[:2000])
    # The writer goes on: nobody waits for its end.
    with pytest.raises(InputError, match="an mp4 whose index comes at its end"):
        DecodePyAV(DecodeOptions()).open_pipe(PipedVideo(reading), ExecutionContext())
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("raw", [RAW, None])
def test_whole_frames_are_kept_and_the_last_one_is_noted(raw: RawVideo | None, lost: int) -> None:
    size = RAW.frame_bytes if raw else 6 + 64 * 48 * 3 // 2
    data = noise(5 * size) if raw else y4m(5)
    cut = (lost - 1) * size + 1 if lost else 0
    with sending(data[: len(data) - cut]) as pipe:
        source, found = decoded(PipedVideo(pipe, raw))
        notes = [note.text for note in source.notes]
    assert len(found) == 5 - lost
    text = f"the input ends in the middle of frame {5 - lost}, which is left out"
    assert notes == ([text] if lost else [])


def test_a_frame_is_given_before_the_next_one_arrives() -> None:
    data = y4m(3)
    header, frame = data.index(b"\n") + 1, 6 + 64 * 48 * 3 // 2
    reading, writing = os.pipe()
    os.write(writing, data[: header + frame])
    source = DecodePyAV(DecodeOptions())
    source.open_pipe(PipedVideo(reading), ExecutionContext())
    frames = source.frames()
    for number in range(3):
        # Blocks for ever where it waits for the one behind it.
        assert next(iter(frames)).index == number
        if number < 2:
            os.write(writing, data[header + (number + 1) * frame : header + (number + 2) * frame])
    os.close(writing)
    assert next(iter(frames), None) is None
    os.close(reading)


def test_closing_ends_a_reader_that_waits() -> None:
    reading, writing = os.pipe()
    os.write(writing, y4m(1))
    video, source = PipedVideo(reading), DecodePyAV(DecodeOptions())
    source.open_pipe(video, ExecutionContext())
    threading.Timer(0.2, video.close).start()
    started = time.perf_counter()
    assert len(list(source.frames())) == 1
    assert time.perf_counter() - started < 5
    os.close(reading)
    os.close(writing)
