"""What files hold beside frames and sound: kept, or named by a note."""

from __future__ import annotations

import re
import struct
from functools import partial
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from tests.stages.decode.conftest import moving_square, write
from tests.stages.encode.described_files import write_lines, write_with_cover, write_with_titles

SPHERICAL_ID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
"""Of the box of Google's Spherical Video V1, of which players read the text."""
SPHERICAL = b"""<?xml version="1.0"?><rdf:SphericalVideo
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">
<GSpherical:Spherical>true</GSpherical:Spherical>
<GSpherical:Stitched>true</GSpherical:Stitched>
<GSpherical:StitchingSoftware>none</GSpherical:StitchingSoftware>
<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType></rdf:SphericalVideo>"""


def _write_spherical(path: Path) -> Path:
    """An mp4 whose track has the box; the frames lie before all headers."""
    write(path, moving_square(25), codec="libx264", pixels="yuv420p")
    data = bytearray(path.read_bytes())
    box = (24 + len(SPHERICAL)).to_bytes(4) + b"uuid" + SPHERICAL_ID + SPHERICAL
    movie, track = data.index(b"moov") - 4, data.index(b"trak") - 4
    assert data.index(b"mdat") < movie
    end = track + int.from_bytes(data[track : track + 4])
    data[end:end] = box
    for at in (movie, track):
        data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + len(box)).to_bytes(4)
    path.write_bytes(data)
    return path


def _side_data(path: Path) -> set[str]:
    """Names of what frames carry."""
    with av.open(str(path)) as container:
        return {
            str(side.type).rpartition(".")[2]
            for frame in container.decode(video=0)
            for side in frame.side_data
        }


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
def test_a_projection_is_named(report, through, name):
    source = report("spherical.mp4", _write_spherical)
    assert "SPHERICAL" in _side_data(source)
    made = through(source, name)
    kept = "SPHERICAL" in _side_data(made.path)
    assert kept != ("360-degree projection" in made.text)


def _caption(number: int) -> bytes:
    """One frame's pair of caption bytes, in H.264's own packing (ATSC A/53 part 4, 6.2.3)."""
    pair = b"\xfc" + bytes([0x94, 0x20] if number % 2 else [0xC1, 0xC2])
    payload = b"\xb5\x00\x31GA94\x03\x41\xff" + pair + b"\xff"
    message = b"\x06\x04" + bytes([len(payload)]) + payload + b"\x80"
    return len(message).to_bytes(4) + message


def _write_captions(path: Path) -> Path:
    plain = write(path.with_name("plain.mp4"), moving_square(30), codec="libx264", pixels="yuv420p")
    with av.open(str(plain)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                captioned = av.Packet(_caption(number) + bytes(packet))
                captioned.stream, captioned.time_base = stream, packet.time_base
                captioned.pts, captioned.dts = packet.pts, packet.dts
                captioned.duration, captioned.is_keyframe = packet.duration, packet.is_keyframe
                container.mux(captioned)
    return path


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_captions_in_the_images_are_named(report, through, name):
    source = report("captions.mp4", _write_captions)
    assert "A53_CC" in _side_data(source)
    made = through(source, name)
    assert ("A53_CC" in _side_data(made.path)) != ("captions embedded" in made.text)


def _covers(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        return [bytes(next(container.demux(cover))) for cover in covers]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("cut", [None, (5, 20)])
def test_a_cover_is_kept_byte_for_byte(report, through, name, cut):
    source = report("cover.mp4", lambda path: write_with_cover(path)[0])
    made = through(source, name, cut=cut)
    assert _covers(made.path) == _covers(source) != []
    assert made.notes == []


STATISTICS = ("bps", "number_of", "_statistics", "duration")


def _write_statistics(path: Path) -> Path:
    tags = {"BPS": "240416", "NUMBER_OF_FRAMES": "100", "NUMBER_OF_BYTES": "59916"}
    tags |= {"_STATISTICS_TAGS": " ".join(tags), "_STATISTICS_WRITING_APP": "another program"}
    return write_with_titles(path, {}, tags, frames=100)


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
@pytest.mark.parametrize("cut", [None, (0, 25)])
def test_statistics_are_those_of_the_output_or_none(report, through, name, cut):
    source = report("statistics-tags.mkv", _write_statistics)
    made = through(source, name, cut=cut)
    with av.open(str(made.path)) as container:
        titles = [
            (key.lower(), text) for s in container.streams for key, text in s.metadata.items()
        ]
        sound = bool(container.streams.audio)
    for key, text in titles:
        if key == "duration":
            # Matroska's own, of the stream that was written.
            assert text.startswith("00:00:01.0" if cut else "00:00:04.0")
        else:
            assert not key.startswith(STATISTICS)
    assert "titles" not in made.text
    assert sound == (source.parent.name == "reports")


LINES = [(200, 900, "low"), (200, 600, "high"), (950, 1500, "late")]


def _shown(path: Path) -> list[tuple[float, float, str]]:
    """Begin, end and text of each line that is shown at all."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        shown = []
        for packet in container.demux(stream):
            text = "\n".join(line.dialogue.decode() for line in packet.decode() if line.dialogue)
            # Some formats have no places and slants of letters.
            text = re.sub(r"\{.*?\}|<.*?>", "", text)
            if text:
                begin = float(packet.pts * packet.time_base)
                end = begin + float(packet.duration * packet.time_base)
                shown.append((begin, end, text.replace("\\N", "\n")))
    return shown


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
def test_lines_that_begin_together_can_both_be_read(report, through, name):
    source = report("overlapping.mkv", partial(write_lines, lines=LINES))
    before, after = _shown(source), _shown(through(source, name).path)
    assert len({round(begin, 2) for begin, _, _ in before}) < len(before)
    for begin, end, text in before:
        # The whole time of a line it is shown, alone or among others.
        shown = sum(
            min(end, other_end) - max(begin, other_begin)
            for other_begin, other_end, other in after
            if text in other and other_begin < end and other_end > begin
        )
        assert shown == pytest.approx(end - begin, abs=0.003), text


MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def _write_hdr10(path: Path) -> Path:
    words = f"hdr10=1:master-display={MASTERING}:max-cll=1000,400:log-level=none"
    return write(
        path, moving_square(25), codec="libx265", pixels="yuv420p10le",
        options={"x265-params": words}, color_trc=16, color_primaries=9, colorspace=9,
    )  # fmt: skip


def _hdr10(path: Path) -> tuple[list[float], tuple[int, ...]]:
    """Coordinates and luminances, and light levels, of the first frame."""
    with av.open(str(path)) as container:
        side_data = next(container.decode(video=0)).side_data
        numbers = struct.unpack("20i", bytes(side_data["MASTERING_DISPLAY_METADATA"])[:80])
        light = struct.unpack("2I", bytes(side_data["CONTENT_LIGHT_LEVEL"])[:8])
    return [numbers[n] / numbers[n + 1] for n in range(0, 20, 2)], light


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("out.mp4", "libx265"),
        ("out.mkv", "libx265"),
        ("out.mov", "libx265"),
        ("out.mp4", "libx264"),
        ("out.webm", "libsvtav1"),
    ],
)
@pytest.mark.parametrize("cut", [None, (7, 20)])
def test_hdr10_metadata_is_kept_where_the_encoder_takes_it(report, through, name, codec, cut):
    source = report("hdr10.mp4", _write_hdr10)
    made = through(source, name, cut=cut, decode__hdr="passthrough", encode__codec=codec)
    (numbers, light), (wanted, wanted_light) = _hdr10(made.path), _hdr10(source)
    # AV1 has 14 bits for the least light.
    assert numbers == pytest.approx(wanted, abs=1e-4)
    assert light == wanted_light == (1000, 400)
    assert "left out" not in made.text


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mkv", "ffv1"), ("out.webm", "libvpx-vp9"), ("out.mov", "prores_ks")]
)
def test_hdr10_metadata_is_named_elsewhere(report, through, name, codec):
    source = report("hdr10.mp4", _write_hdr10)
    made = through(source, name, decode__hdr="passthrough", encode__codec=codec)
    assert f"{codec} stores no HDR10 metadata: left out" in made.text


def test_tone_mapped_frames_have_no_hdr10_metadata(report, through):
    made = through(report("hdr10.mp4", _write_hdr10), "out.mp4", decode__hdr="tonemap")
    assert not _side_data(made.path) & {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
    assert "HDR10" not in made.text
