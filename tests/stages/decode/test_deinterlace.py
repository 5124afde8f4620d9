"""Fields joined to whole frames, one for one."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.context import Flags

from vidstyle.media.planes import digest
from vidstyle.stages.decode.deinterlace import deinterlace
from vidstyle.stages.decode.timestamps import Decoded

INTERLACED = Flags.interlaced_dct | Flags.interlaced_me


def combed(count: int, height: int = 96, width: int = 128) -> list[np.ndarray]:
    """A bar that moves between the two fields of each image."""
    images = []
    for index in range(count):
        image = np.full((height, width, 3), 30, np.uint8)
        for field in (0, 1):
            left = 6 * index + 3 * field
            image[field::2, left : left + 30] = 220
        images.append(image)
    return images


def combing(luma: np.ndarray) -> float:
    """How much rows differ from both neighbors, in the same direction."""
    rows = luma.astype(float)
    up, down = rows[1:-1] - rows[:-2], rows[1:-1] - rows[2:]
    return float(np.where(up * down > 0, np.minimum(abs(up), abs(down)), 0).mean())


def decode(path) -> list[Decoded]:
    with av.open(path) as container:
        return [Decoded(frame, frame.pts, frame.duration) for frame in container.decode(video=0)]


@pytest.fixture
def interlaced(write_clip):
    path = write_clip(
        "fields.mkv",
        combed(10),
        codec="mpeg2video",
        pixels="yuv420p",
        flags=INTERLACED,
        options={"qscale": "2"},
    )
    return decode(path)


def luma(item: Decoded) -> np.ndarray:
    plane = item.image.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]


def test_as_many_frames_come_out_with_their_times(interlaced):
    done = list(deinterlace(interlaced, "auto"))
    assert [(item.pts, item.duration) for item in done] == [
        (item.pts, item.duration) for item in interlaced
    ]


def test_the_comb_is_gone(interlaced):
    assert all(item.image.interlaced_frame for item in interlaced)
    before = np.mean([combing(luma(item)) for item in interlaced[2:-2]])
    after = np.mean([combing(luma(item)) for item in list(deinterlace(interlaced, "auto"))[2:-2]])
    assert before > 3
    assert after < before / 10


def test_off_leaves_every_sample(interlaced):
    done = list(deinterlace(interlaced, "off"))
    assert [id(item) for item in done] == [id(item) for item in interlaced]


def test_progressive_frames_pass_untouched(write_clip, square):
    frames = decode(write_clip("whole.mkv", square(6), pixels="yuv420p"))
    assert [item is same for item, same in zip(deinterlace(frames, "auto"), frames, strict=True)]


def test_on_takes_frames_that_are_not_flagged(write_clip):
    frames = decode(write_clip("unflagged.mkv", combed(8), pixels="yuv420p"))
    assert not frames[0].image.interlaced_frame
    done = list(deinterlace(frames, "on"))
    assert len(done) == len(frames)
    assert combing(luma(done[4])) < combing(luma(frames[4])) / 5


def test_progressive_frames_after_interlaced_ones_pass_untouched(interlaced, write_clip, square):
    whole = decode(write_clip("whole.mkv", square(4), pixels="yuv420p"))
    done = list(deinterlace([*interlaced, *whole], "auto"))
    assert len(done) == len(interlaced) + len(whole)
    # The first one has an interlaced neighbor, and is still left as it is.
    assert [digest(item.image) for item in done[-4:]] == [digest(item.image) for item in whole]


def test_a_size_that_changes_starts_a_new_filter(write_clip, interlaced):
    small = decode(
        write_clip(
            "small.mkv", combed(5, 64, 96), codec="mpeg2video", pixels="yuv420p", flags=INTERLACED
        )
    )
    done = list(deinterlace([*interlaced, *small], "auto"))
    assert [item.image.width for item in done] == [128] * 10 + [96] * 5


def test_missing_times_stay_missing(interlaced):
    unknown = [Decoded(item.image, None, 0) for item in interlaced]
    for item in unknown:
        item.image.pts = None
    assert [item.pts for item in deinterlace(unknown, "auto")] == [None] * len(interlaced)


def test_one_frame_comes_out(interlaced):
    assert len(list(deinterlace(interlaced[:1], "auto"))) == 1


def test_color_tags_survive(interlaced):
    interlaced[0].image.colorspace, interlaced[0].image.color_range = 1, 2
    first = next(deinterlace(interlaced, "auto")).image
    assert (first.colorspace, first.color_range) == (1, 2)
    assert Fraction(first.width, first.height) == Fraction(4, 3)
