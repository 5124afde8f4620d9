"""Frames of files with unusual times, sizes and counts."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.media.cropped_files import write_matroska
from tests.media.test_gif_delays import write_gif
from tests.reports.conftest import frame_times, gray_frames, nearest, rgb_frames
from tests.stages.decode.conftest import moving_square, write
from tests.stages.encode.described_files import write_animation, write_with_titles
from vidstyle.cli.main import run_command
from vidstyle.media.container_crop import Crop

COUNT = 48


def _images(count: int = COUNT) -> list[np.ndarray]:
    return moving_square(count)


def _write_reordered(path: Path) -> Path:
    options = {"bf": "3", "g": "12", "x264-params": "b-pyramid=normal:b-adapt=0"}
    return write(path, _images(), codec="libx264", pixels="yuv420p", options=options)


@pytest.mark.parametrize("file", ["bframes.avi", "bframes.mxf"])
def test_reordered_frames_come_in_order_and_at_equal_intervals(report, through, file):
    source = report(file, _write_reordered)
    _check(source, through(source, "out.mp4"))


def _check(source: Path, made) -> None:
    before, after = gray_frames(source), gray_frames(made.path)
    assert len(after) == made.frames == len(before)
    assert np.allclose(np.diff(frame_times(made.path)), 0.04, atol=0.0011)
    assert nearest(after, before) == list(range(len(before)))
    assert "repaired" not in made.text


NOT_CODED = b"\0\0\1\xb6"
"""Start of a frame of MPEG-4 Part 2."""


def _coded(images: list[np.ndarray]) -> list[bytes]:
    """Packets of MPEG-4 Part 2; every second frame is a B-frame."""
    context = av.CodecContext.create("mpeg4", "w")
    context.width, context.height, context.pix_fmt = 128, 96, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = {"bf": "1", "g": "12", "b_strategy": "0", "q": "3"}
    packets = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image).reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += context.encode(frame)
    return [bytes(packet) for packet in [*packets, *context.encode(None)]]


def _is_b(packet: bytes) -> bool:
    return packet[packet.index(NOT_CODED) + 4] >> 6 == 2


def _not_coded(packet: bytes) -> bytes:
    """A frame that shows the one before it again, with the clock of another one."""
    at = packet.index(NOT_CODED) + 4
    bits = f"{int.from_bytes(packet[at : at + 4]):032b}"
    # Type P; whole seconds, a mark, the fraction, a mark; then 0: not coded.
    seconds = bits.index("0", 2) + 1
    length = seconds + 1 + (25 - 1).bit_length() + 1
    kept = f"01{bits[2:length]}0"
    stuffed = kept + "0".ljust(-len(kept) % 8 or 8, "1")
    return NOT_CODED + int(stuffed, 2).to_bytes(len(stuffed) // 8)


def _write_avi(path: Path, packets: list[bytes]) -> Path:
    """The packets one after another, as AVI has them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = b"\0\0\1\xb0" in data
            container.mux(packet)
    return path


def _pack(packets: list[bytes]) -> list[bytes]:
    """A frame that is shown later and the B-frame before it together; then one not coded."""
    packed = [_as_divx(packets[0])]
    rest = iter(packets[1:])
    for packet in rest:
        following = next(rest, None)
        if following is None or not _is_b(following):
            packed += [one for one in (packet, following) if one is not None]
            continue
        packed += [packet + following[following.index(NOT_CODED) :], _not_coded(following)]
    return packed


def _as_divx(packet: bytes) -> bytes:
    """With the user data by which decoders know a packed stream."""
    at = packet.index(b"\0\0\1\xb2Lavc")
    end = packet.index(b"\0\0\1", at + 4)
    return packet[:at] + b"\0\0\1\xb2DivX503b1393p" + packet[end:]


def _write_packed(path: Path) -> Path:
    packets = _coded(_images(50))
    packed = _pack(packets)
    assert len(packed) == len(packets) == 50
    assert sum(packet.count(NOT_CODED) == 2 for packet in packed) > 20
    return _write_avi(path, packed)


def _unpacked(path: Path) -> np.ndarray:
    """Frames by FFmpeg's filter that takes packed ones apart."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        split = av.BitStreamFilterContext("mpeg4_unpack_bframes", stream)
        packets = [
            one for packet in container.demux(stream) if packet.size for one in split.filter(packet)
        ]
        context = av.CodecContext.create("mpeg4", "r")
        context.extradata = stream.codec_context.extradata
        frames = [frame for packet in [*packets, None] for frame in context.decode(packet)]
        return np.stack([frame.to_ndarray(format="gray").astype(float) for frame in frames])


@pytest.mark.parametrize("cut", [None, (7, 31)])
def test_packed_frames_come_in_order_and_at_equal_intervals(report, through, cut):
    source = report("packed.avi", _write_packed)
    made = through(source, "out.mp4", cut=cut)
    first, stop = cut or (0, 50)
    after = gray_frames(made.path)
    assert nearest(after, _unpacked(source)) == list(range(first, stop))
    assert np.allclose(np.diff(frame_times(made.path)), 0.04, atol=0.0011)
    assert "damage" not in made.text


STILL = (range(5, 7), range(15, 19), range(33, 35))
"""Frames, and packets, of times in which nothing moves."""


def _still_images() -> list[np.ndarray]:
    images = _images(50)
    for numbers in STILL:
        for number in numbers:
            images[number] = images[numbers[0] - 1]
    return images


def _write_still(path: Path, *, packed: bool) -> Path:
    """Frames without a change are not coded."""
    plain, still = _coded(_still_images()), [number for numbers in STILL for number in numbers]
    assert not any(b"\0\0\1\xb0" in plain[number] for number in still)
    packets = _pack(plain) if packed else plain
    return _write_avi(
        path, [_not_coded(plain[n]) if n in still else p for n, p in enumerate(packets)]
    )


@pytest.mark.parametrize("packed", [False, True])
def test_frames_that_are_not_coded_leave_the_others_in_time(tmp_path, through, packed):
    made = through(_write_still(tmp_path / "in.avi", packed=packed), "out.mp4")
    times = np.array(frame_times(made.path))
    numbers = np.round((times - times[0]) * 25).astype(int)
    wanted = gray_frames(write(tmp_path / "wanted.mkv", _still_images()))
    assert numbers[-1] == 49
    assert nearest(gray_frames(made.path), wanted) == list(numbers)
    assert len(numbers) == 50 - 8


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_what_a_container_cuts_off_is_cut_off(report, through, name):
    def make(path: Path) -> Path:
        return write_matroska(path.parent, Crop(left=20, top=8, right=10, bottom=8)).rename(path)

    source = report("cropped.mkv", make)
    real = source.parent.name == "reports"
    wanted = (280, 160, Fraction(64, 63)) if real else (98, 80, Fraction(1))
    with av.open(str(through(source, name).path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio) == wanted


def _write_timecode(path: Path) -> Path:
    return write_with_titles(path, {}, {"timecode": "10:00:00:00"}, frames=100)


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv"])
@pytest.mark.parametrize(("cut", "wanted"), [((50, 75), "10:00:02:00"), (None, "10:00:00:00")])
def test_a_timecode_is_that_of_the_first_frame(report, through, name, cut, wanted):
    made = through(report("timecode.mov", _write_timecode), name, cut=cut)
    with av.open(str(made.path)) as container:
        titles = {key.lower(): text for key, text in container.streams.video[0].metadata.items()}
    assert titles["timecode"] == wanted
    assert made.notes == []


def test_a_gif_that_plays_once_plays_once(report, through):
    source = report("loop-once.gif", partial(write_animation, repeats=None))
    made = through(source, "out.gif")
    with Image.open(source) as before, Image.open(made.path) as after:
        assert "loop" not in before.info
        assert "loop" not in after.info
        assert after.n_frames == before.n_frames
    assert made.notes == []


def test_the_even_output_of_an_odd_clip_is_evaluated(tmp_path, through, capfd):
    images = moving_square(6, width=129, height=97)
    source = write(tmp_path / "in.mkv", images)
    made = through(source, "out.mp4")
    with av.open(str(made.path)) as container:
        assert container.streams.video[0].width == 130
    assert "129x97 is written as 130x98" in made.text
    assert run_command(["evaluate", str(source), str(made.path)]) == 0
    assert "the repeated edge is left out" in capfd.readouterr().err


def test_a_gif_without_delays_keeps_all_its_images(tmp_path, through):
    source = write_gif(tmp_path / "in.gif", [1, 2])
    made = through(source, "out.mp4")
    red, green = (frame.mean(axis=(0, 1)) for frame in rgb_frames(made.path))
    assert red[0] > 200 > 60 > red[1]
    assert green[1] > 200 > 60 > green[0]
