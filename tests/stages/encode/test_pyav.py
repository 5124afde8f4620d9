from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core import Clip, Color, ExecutionContext, FrameTime, Original, OtherStream
from vidstyle.core.errors import OutputError, PipelineError
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.encode.codecs import CODECS, CodecName
from vidstyle.stages.encode.encoder import EncodeOptions, resolve
from vidstyle.stages.encode.pyav import STAGE, EncodePyAV
from vidstyle.testing import checks_for_sink

FILES = [(codec, suffix) for codec in CODECS if codec != "gif" for suffix in CODECS[codec].suffixes]
CHECKS = [
    pytest.param(check, id=f"{codec}-{name}")
    for codec in CODECS
    for name, check in checks_for_sink(EncodePyAV, CODECS[codec].suffixes[0], codec=codec)
]
UNEVEN = (0, 3000, 4500, 10500, 13503, 16500, 20500, 20600, 23600, 26600, 35600, 38600)
"""Times in 1/90000 s with nothing regular about them."""


def _uneven_times(start: int) -> list[FrameTime]:
    ends = (*UNEVEN[1:], UNEVEN[-1] + 180_000)
    return [FrameTime(start + at, end - at) for at, end in zip(UNEVEN, ends, strict=True)]


def _tags(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return (
            int(context.colorspace),
            int(context.color_range),
            int(context.color_primaries),
            int(context.color_trc),
        )


@pytest.mark.parametrize("check", CHECKS)
def test_keeps_to_the_contract(check):
    check()


@pytest.mark.parametrize(("codec", "suffix"), FILES)
def test_every_codec_reads_back_in_every_container(encode, moving, read, psnr, codec, suffix):
    images = moving(8)
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color("bt709"))
    made = encode(f"out{suffix}", images, clip=clip, chunks=[5, 3], codec=codec)
    assert read(made.path).seconds() == [Fraction(number, 25) for number in range(8)]
    for number in (0, 4, 5, 7):
        found = read(made.path).image(number, "bt709")
        assert psnr(found, images[number]) > (55 if codec == "ffv1" else 34)
    assert made.kinds == set()


@pytest.mark.parametrize(("codec", "suffix"), FILES)
@pytest.mark.parametrize("chunks", [(5, 1, 6), (1, 1, 10)], ids=str)
@pytest.mark.parametrize("first", [0, 1234])
def test_joined_chunks_keep_variable_times_and_the_long_last_frame(
    encode, moving, read, codec, suffix, chunks, first
):
    times, clip = _uneven_times(first), Clip(160, 96, Fraction(1, 90_000))
    made = encode(
        f"out{suffix}", moving(12, 160, 96), clip=clip, times=times, chunks=chunks, codec=codec
    )
    exact = suffix in (".mp4", ".m4v", ".mov")
    tick = Fraction(0) if exact else Fraction(1, 1000)
    for found, frame in zip(read(made.path).frames(), times, strict=True):
        assert abs(found.pts * found.time_base - frame.pts * clip.time_base) <= tick
        # Where a clip starts later, mp4 keeps that rather than the durations of packets.
        if not (exact and first):
            assert abs(found.duration * found.time_base - frame.duration * clip.time_base) <= tick
    with av.open(str(made.path)) as container:
        stream = container.streams.video[0]
        if exact:
            assert stream.duration == times[-1].pts + times[-1].duration - first
            assert stream.start_time * stream.time_base == times[0].pts * clip.time_base
        length = Fraction(container.duration, av.time_base)
        start = Fraction(container.start_time, av.time_base) if exact else 0
    end = (times[-1].pts + times[-1].duration) * clip.time_base
    assert abs(start + length - end) <= Fraction(1, 500)
    source = DecodePyAV(DecodePyAV.Options())
    time_base = source.open(made.path, ExecutionContext()).time_base
    last = list(source.frames())[-1].duration * time_base
    assert abs(last - 2) <= tick


def test_sound_stays_where_it_was_while_decoding_runs_ahead(encode, moving, tmp_path):
    path = tmp_path / "original.mp4"
    _write_sound(path)
    times, clip = _uneven_times(0), Clip(160, 96, Fraction(1, 90_000))
    clip = replace(clip, streams=(OtherStream(0, "audio", "aac"),))
    made = encode("out.mp4", moving(12, 160, 96), clip=clip, times=times, original=Original(path))
    with av.open(str(made.path)) as container:
        first = next(container.demux(video=0))
    # The last frame of 2 s is decoded before others.
    assert first.pts == 0
    assert first.dts <= -180_000
    assert _sound_packets(made.path) == _sound_packets(path)
    with av.open(str(made.path)) as container:
        assert [stream.start_time for stream in container.streams] == [0, 0]


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        noise = np.random.default_rng(0).normal(size=(1, 96_000)).astype(np.float32) / 10
        frame = av.AudioFrame.from_ndarray(noise, "fltp", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(audio=0)
            if packet.size
        ]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_the_test_above_has_frames_out_of_order(encode, moving, codec):
    made = encode("out.mkv", moving(12), codec=codec)
    order = [packet.pts for packet in made.segments[0].packets()]
    assert order != sorted(order)


def test_a_single_frame_is_a_clip(encode, moving, read):
    for codec, suffix in FILES:
        times, clip = [FrameTime(700, 45_000)], Clip(160, 96, Fraction(1, 90_000))
        made = encode(f"out{suffix}", moving(1, 160, 96), clip=clip, times=times, codec=codec)
        (found,) = read(made.path).seconds()
        assert abs(found - Fraction(700, 90_000)) <= Fraction(1, 1000)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_before_zero_move_up_together(encode, moving, read, suffix):
    times = [FrameTime(number * 40 - 100, 40) for number in range(6)]
    clip = Clip(160, 128, Fraction(1, 1000), Fraction(25))
    made = encode(f"out{suffix}", moving(6), clip=clip, times=times)
    assert read(made.path).seconds() == [Fraction(number, 25) for number in range(6)]
    assert made.kinds == {"moved"}


@pytest.mark.parametrize("spread", ["limited", "full"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_colors_come_back_as_they_were(encode, moving, read, matrix, spread, pixel_format):
    images = moving(2)
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color(matrix, spread))
    made = encode("out.mkv", images, clip=clip, codec="ffv1", pixel_format=pixel_format)
    found = read(made.path).image(1, matrix, full=spread == "full")
    shift = (found - images[1]).mean(axis=(0, 1)) * 255
    assert np.abs(shift).max() <= 0.1
    # The textbook repeats chroma, which costs most of this.
    assert np.abs(found - images[1]).mean() * 255 <= (0.6 if "444" in pixel_format else 2)


@pytest.mark.parametrize(("codec", "suffix"), FILES)
def test_files_say_what_their_colors_are(encode, moving, codec, suffix):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color("bt709", "limited", 1, 1))
    made = encode(f"out{suffix}", moving(2), clip=clip, codec=codec)
    wanted = (0, 2, 1, 1) if codec == "ffv1" else (1, 1, 1, 1)
    # The pixel format says that an ffv1 stream is RGB; the tags need not repeat it.
    found = _tags(made.path)
    assert found[2:] == wanted[2:] if codec == "ffv1" else found == wanted


def test_a_guessed_matrix_is_written_down(encode, moving):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color("bt601", tagged=False))
    assert _tags(encode("out.mp4", moving(2), clip=clip).path)[:2] == (6, 1)


def test_full_range_stays_full_range(encode, moving, read):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color("bt709", "full"))
    made = encode("out.mp4", moving(2), clip=clip, crf=1)
    assert _tags(made.path)[:2] == (1, 2)
    found = read(made.path).image(0, "bt709", full=True)
    assert np.abs(found - moving(2)[0]).mean() < 2 / 255


def test_rgb_clips_get_the_matrix_that_players_guess(encode, moving):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), color=Color("rgb", "full"))
    assert _tags(encode("out.mp4", moving(2), clip=clip).path)[:2] == (6, 1)


@pytest.mark.parametrize(("bits", "form"), [(8, "bgr0"), (10, "gbrp10le"), (16, "gbrp16le")])
def test_ffv1_is_exact_to_half_a_code_of_the_clip(encode, moving, read, bits, form):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), bit_depth=bits)
    made = encode("out.mkv", moving(2), clip=clip, codec="ffv1")
    frame = read(made.path).frames()[1]
    assert frame.format.name == form
    if bits == 8:
        codes = frame.to_ndarray(format="rgb24")
    else:
        planes = [
            np.frombuffer(plane, np.uint16).reshape(128, -1)[:, :160] for plane in frame.planes
        ]
        codes = np.stack([planes[2], planes[0], planes[1]], -1)
    top = 2**bits - 1
    assert np.abs(codes.astype(np.float64) - moving(2)[1] * np.float64(top)).max() <= 0.51


@pytest.mark.parametrize(
    ("codec", "form"),
    [
        ("libx264", "yuv420p10le"),
        ("libx265", "yuv420p10le"),
        ("libsvtav1", "yuv420p10le"),
        ("prores_ks", "yuv422p10le"),
        ("libvpx-vp9", "yuv420p"),
    ],
)
def test_ten_bits_are_kept_where_the_codec_can(encode, moving, read, codec, form):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), bit_depth=10)
    made = encode("out" + CODECS[codec].suffixes[0], moving(2), clip=clip, codec=codec)
    assert read(made.path).frames()[0].format.name == form
    assert made.kinds == (set() if "10" in form else {"bits"})


@pytest.mark.parametrize(
    ("name", "depth", "options", "text"),
    [
        (
            "out.webm",
            10,
            {"codec": "libvpx-vp9"},
            "libvpx-vp9 with yuv420p stores 8 of the clip's 10 bits; codec libsvtav1 keeps 10",
        ),
        (
            "out.mp4",
            10,
            {"pixel_format": "yuv444p"},
            "libx264 with yuv444p stores 8 of the clip's 10 bits; pixel_format auto keeps 10",
        ),
        (
            "out.gif",
            10,
            {"codec": "gif"},
            "a GIF stores 8 of the clip's 10 bits; codec libx264 (name the output .mp4) keeps 10",
        ),
        (
            "out.mp4",
            16,
            {},
            "libx264 with yuv420p10le stores 10 of the clip's 16 bits; codec ffv1 (name the"
            " output .mkv) keeps 16",
        ),
    ],
)
def test_bits_that_are_not_stored_are_noted(encode, moving, name, depth, options, text):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), bit_depth=depth)
    made = encode(name, moving(1), clip=clip, **options)
    assert [note.text for note in made.notes] == [text]


@pytest.mark.parametrize(
    ("codec", "suffix", "decoder"),
    [
        ("libvpx-vp9", ".webm", "libvpx-vp9"),
        ("libvpx-vp9", ".mkv", "libvpx-vp9"),
        ("prores_ks", ".mov", None),
        ("ffv1", ".mkv", None),
    ],
)
def test_opacity_is_kept(encode, moving, read, codec, suffix, decoder):
    alphas = [np.zeros((128, 160), np.float32) for _ in range(6)]
    for number, alpha in enumerate(alphas):
        alpha[20:100, 20 + 8 * number : 60 + 8 * number] = 1
    made = encode(f"out{suffix}", moving(6), alphas=alphas, chunks=[4, 2], codec=codec)
    frames = read(made.path).frames(decoder)
    assert len(frames) == 6
    for number in (0, 3, 5):
        found = frames[number].to_ndarray(format="rgba")[..., 3] / 255
        assert np.abs(found - alphas[number]).mean() < 0.01
    assert made.kinds == set()


def test_opacity_that_cannot_be_kept_is_shown_on_black_and_noted(encode, moving, read):
    alpha = np.zeros((128, 160), np.float32)
    alpha[:, 80:] = 1
    made = encode("out.mp4", moving(2), alphas=[alpha] * 2)
    found = read(made.path).image(0, "bt709")
    assert made.kinds == {"alpha"}
    assert found[:, :70].max() < 0.03
    assert np.abs(found[:, 90:] - moving(2)[0][:, 90:]).mean() < 0.03


@pytest.mark.parametrize(
    ("codec", "options", "size"),
    [
        ("libx264", {}, (146, 98)),
        ("libx265", {}, (146, 98)),
        ("libsvtav1", {}, (146, 98)),
        ("libx264", {"pixel_format": "yuv444p"}, (145, 97)),
        ("libvpx-vp9", {}, (145, 97)),
        ("prores_ks", {}, (146, 97)),
        ("ffv1", {}, (145, 97)),
        ("ffv1", {"pixel_format": "yuv420p"}, (145, 97)),
    ],
)
def test_odd_sizes_are_kept_or_padded_never_resized(
    encode, moving, read, psnr, codec, options, size
):
    images = moving(3, 145, 97)
    clip = Clip(145, 97, Fraction(1, 25), Fraction(25), color=Color("bt709"))
    made = encode("out" + CODECS[codec].suffixes[0], images, clip=clip, codec=codec, **options)
    found = read(made.path).image(0, "bt709")
    assert found.shape[1::-1] == size
    assert psnr(found[:97, :145], images[0]) > 33
    assert made.kinds == ({"padded"} if size != (145, 97) else set())


@pytest.mark.parametrize(("codec", "suffix"), FILES)
def test_sample_aspect_is_stored_or_noted(encode, moving, codec, suffix):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), sample_aspect=Fraction(2, 3))
    made = encode(f"out{suffix}", moving(2), clip=clip, codec=codec)
    with av.open(str(made.path)) as container:
        found = container.streams.video[0].sample_aspect_ratio
    matroska = suffix in (".mkv", ".webm")
    assert (found == Fraction(2, 3)) == (not matroska or codec in ("libx264", "libx265"))
    assert made.kinds == (set() if found == Fraction(2, 3) else {"aspect"})


def test_chunks_have_one_header_and_frames_their_own_hash(encode, moving):
    for codec in CODECS:
        made = encode("out" + CODECS[codec].suffixes[0], moving(6), chunks=[1, 2, 3], codec=codec)
        assert len({segment.header for segment in made.segments}) == 1
        assert len(set(made.digests)) == 6
        again = encode("again" + CODECS[codec].suffixes[0], moving(6), codec=codec)
        assert again.digests == made.digests


def test_av1_takes_a_clip_above_its_nominal_rate(encode, moving, read):
    clip = Clip(160, 128, Fraction(1, 1000), Fraction(1000))
    times = [FrameTime(number, 1) for number in range(6)]
    made = encode("out.mkv", moving(6), clip=clip, times=times, codec="libsvtav1")
    assert read(made.path).seconds() == [Fraction(number, 1000) for number in range(6)]


@pytest.mark.parametrize(
    ("name", "codec", "message"),
    [
        (
            "out.webm",
            "libx264",
            r"name the output out\.mp4, or add --set encode\.codec=libvpx-vp9$",
        ),
        ("out.mp4", "ffv1", r"name the output out\.mkv, or add --set encode\.codec=libx264$"),
        ("out.mp4", "prores_ks", r"\.mov"),
        ("out.txt", "libx264", r"\.mp4"),
        ("out", "libx264", "no suffix"),
        ("out.mp4", "gif", r"\.gif"),
    ],
)
def test_a_container_that_does_not_fit_is_refused_with_those_that_do(name, codec, message):
    sink = EncodePyAV(EncodePyAV.Options(codec=codec))
    with pytest.raises(PipelineError, match=message):
        sink.check(Path(name), Clip(160, 128, Fraction(1, 25)))


def test_an_image_that_the_codec_refuses_stops_the_run_before_it_starts():
    sink = EncodePyAV(EncodePyAV.Options(codec="libx265"))
    with pytest.raises(PipelineError, match="8x8"):
        sink.check(Path("out.mp4"), Clip(8, 8, Fraction(1, 25)))


def test_a_full_disk_is_an_output_error(encode, moving, tmp_path):
    (tmp_path / "out.mkv").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"No space left.*-o"):
        encode("out.mkv", moving(8), codec="ffv1")


def test_a_folder_that_is_not_there_is_an_output_error(encode, moving):
    with pytest.raises(OutputError, match="No such file"):
        encode("absent/out.mp4", moving(2))


def test_chunks_of_different_encoders_are_not_joined(encode, moving):
    made = encode("out.mp4", moving(4), chunks=[2, 2])
    made.segments[1].header += b"x"
    sink = EncodePyAV(EncodePyAV.Options())
    sink.open(Clip(160, 128, Fraction(1, 25)), ExecutionContext())
    times = [FrameTime(number, 1) for number in range(4)]
    with pytest.raises(OutputError, match="different encoders"):
        sink.join(made.segments, times, Original(made.path), made.path)


def test_the_default_suffix_follows_the_codec():
    suffixes = {codec: STAGE(STAGE.Options(codec=codec)).suffix for codec in CODECS}
    assert suffixes == {
        "libx264": ".mp4",
        "libx265": ".mp4",
        "libsvtav1": ".mp4",
        "libvpx-vp9": ".webm",
        "prores_ks": ".mov",
        "ffv1": ".mkv",
        "gif": ".gif",
    }


@pytest.mark.parametrize("codec", sorted(CODECS))
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("alpha", [False, True])
def test_resolved_options_say_what_is_done_and_change_nothing(
    codec: CodecName, bits: int, alpha: bool
) -> None:
    clip = Clip(64, 48, Fraction(1, 25), Fraction(25), bit_depth=bits, alpha=alpha)
    asked = EncodeOptions(codec=codec)
    resolved = EncodePyAV(asked).resolve(clip, ExecutionContext())
    assert "auto" not in resolved.model_dump().values()
    again = EncodeOptions(**resolved.model_dump())
    assert resolve(again, clip, threads=2) == resolve(asked, clip, threads=2)
