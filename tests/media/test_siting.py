"""Where chroma lies: what codecs say, tagged and untagged."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from vidstyle.media.planes import samples
from vidstyle.media.siting import find_siting

SIDE = 64


def decoded(codec: str, pixels: str, options: dict[str, str] | None = None) -> av.VideoFrame:
    """The first frame of a clip that has been through a file."""
    random, file = np.random.default_rng(0), io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25, width=SIDE, height=SIDE, options=options)
        stream.pix_fmt = pixels
        for _ in range(4):
            image = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixels)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize(
    ("codec", "pixels", "options", "wanted"),
    [
        ("libx264", "yuv420p", None, "left"),
        ("libx264", "yuv422p", None, "left"),
        ("libx264", "yuv420p", {"x264-params": "chromaloc=1"}, "center"),
        ("libx264", "yuv420p", {"x264-params": "chromaloc=2"}, None),
        ("mpeg2video", "yuv420p", None, "left"),
        ("mpeg1video", "yuv420p", None, "center"),
        ("mjpeg", "yuvj420p", None, "center"),
        ("ffv1", "yuv420p", None, "center"),
    ],
)
def test_it_is_where_the_frame_says(codec, pixels, options, wanted):
    frame = decoded(codec, pixels, options)
    before = samples(frame)
    assert find_siting(frame) == wanted
    assert samples(frame) == before


def test_a_small_frame_has_no_known_siting():
    assert find_siting(av.VideoFrame(30, 64, "yuv420p")) is None
