"""Runs with a pipe at an end: the frames of the same run from a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media.piped_inputs import HEIGHT, WIDTH, Receiver, noise, sending, y4m
from vidstyle.core.errors import InputError, LockedError, OutputError, PipelineError, UsageError
from vidstyle.media.piped_output import PipedOutput
from vidstyle.media.piped_video import PipedVideo
from vidstyle.media.raw_video import RAW_FORMATS, RawVideo, parse_raw_video
from vidstyle.runner import job as jobs
from vidstyle.runner import live_job as live
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.execution.events import Event, NoteEvent, Result
from vidstyle.runner.interval import parse_interval
from vidstyle.runner.storage.destination import Destination

IDENTITY = """\
version: 1
stages:
  - use: decode/pyav
  - use: encode/pyav
    codec: ffv1
"""
# A state, a look-ahead and cuts.
BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
  - use: blend/warped
  - use: encode/pyav
    codec: ffv1
    pixel_format: yuv420p
"""


def pipeline(folder: Path, text: str = IDENTITY, changes: Sequence[str] = ()) -> Pipeline:
    file = folder / "pipeline.yaml"
    file.write_text(text)
    return load_pipeline(file, registry=Registry(), overrides=list(changes))


def piped(
    loaded: Pipeline,
    data: bytes,
    *,
    raw: RawVideo | None = None,
    form: live.PipeForm | None = None,
    frames: str = "0:",
) -> tuple[bytes, Result, list[str]]:
    """What comes out, the result, and the notes."""
    receiver, events = Receiver(), list[Event]()
    with sending(data) as pipe:
        job = live.LiveJob(
            loaded,
            PipedVideo(pipe, raw),
            PipedOutput(receiver.descriptor),
            form,
            frames=parse_interval(frames),
        )
        try:
            result = live.run(job, listen=events.append)
        finally:
            out = receiver.close()
    return out, result, [event.note.text for event in events if isinstance(event, NoteEvent)]


@pytest.mark.parametrize("name", [name for name in RAW_FORMATS if not name.startswith("yuv")])
def test_raw_rgb_comes_out_byte_for_byte(tmp_path: Path, name: str) -> None:
    raw = parse_raw_video(f"{WIDTH}x{HEIGHT}@25:{name}", "--raw")
    data = noise(raw.frame_bytes * 7)
    out, result, notes = piped(pipeline(tmp_path), data, raw=raw)
    assert out == data
    assert result.frames == 7
    assert notes == [f"the output is {WIDTH}x{HEIGHT} {name} at 25 fps"]


@pytest.mark.parametrize("form", ["y4m", "mkv"])
@pytest.mark.parametrize(("text", "least"), [(IDENTITY, 1), (BLENDED, 2)])
def test_y4m_gives_the_frames_of_the_same_file(
    tmp_path: Path, form: live.PipeForm, text: str, least: int
) -> None:
    data = y4m(12)
    (tmp_path / "in.y4m").write_bytes(data)
    changes = ["encode.pixel_format=yuv420p"]
    loaded = pipeline(tmp_path, text, changes)
    whole = jobs.run(jobs.Job(loaded, tmp_path / "in.y4m", tmp_path / "whole.mkv"))
    out, result, _ = piped(loaded, data, form=form)
    assert result.digest == whole.digest
    assert result.frames == 12
    assert result.latency is not None
    assert result.latency.frames <= least + 1
    with av.open(io.BytesIO(out)) as container:
        planes = [frame.to_ndarray() for frame in container.decode(video=0)]
    with av.open(str(tmp_path / "whole.mkv")) as container:
        wanted = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert np.array_equal(planes, wanted)


@pytest.mark.parametrize(
    ("words", "samples", "pixel_format"),
    [
        ("C420jpeg XCOLORRANGE=FULL", 1.5, "yuv420p"),
        ("C422 XCOLORRANGE=LIMITED", 2, "yuv422p"),
        ("C444 XCOLORRANGE=LIMITED", 3, "yuv444p"),
        ("C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED", 1.5, "yuv420p"),
    ],
)
def test_y4m_keeps_rate_aspect_chroma_and_range(
    tmp_path: Path, words: str, samples: float, pixel_format: str
) -> None:
    data = y4m(3, words=words, samples=samples)
    data = data.replace(b"F25:1 Ip A1:1", b"F30000:1001 Ip A4:3")
    out, _, notes = piped(pipeline(tmp_path), data)
    assert out.split(b"\n")[0] == data.split(b"\n")[0]
    assert len(out) == len(data)
    assert not [note for note in notes if "colors are coded" not in note]
    with av.open(io.BytesIO(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.pix_fmt == pixel_format


def matroska(codec: str = "libx264", *, sound: bool = True, frames: int = 20) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        video = container.add_stream(codec, rate=25, width=WIDTH, height=HEIGHT)
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("flac", rate=8000) if sound else None
        for index in range(frames):
            image = np.frombuffer(noise(WIDTH * HEIGHT * 3, index), np.uint8) // 4 + 40
            frame = av.VideoFrame.from_ndarray(image.reshape(HEIGHT, WIDTH, 3), "rgb24")
            container.mux(video.encode(frame))
            if audio is not None:
                wave = np.frombuffer(noise(640, index), np.int16)[None]
                piece = av.AudioFrame.from_ndarray(wave, "s16", "mono")
                piece.sample_rate, piece.pts = 8000, 320 * index
                container.mux(audio.encode(piece))
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))
    return file.getvalue()


def sound_of(data: bytes | Path) -> tuple[int, bytes]:
    with av.open(str(data) if isinstance(data, Path) else io.BytesIO(data)) as container:
        pieces = [frame.to_ndarray() for frame in container.decode(audio=0)]
    joined = np.concatenate(pieces, axis=1)
    return joined.shape[1], joined.tobytes()


def test_matroska_keeps_frames_times_and_sound(tmp_path: Path) -> None:
    data = matroska()
    (tmp_path / "in.mkv").write_bytes(data)
    loaded = pipeline(tmp_path, BLENDED)
    whole = jobs.run(jobs.Job(loaded, tmp_path / "in.mkv", tmp_path / "whole.mkv"))
    out, result, _ = piped(loaded, data)
    assert result.digest == whole.digest
    assert sound_of(out) == sound_of(data) == sound_of(tmp_path / "whole.mkv")
    with av.open(io.BytesIO(out)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert times == [round(0.04 * number, 3) for number in range(20)]


def test_y4m_and_raw_video_note_the_sound_that_they_lose(tmp_path: Path) -> None:
    for form, name in (("y4m", "y4m"), ("raw", "raw video")):
        _, _, notes = piped(pipeline(tmp_path), matroska(), form=form)  # type: ignore[arg-type]  # of a loop
        assert f"{name} does not support audio: left out" in notes


def test_a_file_goes_into_a_pipe_with_its_sound(tmp_path: Path) -> None:
    (tmp_path / "in.mkv").write_bytes(matroska())
    loaded = pipeline(tmp_path)
    whole = jobs.run(jobs.Job(loaded, tmp_path / "in.mkv", tmp_path / "whole.mkv"))
    receiver = Receiver()
    job = live.LiveJob(loaded, tmp_path / "in.mkv", PipedOutput(receiver.descriptor))
    result = live.run(job, listen=lambda event: None)
    out = receiver.close()
    assert result.digest == whole.digest
    assert sound_of(out) == sound_of(tmp_path / "in.mkv")
    assert result.latency is None


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.y4m"])
def test_a_pipe_goes_into_a_file_that_is_whole_or_not_there(tmp_path: Path, name: str) -> None:
    changes = ["encode.codec=libx264"] if name == "out.mp4" else []
    loaded = pipeline(tmp_path, changes=changes)
    with sending(matroska()) as pipe:
        job = live.LiveJob(loaded, PipedVideo(pipe), tmp_path / name)
        live.run(job, listen=lambda event: None)
    with av.open(str(tmp_path / name)) as container:
        assert len(list(container.decode(video=0))) == 20
        assert bool(container.streams.audio) == (name != "out.y4m")
    assert {path.name for path in tmp_path.iterdir()} == {"pipeline.yaml", name}
    with sending(matroska()) as pipe, pytest.raises(OutputError, match="exists; pass --overwrite"):
        live.run(replace(job, input=PipedVideo(pipe)), listen=lambda event: None)
    (tmp_path / name).unlink()
    with sending(y4m(2)) as pipe, pytest.raises(InputError, match="--frames starts at 5"):
        later = replace(job, input=PipedVideo(pipe), frames=(5, None))
        live.run(later, listen=lambda event: None)
    assert {path.name for path in tmp_path.iterdir()} == {"pipeline.yaml"}


@pytest.mark.parametrize(
    ("frames", "wanted"), [("2:5", [2, 3, 4]), ("4:", [4, 5]), ("0.08s:0.2s", [2, 3, 4])]
)
def test_an_interval_of_a_pipe_is_decoded_from_its_start(
    tmp_path: Path, frames: str, wanted: list[int]
) -> None:
    raw = parse_raw_video(f"{WIDTH}x{HEIGHT}@25", "--raw")
    data, size = noise(raw.frame_bytes * 6), raw.frame_bytes
    out, _, _ = piped(pipeline(tmp_path), data, raw=raw, frames=frames)
    assert out == b"".join(data[number * size : (number + 1) * size] for number in wanted)


def test_a_pipe_needs_a_source_and_a_sink_for_it(tmp_path: Path) -> None:
    images = IDENTITY.replace("decode/pyav", "decode/images")
    with pytest.raises(UsageError, match="standard input: decode/images reads no pipe"):
        piped(pipeline(tmp_path, images), y4m(1))


def test_a_pixel_format_that_y4m_does_not_have_is_refused(tmp_path: Path) -> None:
    loaded = pipeline(tmp_path, changes=["encode.pixel_format=bgr0"])
    with pytest.raises(PipelineError, match="pixel_format bgr0: y4m has: yuv420p"):
        piped(loaded, y4m(1))


def test_frames_that_are_left_out_change_the_rate_of_y4m(tmp_path: Path) -> None:
    out, result, notes = piped(pipeline(tmp_path, changes=["decode.thin_to=10"]), y4m(11))
    assert b" F10:1 " in out.split(b"\n")[0]
    assert result.frames == 5
    # They are 2 and 3 frames of 25 a second apart, within half a frame of 10 a second.
    assert not [note for note in notes if "uneven" in note]
    variable = [0, 40, 80, 400, 440]
    _, _, notes = piped(pipeline(tmp_path), variable_rate(variable), form="y4m")
    assert "the frames come at an uneven rate, and y4m has one: 25 fps" in notes


def variable_rate(milliseconds: Sequence[int]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in milliseconds:
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def test_a_file_is_locked_against_other_runs_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    loaded, out = pipeline(tmp_path), tmp_path / "out.mkv"
    before = {path.name for path in tmp_path.iterdir()}

    def run() -> Result:
        with sending(y4m(3)) as pipe:
            return live.run(live.LiveJob(loaded, PipedVideo(pipe), out), listen=lambda _: None)

    with Destination(out).reserved(), pytest.raises(LockedError, match="another run is writing"):
        run()
    assert run().frames == 3
    assert {path.name for path in tmp_path.iterdir()} == before | {"out.mkv"}
