"""What a file has beside samples and packets is kept, or a note names it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from tests.stages.decode.conftest import Opened, write
from tests.stages.encode.described_files import (
    GRAY,
    IMAGE_LINE,
    write_animation,
    write_image_lines,
    write_with_cover,
    write_with_data,
    write_with_sounds,
    write_with_titles,
)
from tests.stages.encode.sound_files import bursts, heard, sound_facts, write_sound
from vidstyle.core import Clip, FrameTime, LightLevels, Original
from vidstyle.imaging.animation import read_repeats
from vidstyle.media.container import choose_video, open_input, other_streams


@pytest.fixture
def through(encode, moving):
    """A second of new images, with what else a file has; of frames 5 to 20 with ``cut``."""

    def run(
        name: str, source: Path, *, cut: bool = False, codec: str | None = None, stamp: str = ""
    ):
        with open_input(source) as container:
            streams = other_streams(container, choose_video(container))
        count = 15 if cut else 25
        return encode(
            name,
            moving(1, 96, 64) * count,
            clip=Clip(96, 64, Fraction(1, 25), Fraction(25), streams=streams),
            times=[FrameTime(number, 1) for number in range(count)],
            original=Original(source, (Fraction(5, 25), Fraction(20, 25)) if cut else None, stamp),
            codec=codec or ("libvpx-vp9" if name.endswith("webm") else "libx264"),
        )

    return run


def _texts(made) -> str:
    return "\n".join(note.text for note in made.notes)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_cover_is_kept_byte_for_byte(tmp_path, through, name, cut):
    source, cover = write_with_cover(tmp_path / "in.mp4")
    made = through(name, source, cut=cut)
    assert made.kinds == set()
    with av.open(str(made.path)) as container:
        main, image = container.streams.video
        assert image.disposition & Disposition.attached_pic
        assert not main.disposition & Disposition.attached_pic
        assert bytes(next(container.demux(image))) == cover


@pytest.mark.parametrize("name", ["out.mov", "out.webm"])
def test_where_there_is_no_room_for_a_cover_a_note_says_so(tmp_path, through, name):
    source, _ = write_with_cover(tmp_path / "in.mp4")
    assert "video stream 1 (png) is left out" in _texts(through(name, source))


def _metadata(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {**container.metadata, **container.streams.video[0].metadata}


@pytest.mark.parametrize(("name", "kept"), [("out.mp4", 2), ("out.mkv", 2), ("out.webm", 0)])
def test_subtitles_that_are_images_are_kept_where_they_can_be(tmp_path, through, name, kept):
    made = through(name, write_image_lines(tmp_path / "in.mkv"))
    with av.open(str(made.path)) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size] if kept else []
    assert [bytes(packet) for packet in packets] == [IMAGE_LINE] * kept
    assert [round(float(p.pts * p.time_base), 3) for p in packets] == [0.2, 0.6][:kept]
    assert ("webm does not support it" in _texts(made)) == (not kept)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_why_data_is_left_out_is_true(tmp_path, through, name):
    made = through(name, write_with_data(tmp_path / "in.ts"))
    assert "is left out: data is not copied" in _texts(made)


def test_statistics_of_another_stream_are_not_copied(tmp_path, through):
    tags = {"BPS": "1", "NUMBER_OF_FRAMES-eng": "7", "_STATISTICS_TAGS": "BPS", "comment": "ours"}
    source = write_with_titles(tmp_path / "in.mkv", {"title": "Waves"}, tags)
    found = _metadata(through("out.mkv", source, cut=True).path)
    assert not [name for name in found if name.upper().startswith(("BPS", "NUMBER_OF", "_STAT"))]
    assert found["title"] == "Waves"


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
@pytest.mark.parametrize("title", ["COMMENT", "comment"])
def test_a_comment_stays_whatever_its_case(tmp_path, through, name, title):
    source = write_with_titles(tmp_path / "in.mkv", {title: "of the author"}, {})
    made = through(name, source, stamp="of the program")
    assert _metadata(made.path)["comment"] == "of the author"
    assert made.kinds == set()


def test_facts_about_opacity_are_no_titles(through, encode, moving):
    alphas = [np.full((64, 96), 0.5, np.float32)]
    source = encode("in.webm", moving(1, 96, 64), alphas=alphas, codec="libvpx-vp9").path
    assert _metadata(source)["alpha_mode"] == "1"
    for name in ("out.mp4", "out.mkv"):
        made = through(name, source)
        assert made.kinds == set()
        assert "alpha_mode" not in _metadata(made.path)


def test_an_attachment_that_is_left_out_is_named(tmp_path, through):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        container.add_attachment("letters.ttf", "font/ttf", b"letters")
        container.mux([*video.encode(av.VideoFrame(96, 64, "yuv420p")), *video.encode()])
    text = "attachment stream 1 (letters.ttf) is left out: mp4 does not support it"
    assert text in _texts(through("out.mp4", source))
    assert through("out.mkv", source).kinds == set()


@pytest.mark.parametrize("suffix", [".mxf", ".flv", ".asf", ".avi", ".nut"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_what_a_format_says_of_its_own_files_is_not_missed(tmp_path, through, suffix, name):
    codec = {".mxf": "mpeg2video", ".flv": "flv"}.get(suffix, "mpeg4")
    source = write(tmp_path / f"in{suffix}", GRAY, codec=codec, pixels="yuv420p")
    made = through(name, source)
    assert made.kinds == set()
    found = {key.lower() for key in _metadata(made.path)}
    assert not found & {"uid", "product_name", "operational_pattern_ul", "wmfsdkversion"}


APPLE = {"com.apple.quicktime.make": "Maker", "com.apple.quicktime.model": "Model 5"}


def test_make_and_model_are_kept_in_quicktime_and_noted_elsewhere(tmp_path, through):
    source = write_with_titles(tmp_path / "in.mov", APPLE, {})
    kept = through("out.mov", source)
    assert (_metadata(kept.path)["make"], _metadata(kept.path)["model"]) == ("Maker", "Model 5")
    assert "titles" not in kept.kinds
    lost = _texts(through("out.mp4", source))
    assert "com.apple.quicktime.make" in lost
    assert "com.apple.quicktime.model" in lost


# By the numbers of QuickTime's list, French and Swedish have other names in FFmpeg.
LANGUAGES = {"fre": "fra", "swe": "sve", "jpn": "jpn"}
PLAIN = [Disposition(0)] * 3


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv", "out.webm"])
def test_each_sound_keeps_its_language(tmp_path, through, name):
    made = through(name, write_with_sounds(tmp_path / "in.mkv", list(LANGUAGES), PLAIN))
    with av.open(str(made.path)) as container:
        found = [sound.metadata["language"] for sound in container.streams.audio]
    assert found == list(LANGUAGES.values() if name == "out.mov" else LANGUAGES)
    assert "titles" not in made.kinds


def test_a_language_that_quicktime_does_not_list_is_named(tmp_path, through):
    source = write_with_sounds(tmp_path / "in.mkv", ["glg", "eng"], PLAIN[:2])
    assert "these titles are not kept in mov: language" in _texts(through("out.mov", source))
    assert "titles" not in through("out.mp4", source).kinds


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv", "out.webm"])
def test_what_a_sound_is_for_is_kept_or_named(tmp_path, through, name):
    marks = [Disposition.default, Disposition.comment, Disposition.hearing_impaired]
    made = through(name, write_with_sounds(tmp_path / "in.mkv", ["eng"] * 3, marks))
    with av.open(str(made.path)) as container:
        kept = [
            bool(s.disposition & m) for s, m in zip(container.streams.audio, marks, strict=True)
        ]
    text = f"{'webm' if name == 'out.webm' else 'mov'} does not mark sound or subtitles as: "
    assert (text + "comment, hearing impaired" in _texts(made)) == (not all(kept))
    assert all(kept) == (name in ("out.mp4", "out.mkv"))


def test_titles_that_are_kept_have_no_note(tmp_path, through):
    source = write_with_titles(tmp_path / "in.mkv", {"title": "Waves"}, {"language": "fre"})
    made = through("out.mp4", source)
    assert made.kinds == set()


@pytest.mark.parametrize(("rate", "wanted"), [(25, "10:00:00:05")])
def test_a_timecode_starts_where_the_cut_starts(tmp_path, through, rate, wanted):
    source = write_with_titles(tmp_path / "in.mov", {}, {"timecode": "10:00:00:00"})
    made = through("out.mov", source, cut=True)
    assert _metadata(made.path)["timecode"] == wanted
    assert _metadata(through("out.mov", source).path)["timecode"] == "10:00:00:00"
    assert made.kinds == set()


def test_an_arrangement_of_stereo_images_is_named(tmp_path):
    options = {"x264-params": "frame-packing=3"}
    path = write(tmp_path / "in.mp4", GRAY, codec="libx264", pixels="yuv420p", options=options)
    source = Opened(path).source
    found = [note.text for note in source.notes if note.kind == "side-data"]
    assert found == ["the video has an arrangement of stereo images: left out"]


def test_hdr10_metadata_that_changes_is_named(tmp_path):
    data = b""
    for light in (1000, 500):
        words = f"max-cll={light},400:log-level=none"
        data += write(
            tmp_path / "part.hevc", GRAY, codec="libx265", pixels="yuv420p10le",
            options={"x265-params": words},
        ).read_bytes()  # fmt: skip
    path = tmp_path / "in.hevc"
    path.write_bytes(data)
    opened = Opened(path)
    assert opened.clip.color.light_levels == LightLevels(1000, 400)
    assert opened.notes["side-data"] == (
        "the HDR10 light levels of the video change: the first are kept"
    )


def test_plain_frames_have_no_such_note(tmp_path):
    path = write(tmp_path / "in.mp4", GRAY, codec="libx264", pixels="yuv420p")
    assert not [note for note in Opened(path).source.notes if note.kind == "side-data"]


@pytest.mark.parametrize(("loop", "wanted"), [(None, 0), (0, None), (3, 3)])
def test_a_gif_repeats_as_often_as_the_original(tmp_path, through, loop, wanted):
    source = write_animation(tmp_path / "in.gif", loop)
    assert read_repeats(source) == wanted
    made = through("out.gif", source, codec="gif")
    assert read_repeats(made.path) == wanted
    with Image.open(made.path) as image:
        assert image.info.get("loop") == loop


@pytest.mark.parametrize(("loop", "wanted"), [(0, None), (1, 0), (3, 2)])
def test_an_animated_png_says_how_often_it_is_shown(tmp_path, loop, wanted):
    assert read_repeats(write_animation(tmp_path / "in.png", loop)) == wanted


def test_other_files_repeat_for_ever_as_a_gif(tmp_path, through):
    path = write(tmp_path / "in.mp4", GRAY, codec="libx264", pixels="yuv420p")
    assert read_repeats(through("out.gif", path, codec="gif").path) is None


def test_titles_and_chapters_that_a_gif_does_not_keep_are_named(tmp_path, through):
    source = write_with_titles(tmp_path / "in.mp4", {"title": "Waves"}, {"language": "fre"})
    made = through("out.gif", source, codec="gif")
    assert "a GIF keeps no titles: title" in _texts(made)
    plain = write(tmp_path / "plain.mp4", GRAY, codec="libx264", pixels="yuv420p")
    assert "titles" not in through("plain.gif", plain, codec="gif").kinds


def test_chapters_of_mp4_are_no_data(tmp_path, through):
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        chapter = {"id": 0, "start": 0, "end": 40, "time_base": Fraction(1, 1000)}
        container.set_chapters([{**chapter, "metadata": {"title": "part"}}])
        container.mux([*video.encode(av.VideoFrame(96, 64, "yuv420p")), *video.encode()])
    with av.open(str(source)) as container:
        assert [stream.type for stream in container.streams] == ["video", "data"]
    assert _texts(through("out.gif", source, codec="gif")) == "a GIF keeps no titles: chapters"
    kept = through("out.mp4", source)
    assert kept.kinds == set()
    with av.open(str(kept.path)) as container:
        assert [part["metadata"]["title"] for part in container.chapters()] == ["part"]


def test_sound_that_a_muxer_refuses_late_is_encoded_again(tmp_path, through):
    path = write_sound(tmp_path / "in.mkv", "eac3", bursts([0.5], 2, 48_000), 48_000, "mono")
    data = bytearray(path.read_bytes())
    packets = [at for at in range(len(data)) if data[at : at + 2] == b"\x0b\x77"]
    for at in packets[20:22]:
        data[at : at + 6] = bytes(6)
    path.write_bytes(data)
    made = through("out.mp4", path)
    ((codec, _, _),) = sound_facts(made.path)
    assert codec == "aac"
    assert "mp4 refuses its packets" in _texts(made)
    assert heard(made.path) == pytest.approx([0.5], abs=0.005)
