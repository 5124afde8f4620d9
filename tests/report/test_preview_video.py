"""Films are what browsers play, with all the frames that there is room for."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.report.conftest import WriteClip
from vidstyle.core import Clip
from vidstyle.report.preview_video import (
    QUALITIES,
    PreviewVideos,
    _PreviewVideo,
    preview_videos_within,
)
from vidstyle.report.reading import Moment
from vidstyle.report.shown_size import shown_size
from vidstyle.testing import pan

AMPLE = 10**8


def decoded(preview_video: bytes) -> tuple[av.VideoStream, list[av.VideoFrame]]:
    with av.open(io.BytesIO(preview_video)) as container:
        (stream,) = container.streams
        return stream, list(container.decode(video=0))


def images(count: int, **options: int) -> list[np.ndarray]:
    return [frame.host("source") for frame in pan(frames=count, **options).frames]


def made(preview_videos: PreviewVideos | None) -> PreviewVideos:
    assert preview_videos is not None
    return preview_videos


@pytest.fixture
def clips(write_clip: WriteClip) -> dict[str, Path]:
    return {
        "source": write_clip("1.mkv", images(20)),
        "stylized": write_clip("2.mkv", images(20, seed=1)),
    }


def test_film_is_h264_for_every_browser(clips: dict[str, Path]) -> None:
    preview_videos = made(preview_videos_within(clips, (0, None), most_bytes=AMPLE))
    assert (preview_videos.complete, preview_videos.quality) == (True, QUALITIES[0])
    for preview_video in preview_videos.content.values():
        stream, frames = decoded(preview_video)
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (int(context.colorspace), int(context.color_range)) == (1, 1)
        assert (int(context.color_primaries), int(context.color_trc)) == (1, 1)
        assert not context.has_b_frames
        assert len(frames) == 20
        assert b"ftyp" in preview_video[:12]


def test_film_shows_the_clips_frames_in_its_colors(clips: dict[str, Path]) -> None:
    preview_videos = made(preview_videos_within(clips, (3, 7), most_bytes=AMPLE))
    for name, seed in (("source", 0), ("stylized", 1)):
        originals = np.stack(images(20, seed=seed))
        _, frames = decoded(preview_videos.content[name])
        assert len(frames) == 4
        for index, frame in enumerate(frames, 3):
            shown = frame.to_ndarray(format="rgb24", src_colorspace="ITU709") / 255
            # Halved chroma blurs details; the wrong matrix would shift whole areas by 0.03.
            assert np.abs((shown - originals[index]).mean((0, 1))).max() < 0.01
            assert np.abs(shown - originals).mean((1, 2, 3)).argmin() == index


def test_all_films_run_on_the_first_clips_clock(write_clip: WriteClip) -> None:
    ticks = [0, 40, 140, 160, 260]
    clips = {
        "source": write_clip("1.mkv", images(5), ticks=ticks),
        "stylized": write_clip("2.mkv", images(5)),
    }
    preview_videos = made(preview_videos_within(clips, (0, None), most_bytes=AMPLE))
    assert preview_videos.seconds == (0.0, 0.04, 0.14, 0.16, 0.26)
    for preview_video in preview_videos.content.values():
        _, frames = decoded(preview_video)
        assert [float(frame.time or 0) for frame in frames] == pytest.approx(preview_videos.seconds)


def test_quality_goes_before_frames(clips: dict[str, Path]) -> None:
    best = made(preview_videos_within(clips, (0, None), most_bytes=AMPLE))
    lower = made(preview_videos_within(clips, (0, None), most_bytes=best.total_bytes - 1))
    assert lower.complete
    assert len(lower.seconds) == 20
    assert QUALITIES.index(lower.quality) > 0
    assert lower.total_bytes < best.total_bytes


def test_frames_that_do_not_fit_are_left_out(clips: dict[str, Path]) -> None:
    whole = made(preview_videos_within(clips, (0, None), most_bytes=AMPLE)).total_bytes
    room = whole
    while True:
        room = room * 3 // 4
        preview_videos = made(preview_videos_within(clips, (0, None), most_bytes=room))
        assert preview_videos.total_bytes <= room
        assert preview_videos.complete == (len(preview_videos.seconds) == 20)
        if not preview_videos.complete:
            break
    assert preview_videos.quality == QUALITIES[-1]
    assert 0 < len(preview_videos.seconds) < 20
    for preview_video in preview_videos.content.values():
        assert len(decoded(preview_video)[1]) == len(preview_videos.seconds)


def test_no_room_is_no_film(clips: dict[str, Path]) -> None:
    assert preview_videos_within(clips, (0, None), most_bytes=500) is None
    assert preview_videos_within(clips, (0, None), most_bytes=0) is None


def test_equal_clips_give_equal_films(clips: dict[str, Path]) -> None:
    first, second = (preview_videos_within(clips, (0, 6), most_bytes=AMPLE) for _ in range(2))
    assert made(first).content == made(second).content


@pytest.mark.parametrize(
    ("width", "height", "aspect", "size"),
    [
        (1920, 1080, Fraction(1), (640, 360)),
        (160, 128, Fraction(1), (160, 128)),
        (161, 127, Fraction(1), (160, 128)),
        (1080, 1920, Fraction(1), (640, 1138)),
        (720, 576, Fraction(16, 15), (640, 480)),
        (1440, 1080, Fraction(4, 3), (640, 360)),
        (320, 240, Fraction(1, 2), (160, 240)),
        (1, 1, Fraction(1), (2, 2)),
    ],
)
def test_sides_are_even_and_pixels_square(
    width: int, height: int, aspect: Fraction, size: tuple[int, int]
) -> None:
    clip = Clip(width, height, Fraction(1, 25), sample_aspect=aspect)
    assert shown_size(clip, 640) == size


def test_what_a_film_remembers_does_not_grow_with_its_frames() -> None:
    preview_video = _PreviewVideo((16, 16), QUALITIES[-1])
    image = np.zeros((16, 16, 3), np.float32)
    for index in range(100):
        # Each second frame has the time of the one before it.
        preview_video.add(image, Moment(index, Fraction(index // 2, 25), Fraction(1, 50), (image,)))
    assert len(preview_video._durations) < 20
    _, frames = decoded(preview_video.finished())
    assert len({frame.pts for frame in frames}) == 100
