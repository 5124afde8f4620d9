"""Which frames lie as planes: their own samples, and the RGB that they always became."""

from __future__ import annotations

import av
import numpy as np
import pytest

import vidstyle
from vidstyle.core import Color, ExecutionContext, PlaneFormat
from vidstyle.media.planes import samples
from vidstyle.media.to_rgb import ToRGB
from vidstyle.stages.decode.pyav import DecodePyAV

COUNT = 12
BT601 = {"colorspace": 6, "color_range": 1}


def plain_frames(path):
    """What FFmpeg's decoder gives."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize(
    ("codec", "pixels", "tags", "wanted"),
    [
        ("libx264", "yuv420p", BT601, PlaneFormat((2, 2), "bt601", "limited", "left")),
        ("libx264", "yuv422p", {}, PlaneFormat((2, 1), "bt601", "limited", "left")),
        ("libx264", "yuv444p", {"colorspace": 1}, PlaneFormat((1, 1), "bt709", "limited")),
        ("mjpeg", "yuvj420p", {}, PlaneFormat((2, 2), "bt601", "full", "center")),
        ("ffv1", "yuv420p", {"color_range": 2}, PlaneFormat((2, 2), "bt601", "full", "center")),
    ],
)
def test_frames_of_8_bits_lie_as_planes(write_clip, opened, square, codec, pixels, tags, wanted):
    path = write_clip("in.mkv", square(COUNT), codec=codec, pixels=pixels, **tags)
    # All of them are there before the first one is read.
    found = opened(path, threads=2)
    to_rgb = ToRGB(found.clip.color, alpha=False)
    for frame, image in zip(found.frames, plain_frames(path), strict=True):
        planes = frame.planes("source")
        assert planes is not None
        assert planes.format == wanted
        assert b"".join(plane.tobytes() for plane in planes.samples) == samples(image)
        assert not any(plane.flags.writeable for plane in planes.samples)
        np.testing.assert_array_equal(frame.host("source"), to_rgb(image)[0])


def test_frames_outlive_the_source(write_clip, square):
    path = write_clip("in.mp4", square(COUNT), codec="libx264", pixels="yuv420p")
    source = DecodePyAV(DecodePyAV.Options())
    source.open(path, ExecutionContext(threads=1))
    frame = next(iter(source.frames()))
    source.close()
    wanted = ToRGB(Color("bt601", tagged=False), alpha=False)(plain_frames(path)[0])[0]
    np.testing.assert_array_equal(frame.host("source"), wanted)


@pytest.mark.parametrize(
    ("codec", "pixels", "options"),
    [
        ("libx264", "yuv420p10le", {}),
        ("ffv1", "bgr0", {}),
        ("ffv1", "gray", {}),
        ("ffv1", "yuva420p", {"alpha": "keep"}),
    ],
)
def test_other_frames_are_rgb(write_clip, opened, square, codec, pixels, options):
    path = write_clip("in.mkv", square(2), codec=codec, pixels=pixels)
    frame = opened(path, **options).frames[0]
    assert frame.planes("source") is None
    assert frame.host("source").shape == (96, 128, 3)


def test_frames_of_another_size_midway_are_rgb(tmp_path, write_clip, opened, square):
    parts = [
        write_clip(f"{name}.264", square(4, width, 96), codec="libx264", pixels="yuv420p")
        for name, width in (("wide", 128), ("narrow", 96))
    ]
    joined = tmp_path / "joined.264"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = opened(joined).frames
    assert [frame.planes("source") is not None for frame in found] == [True] * 4 + [False] * 4


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
def test_what_no_stage_changes_is_encoded_as_it_was_decoded(tmp_path, write_clip, pixels):
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(COUNT)]
    path = write_clip("in.mp4", noise, codec="libx264", pixels=pixels)
    options = {"encode.codec": "libx264", "encode.crf": 0, "encode.pixel_format": pixels}
    vidstyle.run("identity", path, tmp_path / "out.mp4", options=options)
    for given, made in zip(plain_frames(path), plain_frames(tmp_path / "out.mp4"), strict=True):
        assert samples(made) == samples(given)


def test_another_siting_or_range_is_converted(tmp_path, write_clip, square):
    path = write_clip("in.mkv", square(3), codec="mjpeg", pixels="yuvj420p")
    options = {"encode.codec": "libx264", "encode.crf": 0}
    vidstyle.run("identity", path, tmp_path / "out.mp4", options=options)
    for given, made in zip(plain_frames(path), plain_frames(tmp_path / "out.mp4"), strict=True):
        assert samples(made) != samples(given)
        to_rgb = ToRGB(Color("bt601", "full"), alpha=False)
        away = np.abs(to_rgb(made)[0] - to_rgb(given)[0])
        # But for the square's edges, where chroma is taken from other places.
        assert np.median(away) < 1.5 / 255
