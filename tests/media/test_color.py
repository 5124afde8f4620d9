"""Tags and numbers of colors, in both directions."""

from __future__ import annotations

import av
import pytest

from vidstyle.core.errors import InputError
from vidstyle.media.color import (
    MATRIX_TO_SCALER,
    MATRIX_TO_TAG,
    RANGE_TO_TAG,
    TAG_TO_MATRIX,
    color_of,
    has_chroma,
    is_gray,
    is_hdr,
)


def frame(pixels: str = "yuv420p", **tags: int) -> av.VideoFrame:
    made = av.VideoFrame(16, 16, pixels)
    for name, value in tags.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("matrix", MATRIX_TO_TAG)
def test_every_matrix_survives_its_tag(matrix):
    assert TAG_TO_MATRIX[MATRIX_TO_TAG[matrix]] == matrix
    assert matrix in MATRIX_TO_SCALER


@pytest.mark.parametrize(("height", "matrix"), [(480, "bt601"), (719, "bt601"), (720, "bt709")])
def test_an_untagged_matrix_is_guessed_by_the_lines(height, matrix):
    color = color_of(frame(), height)
    assert (color.matrix, color.range, color.tagged) == (matrix, "limited", False)


@pytest.mark.parametrize("spread", RANGE_TO_TAG)
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020", "smpte240m", "fcc"])
def test_tags_are_taken_as_they_are(matrix, spread):
    tagged = frame(colorspace=MATRIX_TO_TAG[matrix], color_range=RANGE_TO_TAG[spread])
    color = color_of(tagged, 1080)
    assert (color.matrix, color.range, color.tagged) == (matrix, spread, True)


def test_primaries_and_transfer_are_kept_as_code_points():
    color = color_of(frame(colorspace=9, color_primaries=9, color_trc=16), 1080)
    assert (color.primaries, color.transfer) == (9, 16)
    assert is_hdr(color)


def test_a_yuvj_format_is_full_range_whatever_its_tag():
    assert color_of(frame("yuvj420p", color_range=1), 480).range == "full"


@pytest.mark.parametrize("pixels", ["rgb24", "gbrp10le", "bgra", "pal8"])
def test_rgb_formats_have_no_matrix(pixels):
    color = color_of(frame(pixels), 480)
    assert (color.matrix, color.range, color.tagged) == ("rgb", "full", True)


def test_gray_needs_no_guess_and_is_full_range():
    color = color_of(frame("gray10le"), 480)
    assert (color.range, color.tagged) == ("full", True)
    assert is_gray(frame("gray10le").format)


@pytest.mark.parametrize(
    ("pixels", "chroma"),
    [("yuv420p", True), ("yuv444p", True), ("nv12", True), ("gbrp", False), ("ya8", False)],
)
def test_chroma_is_known_with_and_without_subsampling(pixels, chroma):
    assert has_chroma(frame(pixels).format) is chroma


def test_a_matrix_that_cannot_be_converted_is_refused():
    with pytest.raises(InputError, match=r"color matrix 8 .* convert it"):
        color_of(frame(colorspace=8), 1080)


def test_the_stream_is_read_like_its_frames(tmp_path):
    path = tmp_path / "tagged.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 2
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    with av.open(path) as container:
        color = color_of(container.streams.video[0].codec_context, 32)
    assert (color.matrix, color.range, color.tagged) == ("bt709", "full", True)
