"""The description of frames without a header."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.media.planes import samples
from vidstyle.media.raw_video import RAW_FORMATS, RawVideo, parse_raw_video


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("640x360@25:rgb24", RawVideo(640, 360, Fraction(25), "rgb24")),
        ("640x360@25 yuv420p", RawVideo(640, 360, Fraction(25), "yuv420p")),
        ("64x48@30000/1001", RawVideo(64, 48, Fraction(30000, 1001), "rgb24")),
        ("64x48@23.976:bgra", RawVideo(64, 48, Fraction(2997, 125), "bgra")),
    ],
)
def test_size_rate_and_format_are_read(text: str, wanted: RawVideo) -> None:
    assert parse_raw_video(text, "--raw") == wanted


@pytest.mark.parametrize(
    "text",
    ["", "640x360", "640@25", "0x48@25", "64x48@0", "64x48@1/0", "64x48@25:rgb", "64x-8@25", "1e9"],
)
def test_other_texts_are_refused_in_a_line_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--raw "):
        parse_raw_video(text, "--raw")


@pytest.mark.parametrize("name", RAW_FORMATS)
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_the_bytes_of_a_frame_are_those_of_its_samples(name: str, size: tuple[int, int]) -> None:
    frame = av.VideoFrame(*size, name)
    assert RawVideo(*size, Fraction(25), name).frame_bytes == len(samples(frame))
