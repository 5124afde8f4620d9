"""Decoding by a GPU: the same frames, or the processor's."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from pydantic import ValidationError

from vidstyle.core import ExecutionContext
from vidstyle.media.planes import digest
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import STAGE
from vidstyle.stages.decode.stream_decoder import StreamDecoder


def gpu_decodes() -> bool:
    try:
        HWAccel("cuda").create(av.Codec("h264", "r"))
    except av.FFmpegError:
        return False
    return True


GPU = gpu_decodes()
without_gpu = pytest.mark.skipif(GPU, reason="a GPU is here that decodes")
with_gpu = pytest.mark.skipif(not GPU, reason="no GPU is here that decodes")


@pytest.fixture
def h264(write_clip, square):
    """20 frames with B-frames, a keyframe every 5."""
    return write_clip("clip.mp4", square(20), codec="libx264", pixels="yuv420p", options={"g": "5"})


def seen(reader: StreamDecoder) -> list[tuple[str, int | None, int]]:
    return [(digest(item.image), item.pts, item.duration) for item in reader.frames()]


def check_same(path, opened, **options):
    asked, plain = opened(path, hardware="auto", **options), opened(path, **options)
    np.testing.assert_array_equal(asked.images, plain.images)
    assert (asked.times, asked.durations) == (plain.times, plain.durations)
    assert "hardware" not in plain.notes
    return asked.notes["hardware"]


def test_no_gpu_is_used_by_default():
    assert DecodeOptions().hardware == "none"
    with pytest.raises(ValidationError):
        DecodeOptions(hardware="cuda")


@without_gpu
def test_without_a_gpu_the_processor_decodes_and_says_so(h264, opened):
    assert check_same(h264, opened) == (
        "the video is decoded by the processor: there is no GPU here that can"
    )


def test_codecs_that_leave_bits_open_are_the_processors(write_clip, square, opened):
    path = write_clip("clip.mkv", square(4), codec="mpeg2video", pixels="yuv420p")
    assert "GPUs may decode mpeg2video to other samples" in check_same(path, opened)


def test_a_place_is_found_again_whoever_decodes(h264):
    marks = []
    for hardware in ("none", "auto"):
        source = STAGE(STAGE.Options(hardware=hardware))
        source.open(h264, ExecutionContext())
        frames = source.frames()
        for _ in range(13):
            next(frames)
        marks.append(source.mark()())
        frames.close()
    assert marks[0] == marks[1]


@without_gpu
def test_a_device_that_cannot_be_opened_is_done_without(h264):
    with (
        StreamDecoder(h264, threads=1) as plain,
        StreamDecoder(h264, threads=1, device=HWAccel("cuda")) as reader,
    ):
        assert seen(reader) == seen(plain)
        assert reader.device_failed
        assert not plain.device_failed


@without_gpu
def test_a_run_whose_device_is_gone_says_so(h264, opened):
    plain, source = opened(h264), STAGE(STAGE.Options())
    source.open(h264, ExecutionContext())
    source._device = HWAccel("cuda")
    frames = [frame.host("source") for frame in source.frames()]
    np.testing.assert_array_equal(np.stack(frames), plain.images)
    assert [note.kind for note in source.notes] == ["hardware-failed"]


class Failing(StreamDecoder):
    """Decodes as if by a device, which damages all images and fails at one."""

    def __init__(self, path, at: int) -> None:
        super().__init__(path, threads=1)
        self._device = HWAccel("cuda")
        self._left = at

    def _as_planar(self, image):
        if self._device is not None:
            self.damage.flagged += 1
            self._left -= 1
            if self._left < 0:
                raise av.error.ExternalError(1, "CUDA_ERROR_OUT_OF_MEMORY")
        return image


@pytest.mark.parametrize("at", [0, 7, 19])
@pytest.mark.parametrize("sought", [None, 0.5])
def test_where_a_device_fails_the_processor_goes_on(h264, at, sought):
    readers = StreamDecoder(h264, threads=1), Failing(h264, at)
    for reader in readers:
        if sought is not None:
            assert reader.seek(round(sought / reader.time_base))
    whole, found = (seen(reader) for reader in readers)
    assert found == whole
    failed = at < len(whole)
    assert readers[1].device_failed == failed
    assert bool(readers[1].damage.flagged) != failed
    for reader in readers:
        reader.close()


def test_a_damaged_packet_is_the_processors(h264):
    with av.open(h264) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][7]
    data = bytearray(h264.read_bytes())
    data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    h264.write_bytes(data)
    with StreamDecoder(h264, threads=1) as plain, Failing(h264, 100) as reader:
        assert seen(reader) == seen(plain)
        assert reader.device_failed
        assert reader.damage == plain.damage
        assert plain.damage.skipped == 1


@with_gpu
@pytest.mark.parametrize(("codec", "pixels"), [("libx264", "yuv420p"), ("libx265", "yuv420p10le")])
def test_a_gpu_gives_the_processors_frames(write_clip, square, opened, codec, pixels):
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    images = square(20, 320, 240)
    path = write_clip("clip.mp4", images, codec=codec, pixels=pixels, options=quiet)
    assert check_same(path, opened) == "the video is decoded by the GPU"
