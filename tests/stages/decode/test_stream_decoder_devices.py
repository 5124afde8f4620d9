"""Frames of GPUs are the processor's, sample for sample, and so are their colors."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.video.reformatter import ColorRange, VideoReformatter

from vidstyle.core import Color
from vidstyle.media.device_formats import is_from_device, to_planar
from vidstyle.media.planes import digest, rows_of
from vidstyle.media.to_rgb import ToRGB

LIMITED, FULL = ColorRange.MPEG, ColorRange.JPEG
# The processor's format, the GPU's, bits, and by how many the GPU shifts them up.
FORMATS = [("yuv420p", "nv12", 8, 0), ("yuv420p10le", "p010le", 10, 6)]


def pair(soft, hard, bits, shift, size=(50, 38), spread=LIMITED):
    """Random samples as the processor and as a GPU decode them."""
    random = np.random.default_rng(0)
    kind = np.uint8 if bits == 8 else np.uint16
    ours, theirs = (av.VideoFrame(*size, name) for name in (soft, hard))
    luma, u, v = (
        random.integers(0, 2**bits, (plane.height, plane.width)).astype(kind)
        for plane in ours.planes
    )
    for plane, values in zip(ours.planes, (luma, u, v), strict=True):
        rows_of(plane).view(kind)[:, : plane.width] = values
    rows_of(theirs.planes[0]).view(kind)[:, : size[0]] = luma << shift
    chroma = rows_of(theirs.planes[1]).view(kind)
    chroma[:, 0 : 2 * u.shape[1] : 2] = u << shift
    chroma[:, 1 : 2 * v.shape[1] : 2] = v << shift
    for frame in (ours, theirs):
        frame.color_range = spread
    return ours, theirs


@pytest.mark.parametrize("size", [(50, 38), (131, 97), (64, 1), (640, 360)])
@pytest.mark.parametrize("names", FORMATS)
def test_every_sample_is_the_processors(names, size):
    ours, theirs = pair(*names, size=size)
    assert is_from_device(theirs)
    assert not is_from_device(ours)
    assert digest(to_planar(theirs, VideoReformatter())) == digest(ours)


def test_full_range_has_the_name_that_processors_give_it():
    ours, theirs = pair("yuvj420p", "nv12", 8, 0, spread=FULL)
    assert digest(to_planar(theirs, VideoReformatter())) == digest(ours)


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9])
def test_times_and_tags_are_kept(matrix):
    _, theirs = pair(*FORMATS[1])
    theirs.pts, theirs.duration = 7, 3
    theirs.colorspace, theirs.color_trc, theirs.color_primaries = matrix, 16, 9
    made = to_planar(theirs, VideoReformatter())
    tags = ("pts", "duration", "colorspace", "color_range", "color_trc", "color_primaries")
    assert [getattr(made, tag) for tag in tags] == [7, 3, matrix, LIMITED, 16, 9]


def test_interlaced_stays_interlaced(write_clip, square):
    path = write_clip(
        "clip.mkv",
        square(2),
        codec="mpeg2video",
        pixels="yuv420p",
        flags=Flags.interlaced_dct | Flags.interlaced_me,
    )
    with av.open(path) as container:
        frame = next(container.decode(video=0))
    theirs = frame.reformat(format="nv12")
    assert theirs.interlaced_frame
    assert to_planar(theirs, VideoReformatter()).interlaced_frame


def test_other_formats_are_left_alone():
    frame = av.VideoFrame(16, 16, "yuv422p")
    assert to_planar(frame, VideoReformatter()) is frame


@pytest.mark.parametrize(
    ("names", "matrix", "spread"),
    [*itertools.product(FORMATS, ["bt601", "bt709", "bt2020"], ["limited", "full"])],
)
def test_colors_are_the_same_without_conversion_too(names, matrix, spread):
    # A file may hold such frames itself.
    ours, theirs = pair(*names, spread=FULL if spread == "full" else LIMITED)
    to_rgb = ToRGB(Color(matrix, spread), alpha=False)
    np.testing.assert_array_equal(to_rgb(theirs)[0], to_rgb(ours)[0])
