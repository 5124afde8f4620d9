from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.subtitles.subtitle import SubtitleSet

from vidstyle.core import Clip, FrameTime, Original, OtherStream
from vidstyle.media.container import choose_video, open_input, other_streams

SAMPLES = 48_000
SECONDS = 2
_STYLE = {
    "Name": "Default",
    "Fontname": "Arial",
    "Fontsize": "16",
    "PrimaryColour": "&Hffffff",
    "Bold": "0",
    "Italic": "0",
    "Underline": "0",
    "Alignment": "2",
}
STYLES = f"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: {", ".join(_STYLE)}
Style: {",".join(_STYLE.values())}

[Events]
Format: Layer, Start, End, Style, Text
""".encode()
LINES = ((200, 400, "one"), (900, 500, "two"), (1600, 300, "three"))
"""Start and duration in ms, and text."""
CHAPTERS = [
    {
        "id": number,
        "start": 1000 * number,
        "end": 1000 * number + 1000,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": f"part {number}"},
    }
    for number in range(2)
]


def _sound() -> np.ndarray:
    """Low-passed noise: no two places are alike, so that a shift is found."""
    noise = np.random.default_rng(0).normal(size=SAMPLES * SECONDS)
    smooth = np.convolve(noise, np.hanning(24) / 12, "same")
    return (0.2 * smooth).astype(np.float32)


def _write_original(path: Path, audio: str, subtitles: str | None) -> Path:
    """Two seconds of gray with sound, three lines of text, two chapters and titles."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata["language"] = "eng"
        sound = container.add_stream(audio, rate=SAMPLES)
        sound.layout = "mono"
        sound.metadata["language"] = "fre"
        text = container.add_stream(subtitles) if subtitles else None
        if text is not None:
            text.codec_context.subtitle_header = STYLES
            text.metadata["language"] = "ger"
        container.metadata["title"] = "Waves"
        container.set_chapters(CHAPTERS)
        _write_images(container, video)
        _write_sound(container, sound)
        if text is not None:
            _write_lines(container, text)
    return path


def _write_images(container: Any, video: Any) -> None:
    for number in range(25 * SECONDS):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8))
        frame.pts = number
        container.mux(video.encode(frame))
    container.mux(video.encode())


def _write_sound(container: Any, sound: Any) -> None:
    resampler = av.AudioResampler(
        format=sound.format, layout="mono", rate=SAMPLES, frame_size=sound.frame_size or None
    )
    frame = av.AudioFrame.from_ndarray(_sound()[None], "flt", "mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLES, 0, Fraction(1, SAMPLES)
    for ready in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(sound.encode(ready))
    container.mux(sound.encode())


def _write_lines(container: Any, text: Any) -> None:
    for start, duration, words in LINES:
        line = SubtitleSet.create(f"0,0,Default,,0,0,0,,{words}".encode(), 0, duration)
        packet = text.codec_context.encode_subtitle(line)
        packet.stream, packet.time_base = text, Fraction(1, 1000)
        packet.pts = packet.dts = start
        packet.duration = duration
        container.mux(packet)


@pytest.fixture
def original(tmp_path: Path):
    def make(suffix: str = ".mkv", audio: str = "flac", subtitles: str | None = "subrip") -> Path:
        return _write_original(tmp_path / f"original{suffix}", audio, subtitles)

    return make


@pytest.fixture
def through(encode, moving):
    """Encode 2 s of new images, or frames ``first`` to ``stop``, with the rest of a file."""

    def run(name: str, source: Path, *, first: int = 0, stop: int | None = None, **options: Any):
        with open_input(source) as container:
            streams = other_streams(container, choose_video(container))
        clip = Clip(64, 48, Fraction(1, 25), Fraction(25), streams=streams)
        count = (stop or 25 * SECONDS) - first
        interval = None if stop is None else (Fraction(first, 25), Fraction(stop, 25))
        return encode(
            name,
            moving(1, 64, 48) * count,
            clip=clip,
            times=[FrameTime(number, 1) for number in range(count)],
            chunks=[count // 2, count - count // 2],
            original=Original(source, interval),
            **options,
        )

    return run


def _packets(path: Path, kind: str) -> list[tuple[float, float]]:
    """Start and duration of each packet, in seconds."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (float(packet.pts * packet.time_base), float(packet.duration * packet.time_base))
            for packet in container.demux(stream)
            if packet.size > 2  # mp4 fills the time between lines with empty ones
        ]


def _words(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        decoded = [packet.decode() for packet in container.demux(stream) if packet.size]
        return [line.dialogue.decode() for lines in decoded for line in lines if line.dialogue]


def _samples(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLES)
        frames = [
            ready for frame in container.decode(audio=0) for ready in resampler.resample(frame)
        ]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _lag(found: np.ndarray, wanted: np.ndarray) -> int:
    """By how many samples ``found`` is late."""
    length = len(found) + len(wanted)
    spectrum = np.fft.rfft(found, length) * np.conj(np.fft.rfft(wanted, length))
    lag = int(np.argmax(np.fft.irfft(spectrum, length)))
    return lag - length if lag > length // 2 else lag


def _codecs(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {
            stream.type: stream.codec_context.codec.canonical_name
            for stream in container.streams
            if stream.type != "data"
        }


@pytest.mark.parametrize(
    ("name", "options", "audio", "subtitle"),
    [
        ("out.mkv", {}, "flac", "subrip"),
        ("out.mp4", {}, "flac", "mov_text"),
        ("out.mov", {}, "aac", "mov_text"),
        ("out.webm", {"codec": "libvpx-vp9"}, "opus", "webvtt"),
    ],
)
def test_sound_and_text_are_copied_or_turned_into_what_the_container_takes(
    original, through, name, options, audio, subtitle
):
    made = through(name, original(), **options)
    codecs = _codecs(made.path)
    assert (codecs["audio"], codecs["subtitle"]) == (audio, subtitle)
    assert ("audio-encoded" in made.kinds) == (audio != "flac")
    assert _words(made.path) == [words for _, _, words in LINES]
    for found, (start, duration, _) in zip(_packets(made.path, "subtitle"), LINES, strict=True):
        assert found == pytest.approx((start / 1000, duration / 1000), abs=0.0011)
    assert abs(_lag(_samples(made.path), _sound())) <= 1


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_titles_languages_and_chapters_stay(original, through, name):
    made = through(name, original())
    with av.open(str(made.path)) as container:
        assert container.metadata["title"] == "Waves"
        languages = {stream.type: stream.metadata["language"] for stream in container.streams}
        assert {"video": "eng", "audio": "fre", "subtitle": "ger"}.items() <= languages.items()
        chapters = [
            (chapter["start"] * chapter["time_base"], chapter["metadata"]["title"])
            for chapter in container.chapters()
        ]
    assert chapters == [(0, "part 0"), (1, "part 1")]


def test_what_is_not_wanted_is_left_out_without_a_word(original, through):
    made = through("out.mkv", original(), audio="drop", subtitles="drop", metadata="drop")
    with av.open(str(made.path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert "title" not in container.metadata
        assert container.chapters() == []
    assert made.kinds == set()


@pytest.mark.parametrize(("suffix", "audio"), [(".mp4", "aac"), (".mkv", "libopus")])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_copied_sound_neither_moves_nor_moves_the_images(
    original, through, read, suffix, audio, name
):
    source = original(suffix, audio, None)
    made = through(name, source)
    assert made.kinds == set()
    assert read(made.path).seconds() == [Fraction(number, 25) for number in range(50)]
    assert _lag(_timed(made.path), _timed(source)) in range(-48, 49)


def _timed(path: Path) -> np.ndarray:
    """Samples at the place that their time says."""
    with av.open(str(path)) as container:
        whole = np.zeros(SAMPLES * (SECONDS + 1), np.float32)
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float32)[0]
            at = round(frame.pts * frame.time_base * SAMPLES)
            if at >= 0:
                whole[at : at + len(samples)] = samples
        return whole


@pytest.mark.parametrize(
    ("name", "options"),
    [("out.mp4", {}), ("out.mkv", {}), ("out.webm", {"codec": "libvpx-vp9"})],
)
def test_an_interval_is_cut_to_the_sample_and_starts_at_zero(
    original, through, read, name, options
):
    made = through(name, original(), first=10, stop=35, **options)
    assert read(made.path).seconds()[0] == 0
    wanted = _sound()[10 * SAMPLES // 25 : 35 * SAMPLES // 25]
    found = _samples(made.path)
    assert abs(_lag(found, wanted)) <= 1
    assert abs(len(found) - len(wanted)) <= 1024
    assert np.corrcoef(found[2000:40_000], wanted[2000:40_000])[0, 1] > 0.95
    assert _words(made.path) == ["one", "two"]
    assert np.allclose(_packets(made.path, "subtitle"), [(0, 0.2), (0.5, 0.5)], atol=0.0011)
    with av.open(str(made.path)) as container:
        parts = [(part["start"], part["end"], part["time_base"]) for part in container.chapters()]
    chapters = [(float(start * tick), float(end * tick)) for start, end, tick in parts]
    assert np.allclose(chapters, [(0, 0.6), (0.6, 1.0)], atol=0.0011)


def test_a_second_video_stream_is_left_out_and_noted(encode, moving, original):
    streams = (OtherStream(0, "video", "h264"),)
    clip = Clip(64, 48, Fraction(1, 25), Fraction(25), streams=streams)
    source = Original(original())
    made = encode("out.mkv", moving(2, 64, 48), clip=clip, original=source)
    (note,) = made.notes
    assert note.kind == "dropped"
    assert "video stream 0 (h264)" in note.text


def test_images_have_no_other_streams(encode, moving, tmp_path):
    clip = Clip(64, 48, Fraction(1, 25), Fraction(25), streams=(OtherStream(1, "audio", "aac"),))
    made = encode("out.mp4", moving(2, 64, 48), clip=clip, original=Original(tmp_path))
    assert _codecs(made.path) == {"video": "h264"}


def test_damaged_sound_is_noted_and_the_rest_is_kept(original, through, tmp_path):
    source = original(".mkv", "flac", None)
    data = bytearray(source.read_bytes())
    middle = len(data) * 3 // 4
    data[middle : middle + 400] = bytes(400)
    source.write_bytes(data)
    made = through("out.webm", source, codec="libvpx-vp9")
    assert _codecs(made.path) == {"video": "vp9", "audio": "opus"}
    (note,) = (note for note in made.notes if note.kind == "damage")
    assert "damaged packets of audio stream 1 left out: " in note.text
    whole = through("whole.webm", original(".mkv", "flac", None), codec="libvpx-vp9")
    assert "damage" not in whole.kinds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "streams"),
    [
        ("torchcodec_nasa_13013.mp4", 5),
        ("autoeditor_mov_text.mp4", 3),
        ("decord_flipping_a_pancake.mkv", 2),
        ("moviepy_fire2.mp4", 2),
        ("moviepy_transparent.webm", 2),
    ],
)
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
def test_real_files_pass_through(shared_data, through, clip, streams, name):
    codec = "libvpx-vp9" if name == "out.webm" else "libx264"
    source = shared_data / "clips" / clip
    made = through(name, source, codec=codec)
    with av.open(str(made.path)) as container:
        assert len(container.streams) == streams
        assert container.streams.video[0].codec_context.codec.canonical_name in ("h264", "vp9")
