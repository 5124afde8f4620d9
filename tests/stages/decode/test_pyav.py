"""Video files in: every way in which a real file differs from a plain one."""

from __future__ import annotations

import itertools
import resource
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.stream import Disposition
from pydantic import ValidationError

from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.media.color import MATRIX_TO_TAG, RANGE_TO_TAG
from vidstyle.stages.decode.pyav import STAGE

MILLISECOND = Fraction(1, 1000)
LOSSLESS_H264 = {"codec": "libx264", "pixels": "yuv444p", "options": {"qp": "0"}}


def flat(value: tuple[int, ...], pixels: str, width: int = 128, height: int = 96) -> av.VideoFrame:
    """A frame of one code value a plane."""
    frame = av.VideoFrame(width, height, pixels)
    wide = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    for plane, sample in zip(frame.planes, value, strict=True):
        plane.update(np.full(plane.buffer_size // wide().itemsize, sample, wide).tobytes())
    return frame


def test_a_lossless_clip_comes_back_sample_for_sample(write_clip, square, opened):
    images = square(10)
    clip = opened(write_clip("clip.mkv", images))
    np.testing.assert_allclose(clip.images, np.stack(images) / 255, atol=1e-6)
    assert [frame.index for frame in clip.frames] == list(range(10))
    assert (clip.clip.width, clip.clip.height, clip.clip.frame_count) == (128, 96, 10)
    assert clip.clip.frame_rate == 25
    assert clip.notes == {}


def test_layers_cannot_be_written_to(write_clip, square, opened):
    layer = opened(write_clip("clip.mkv", square(1))).frames[0].host("source")
    with pytest.raises(ValueError, match="read-only"):
        layer[0, 0, 0] = 1


def test_a_variable_rate_keeps_every_time(write_clip, square, opened):
    times = [0, 40, 50, 200, 201, 300, 900, 1000]
    clip = opened(write_clip("clip.mkv", square(8), times=times, time_base=MILLISECOND))
    assert clip.clip.frame_rate is None
    assert clip.times == times
    assert clip.durations[:-1] == np.diff(times).tolist()
    assert clip.durations[-1] > 0


def test_the_last_duration_is_the_files(write_clip, square, opened):
    path = write_clip("clip.gif", square(3), codec="gif", pixels="rgb8", times=[0, 10, 60])
    assert opened(path).durations[:2] == [40, 200]


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_a_start_offset_is_kept(write_clip, square, opened, name):
    times = [2000 + 40 * index for index in range(6)]
    clip = opened(
        write_clip(
            name, square(6), codec="mpeg4", pixels="yuv420p", times=times, time_base=MILLISECOND
        )
    )
    assert clip.frames[0].pts * clip.clip.time_base == 2
    assert "truncated" not in clip.notes


def test_b_frames_come_in_presentation_order(write_clip, square, opened):
    images = square(16)
    path = write_clip("clip.mp4", images, codec="libx264", pixels="yuv420p")
    clip = opened(path)
    assert clip.times == sorted(clip.times)
    error = np.abs(clip.images - np.stack(images) / 255).mean(axis=(1, 2, 3))
    assert error.max() < 0.03


@pytest.mark.parametrize(
    ("matrix", "spread", "height", "tagged"),
    [
        *itertools.product(["bt601", "bt709"], ["limited", "full"], [96, 720], [True]),
        ("bt601", "limited", 96, False),
        ("bt709", "limited", 720, False),
    ],
)
def test_colors_follow_tags_or_the_guess(write_clip, opened, matrix, spread, height, tagged):
    # Pure orange, coded by the definition of H.273.
    red, green, blue = 0.8, 0.5, 0.1
    kr, kb = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    offset, scale, chroma = (0, 255, 255) if spread == "full" else (16, 219, 224)
    codes = [round(offset + scale * luma), round(128 + chroma * cb), round(128 + chroma * cr)]
    frame = flat(codes, "yuv420p", 128, height)
    tags = {"colorspace": MATRIX_TO_TAG[matrix], "color_range": RANGE_TO_TAG[spread]}
    if tagged:
        frame.colorspace, frame.color_range = tags["colorspace"], tags["color_range"]
    path = write_clip("clip.mkv", [frame], pixels="yuv420p", **(tags if tagged else {}))
    clip = opened(path)
    np.testing.assert_allclose(clip.images[0, 5, 5], [red, green, blue], atol=1.5 / 255)
    assert (clip.clip.color.matrix, clip.clip.color.range) == (matrix, spread)
    assert clip.clip.color.tagged is tagged
    assert ("color-guessed" in clip.notes) is not tagged


def test_a_matrix_that_cannot_be_converted_is_refused_by_name(write_clip, opened):
    frame = flat((120, 128, 128), "yuv444p")
    frame.colorspace = 8
    path = write_clip("clip.mkv", [frame], pixels="yuv444p", colorspace=8)
    with pytest.raises(InputError, match=r"clip\.mkv: the video has color matrix 8"):
        opened(path)


@pytest.mark.parametrize(
    ("codec", "pixels", "bits"),
    [("ffv1", "yuv420p10le", 10), ("libx265", "yuv420p10le", 10), ("ffv1", "yuv444p12le", 12)],
)
def test_deep_samples_keep_their_depth(write_clip, opened, codec, pixels, bits):
    middle = 1 << (bits - 1)
    values = [middle + index for index in range(8)]
    frames = [flat((value, middle, middle), pixels) for value in values]
    quiet = {"x265-params": "lossless=1:log-level=none"} if codec == "libx265" else {}
    clip = opened(write_clip("clip.mkv", frames, codec=codec, pixels=pixels, options=quiet))
    assert clip.clip.bit_depth == bits
    step = 1 << (bits - 8)
    wanted = (np.array(values) - 16 * step) / (219 * step)
    np.testing.assert_allclose(clip.images[:, 8, 8, 0], wanted, atol=0.1 / (219 * step))


@pytest.mark.parametrize("angle", [90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_images_are_turned_upright(write_clip, square, opened, angle, mirror):
    images = square(3)
    path = write_clip(
        "clip.mp4",
        images,
        prepare=lambda stream: stream.set_display_rotation(angle, hflip=mirror),
        **LOSSLESS_H264,
        sample_aspect_ratio=Fraction(4, 3),
    )
    clip = opened(path)
    # FFmpeg turns counter-clockwise and mirrors after turning.
    shown = np.rot90(np.stack(images), angle // 90, axes=(1, 2)) / 255
    shown = shown[:, :, ::-1] if mirror else shown
    assert np.abs(clip.images - shown).max() < 3 / 255
    sideways = angle != 180
    assert (clip.clip.width, clip.clip.height) == ((96, 128) if sideways else (128, 96))
    assert clip.clip.sample_aspect == (Fraction(3, 4) if sideways else Fraction(4, 3))


def test_rotation_can_be_ignored(write_clip, square, opened):
    path = write_clip(
        "clip.mp4",
        square(2),
        codec="mpeg4",
        pixels="yuv420p",
        prepare=lambda stream: stream.set_display_rotation(90),
    )
    assert opened(path, rotation="ignore").images.shape[1:3] == (96, 128)


def test_a_slanted_matrix_is_reported(write_clip, square, opened):
    path = write_clip(
        "clip.mp4",
        square(2),
        codec="mpeg4",
        pixels="yuv420p",
        prepare=lambda stream: stream.set_display_rotation(30),
    )
    assert "30°" in opened(path).notes["rotation"]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_the_sample_aspect_is_kept(write_clip, square, opened, name):
    path = write_clip(
        name, square(2), codec="libx264", pixels="yuv420p", sample_aspect_ratio=Fraction(2, 3)
    )
    assert opened(path).clip.sample_aspect == Fraction(2, 3)


@pytest.mark.parametrize(("policy", "done"), [("auto", "rebuilt"), ("off", "kept as they are")])
def test_interlaced_frames_are_counted_one_for_one(write_clip, square, opened, policy, done):
    path = write_clip(
        "clip.mkv",
        square(8),
        codec="mpeg2video",
        pixels="yuv420p",
        flags=Flags.interlaced_dct | Flags.interlaced_me,
    )
    clip = opened(path, deinterlace=policy)
    assert clip.times == [40 * index for index in range(8)]
    assert done in clip.notes["interlaced"]


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.mkv", "ffv1", "yuva444p"),
        ("clip.webm", "libvpx-vp9", "yuva420p"),
        ("clip.webm", "libvpx", "yuva420p"),
        ("clip.mov", "prores_ks", "yuva444p10le"),
    ],
)
def test_alpha_is_decoded_or_dropped(write_clip, opened, name, codec, pixels):
    frames = []
    for level in (64, 128, 192):
        deep = 4 if pixels.endswith("10le") else 1
        values = (120 * deep, 128 * deep, 128 * deep, level * deep)
        frames.append(flat(values, pixels))
    options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
    path = write_clip(name, frames, codec=codec, pixels=pixels, options=options)
    clip = opened(path)
    assert clip.clip.alpha
    levels = [frame.host("alpha").mean() for frame in clip.frames]
    np.testing.assert_allclose(levels, np.array([64, 128, 192]) / 255, atol=2 / 255)
    assert clip.frames[0].host("alpha").shape == (96, 128)
    dropped = opened(path, alpha="drop")
    assert not dropped.clip.alpha
    assert set(dropped.frames[0].layers) == {"source"}
    assert "alpha-dropped" in dropped.notes


def test_alpha_that_nothing_uses_is_only_kept_on_demand(write_clip, opened):
    path = write_clip("clip.mkv", [flat((120, 128, 128, 255), "yuva444p")], pixels="yuva444p")
    assert not opened(path).clip.alpha
    assert opened(path, alpha="keep").frames[0].host("alpha").min() == 1


def test_odd_sizes_stay_odd(write_clip, square, opened):
    images = square(3, 131, 97)
    clip = opened(write_clip("clip.mkv", images, pixels="yuv420p"))
    assert clip.images.shape[1:3] == (97, 131)
    assert np.abs(clip.images - np.stack(images) / 255).mean() < 1.5 / 255


@pytest.fixture
def changing(tmp_path, write_clip, square):
    """A stream of 5 frames of 128x96 and 5 of 64x48."""
    parts = [
        write_clip(f"{width}.h264", square(5, width, height), codec="libx264", pixels="yuv420p")
        for width, height in ((128, 96), (64, 48))
    ]
    path = tmp_path / "changing.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_size_that_changes_is_scaled_to_the_first(changing, opened):
    clip = opened(changing)
    assert clip.images.shape == (10, 96, 128, 3)
    assert "from 128x96 to 64x48" in clip.notes["size-change"]
    # Both parts show the same ramp, once of half the size.
    assert np.abs(clip.images[9, 80] - clip.images[0, 80]).mean() < 4 / 255


def test_a_size_that_changes_can_be_refused(changing, opened):
    with pytest.raises(InputError, match=r"from 128x96 to 64x48 midway; set decode's option"):
        opened(changing, size_change="refuse")


def test_missing_times_are_filled_and_reported(write_clip, square, opened):
    path = write_clip("raw.h264", square(6), codec="libx264", pixels="yuv420p")
    clip = opened(path)
    assert [time * clip.clip.time_base for time in clip.times] == [
        Fraction(n, 25) for n in range(6)
    ]
    assert "missing: 6" in clip.notes["timestamps"]
    assert clip.clip.frame_rate == 25


def test_times_that_jump_back_go_on_and_are_reported(tmp_path, write_clip, square, opened):
    part = write_clip("part.ts", square(8), codec="libx264", pixels="yuv420p").read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(part * 2)
    clip = opened(path)
    assert len(clip.frames) == 16
    assert np.unique(np.diff(clip.times)).tolist() == [3600]
    assert "-0.32 s after 0.32 s" in clip.notes["clock"]


def test_a_cover_image_is_left_alone(tmp_path, opened):
    path = tmp_path / "cover.mp4"
    with av.open(path, "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        for packet in cover.encode(av.VideoFrame(320, 240, "yuvj420p")) + cover.encode(None):
            packet.stream = cover
            container.mux(packet)
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    clip = opened(path)
    assert (clip.clip.width, len(clip.frames)) == (64, 4)
    assert "several-videos" not in clip.notes


def test_of_several_videos_one_is_taken_and_noted(tmp_path, opened):
    path = tmp_path / "two.mkv"
    with av.open(path, "w") as container:
        for width, height in ((64, 48), (96, 64)):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height = width, height
        for stream in container.streams:
            container.mux(stream.encode(av.VideoFrame(stream.width, stream.height, "yuv420p")))
            container.mux(stream.encode(None))
    clip = opened(path)
    assert clip.clip.width == 96
    assert clip.notes["several-videos"] == "of 2 video streams, stream 1 is used"
    assert [stream.kind for stream in clip.clip.streams] == ["video"]


def test_a_gif_is_a_clip(write_clip, square, opened):
    images = square(6)
    clip = opened(write_clip("clip.gif", images, codec="gif", pixels="rgb8"))
    assert clip.times == [4 * index for index in range(6)]
    assert not clip.clip.alpha
    assert np.abs(clip.images - np.stack(images) / 255).mean() < 0.12


def hdr_clip(write_clip, transfer: int):
    # 58 % PQ is about 203 cd/m², 75 % HLG the same on a display of 1000 cd/m².
    code = 64 + 876 * (0.5807 if transfer == 16 else 0.75)
    frame = flat((round(code), 512, 512), "yuv420p10le")
    tags = {"colorspace": 9, "color_primaries": 9, "color_trc": transfer, "color_range": 1}
    for name, value in tags.items():
        setattr(frame, name, value)
    return write_clip("hdr.mkv", [frame], pixels="yuv420p10le", **tags)


@pytest.mark.parametrize(("transfer", "kind"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_unless_it_is_meant(write_clip, opened, transfer, kind):
    path = hdr_clip(write_clip, transfer)
    with pytest.raises(InputError, match=rf"\({kind}\); --set decode\.hdr=tonemap gives"):
        opened(path)
    through = opened(path, hdr="passthrough")
    assert through.clip.color.matrix == "bt2020"
    assert through.clip.color.transfer == transfer
    assert through.images.mean() == pytest.approx(0.58 if kind == "PQ" else 0.75, abs=2e-3)


@pytest.mark.parametrize("transfer", [16, 18])
def test_tone_mapped_hdr_is_ordinary_video(write_clip, opened, transfer):
    clip = opened(hdr_clip(write_clip, transfer), hdr="tonemap")
    assert (clip.clip.color.matrix, clip.clip.color.transfer) == ("bt709", 1)
    assert clip.clip.color.tagged
    # White of BT.2408 lands a little below the screen's white: highlights need room.
    assert 0.85 < clip.images.mean() < 0.95
    assert "tone-mapped" in clip.notes


def test_frames_that_are_too_large_are_refused(write_clip, square, opened):
    path = write_clip("clip.mp4", square(1), codec="libx264", pixels="yuv420p")
    with pytest.raises(InputError, match=r"128x96, more than 1000 pixels; raise .* max_pixels"):
        opened(path, max_pixels=1000)
    assert len(opened(path, max_pixels=128 * 96).frames) == 1


def test_sound_alone_is_refused(tmp_path, opened):
    path = tmp_path / "sound.wav"
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"no video stream; it has: audio \(pcm_s16le\)"):
        opened(path)


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_does_not_change_the_frames(write_clip, square, opened, threads):
    path = write_clip("clip.mp4", square(16), codec="libx264", pixels="yuv420p")
    one, several = opened(path), opened(path, threads=threads)
    np.testing.assert_array_equal(one.images, several.images)
    assert one.times == several.times


def test_frames_can_be_left_at_any_time(write_clip, square):
    path = write_clip("clip.mp4", square(16), codec="libx264", pixels="yuv420p")
    source = STAGE(STAGE.Options())
    source.open(path, ExecutionContext(threads=2))
    threads = threading.active_count()
    for count in (0, 1, 7):
        frames = source.frames()
        for _ in range(count):
            next(frames)
        frames.close()
    assert [frame.index for frame in source.frames()] == list(range(16))
    unfinished = source.frames()
    next(unfinished)
    source.close()
    source.close()
    unfinished.close()
    assert threading.active_count() == threads


def test_a_second_call_of_frames_starts_over(write_clip, square):
    source = STAGE(STAGE.Options())
    source.open(write_clip("clip.mkv", square(4)), ExecutionContext())
    abandoned = source.frames()
    next(abandoned)
    assert len(list(source.frames())) == 4


def test_frames_before_open_are_a_mistake():
    with pytest.raises(RuntimeError, match="called before open"):
        next(STAGE(STAGE.Options()).frames())


def test_options_refuse_what_they_do_not_know():
    with pytest.raises(ValidationError):
        STAGE.Options(threads=2)
    with pytest.raises(ValidationError):
        STAGE.Options(hdr="clip")


@pytest.mark.slow
def test_thousands_of_frames_need_the_memory_of_a_few(write_clip, square):
    path = write_clip("long.mp4", square(100) * 30, codec="mpeg4", pixels="yuv420p")
    source = STAGE(STAGE.Options())
    source.open(path, ExecutionContext(threads=2))
    early = 0
    for frame in source.frames():
        if frame.index == 300:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert frame.index == 2999
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early < 8_000
