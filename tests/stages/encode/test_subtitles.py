from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests.stages.encode.described_files import write_lines
from vidstyle.core import Clip, FrameTime, Original
from vidstyle.media.container import choose_video, open_input, other_streams


@pytest.fixture
def shown(tmp_path, encode, moving):
    """What a file shows when, once its lines have come through: start, end in ms, texts."""

    def run(name: str, lines: list[tuple[int, int, str]]) -> list[tuple[int, int, set[str]]]:
        source = write_lines(tmp_path / "in.mkv", lines)
        with open_input(source) as container:
            streams = other_streams(container, choose_video(container))
        made = encode(
            name,
            moving(1, 64, 48) * 50,
            clip=Clip(64, 48, Fraction(1, 25), Fraction(25), streams=streams),
            times=[FrameTime(number, 1) for number in range(50)],
            original=Original(source),
            codec="libvpx-vp9" if name.endswith("webm") else "libx264",
        )
        codecs = {".webm": ["webvtt"], ".mkv": []}.get(made.path.suffix, ["mov_text"])
        assert [note.text for note in made.notes] == [
            f"subtitle stream 1 (ass) becomes {codec}: styles and positions are left out"
            for codec in codecs
        ]
        with av.open(str(made.path)) as container:
            stream = container.streams.subtitles[0]
            spans = []
            for packet in container.demux(stream):
                lines_of = [line.dialogue.decode() for line in packet.decode() if line.dialogue]
                if lines_of:
                    begin = round(packet.pts * packet.time_base * 1000)
                    end = begin + round(packet.duration * packet.time_base * 1000)
                    texts = "\n".join(lines_of).replace("\\N", "\n").split("\n")
                    spans.append((begin, end, set(texts)))
        return spans

    return run


OVERLAPPING = [(200, 1000, "low"), (200, 600, "high"), (800, 1500, "late"), (1600, 1900, "last")]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_lines_that_overlap_are_shown_together(shown, name):
    assert shown(name, OVERLAPPING) == [
        (200, 600, {"low", "high"}),
        (600, 800, {"low"}),
        (800, 1000, {"low", "late"}),
        (1000, 1500, {"late"}),
        (1600, 1900, {"last"}),
    ]


def test_lines_that_follow_one_another_stay(shown):
    lines = [(200, 400, "one"), (400, 700, "two"), (900, 1500, "three")]
    assert shown("out.mp4", lines) == [(begin, end, {words}) for begin, end, words in lines]


@pytest.mark.parametrize("name", ["out.mkv", "out.webm"])
def test_formats_that_show_several_lines_keep_them_apart(shown, name):
    found = shown(name, OVERLAPPING)
    assert found == [(begin, end, {words}) for begin, end, words in OVERLAPPING]
