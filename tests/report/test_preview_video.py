"""Preview videos are what browsers play, with all the frames that there is room for."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.report.conftest import WriteClip
from vidstyle.report.preview_video import (
    QUALITIES,
    PreviewVideos,
    _PreviewVideo,
    encode_previews,
)
from vidstyle.report.side_by_side import TimedFrames
from vidstyle.testing import pan

AMPLE = 10**8


def decoded(video: bytes) -> tuple[av.VideoStream, list[av.VideoFrame]]:
    with av.open(io.BytesIO(video)) as container:
        (stream,) = container.streams
        return stream, list(container.decode(video=0))


def images(count: int, **options: int) -> list[np.ndarray]:
    return [frame.host("source") for frame in pan(frames=count, **options).frames]


def encoded(videos: PreviewVideos | None) -> PreviewVideos:
    assert videos is not None
    return videos


@pytest.fixture
def clips(write_clip: WriteClip) -> dict[str, Path]:
    return {
        "source": write_clip("1.mkv", images(20)),
        "stylized": write_clip("2.mkv", images(20, seed=1)),
    }


def test_a_preview_is_h264_for_every_browser(clips: dict[str, Path]) -> None:
    videos = encoded(encode_previews(clips, (0, None), most_bytes=AMPLE))
    assert (videos.complete, videos.quality) == (True, QUALITIES[0])
    for video in videos.content.values():
        stream, frames = decoded(video)
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (int(context.colorspace), int(context.color_range)) == (1, 1)
        assert (int(context.color_primaries), int(context.color_trc)) == (1, 1)
        assert not context.has_b_frames
        assert len(frames) == 20
        assert b"ftyp" in video[:12]


def test_a_preview_shows_the_clips_frames_in_its_colors(clips: dict[str, Path]) -> None:
    videos = encoded(encode_previews(clips, (3, 7), most_bytes=AMPLE))
    for name, seed in (("source", 0), ("stylized", 1)):
        originals = np.stack(images(20, seed=seed))
        _, frames = decoded(videos.content[name])
        assert len(frames) == 4
        for index, frame in enumerate(frames, 3):
            shown = frame.to_ndarray(format="rgb24", src_colorspace="ITU709") / 255
            # Halved chroma blurs details; the wrong matrix would shift whole areas by 0.03.
            assert np.abs((shown - originals[index]).mean((0, 1))).max() < 0.01
            assert np.abs(shown - originals).mean((1, 2, 3)).argmin() == index


def test_all_previews_run_on_the_first_clips_clock(write_clip: WriteClip) -> None:
    ticks = [0, 40, 140, 160, 260]
    clips = {
        "source": write_clip("1.mkv", images(5), ticks=ticks),
        "stylized": write_clip("2.mkv", images(5)),
    }
    videos = encoded(encode_previews(clips, (0, None), most_bytes=AMPLE))
    assert videos.seconds == (0.0, 0.04, 0.14, 0.16, 0.26)
    for video in videos.content.values():
        _, frames = decoded(video)
        assert [float(frame.time or 0) for frame in frames] == pytest.approx(videos.seconds)


def test_quality_goes_before_frames(clips: dict[str, Path]) -> None:
    best = encoded(encode_previews(clips, (0, None), most_bytes=AMPLE))
    lower = encoded(encode_previews(clips, (0, None), most_bytes=best.total_bytes - 1))
    assert lower.complete
    assert len(lower.seconds) == 20
    assert QUALITIES.index(lower.quality) > 0
    assert lower.total_bytes < best.total_bytes


def test_frames_that_do_not_fit_are_left_out(clips: dict[str, Path]) -> None:
    whole = encoded(encode_previews(clips, (0, None), most_bytes=AMPLE)).total_bytes
    room = whole
    while True:
        room = room * 3 // 4
        videos = encoded(encode_previews(clips, (0, None), most_bytes=room))
        assert videos.total_bytes <= room
        assert videos.complete == (len(videos.seconds) == 20)
        if not videos.complete:
            break
    assert videos.quality == QUALITIES[-1]
    assert 0 < len(videos.seconds) < 20
    for video in videos.content.values():
        assert len(decoded(video)[1]) == len(videos.seconds)


def test_no_room_is_no_preview(clips: dict[str, Path]) -> None:
    assert encode_previews(clips, (0, None), most_bytes=500) is None
    assert encode_previews(clips, (0, None), most_bytes=0) is None


def test_equal_clips_give_equal_previews(clips: dict[str, Path]) -> None:
    first, second = (encode_previews(clips, (0, 6), most_bytes=AMPLE) for _ in range(2))
    assert encoded(first).content == encoded(second).content


def test_memory_of_a_preview_does_not_grow_with_its_frames() -> None:
    video = _PreviewVideo((16, 16), QUALITIES[-1])
    image = np.zeros((16, 16, 3), np.float32)
    for index in range(100):
        # Each second frame has the time of the one before it.
        video.add(image, TimedFrames(index, Fraction(index // 2, 25), Fraction(1, 50), (image,)))
    assert len(video._durations) < 20
    _, frames = decoded(video.finish())
    assert len({frame.pts for frame in frames}) == 100
