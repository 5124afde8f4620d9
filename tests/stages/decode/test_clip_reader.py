"""Going on after a frame gives the frames that the whole gives."""

from __future__ import annotations

import gc
from fractions import Fraction

import numpy as np
import pytest
from av import VideoFrame
from av.codec.context import Flags

from vidstyle.core import ExecutionContext, Mark
from vidstyle.core.errors import InputError
from vidstyle.stages.decode import clip_reader
from vidstyle.stages.decode.clip_reader import REMEMBERED
from vidstyle.stages.decode.pyav import STAGE

LENGTH = 24


def open_source(path, **options):
    source = STAGE(STAGE.Options(**options))
    source.open(path, ExecutionContext(threads=2))
    return source


def whole_with_marks(source):
    frames, marks = [], []
    for frame in source.frames():
        frames.append(frame)
        marks.append(source.mark()())
    return frames, marks


def assert_same(rest, wanted):
    assert [(f.index, f.pts, f.duration) for f in rest] == [
        (f.index, f.pts, f.duration) for f in wanted
    ]
    for one, other in zip(rest, wanted, strict=True):
        np.testing.assert_array_equal(one.host("source"), other.host("source"))


# One frame a second: every mark but the first few is looked for by seeking.
SLOW = {"time_base": Fraction(1, 1000), "times": [1000 * index for index in range(LENGTH)]}
FILES = {
    "mp4 with b-frames": (
        "c.mp4",
        {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "6"}},
    ),
    "mkv with b-frames": (
        "c.mkv",
        {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "6"}},
    ),
    "mpeg-ts": ("c.ts", {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "6"}}),
    "open gops": (
        "c.mkv",
        {
            "codec": "libx264",
            "pixels": "yuv420p",
            "options": {"x264-params": "keyint=6:open-gop=1"},
        },
    ),
    "hevc": (
        "c.mp4",
        {
            "codec": "libx265",
            "pixels": "yuv420p10le",
            "options": {"x265-params": "keyint=6:log-level=none"},
        },
    ),
    "keyframes only": ("c.mkv", {}),
    "avi": ("c.avi", {"codec": "mpeg4", "pixels": "yuv420p", "options": {"g": "6"}}),
    "gif": ("c.gif", {"codec": "gif", "pixels": "rgb8"}),
    "no times": ("c.h264", {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "6"}}),
    "interlaced": (
        "c.mp4",
        {
            "codec": "libx264",
            "pixels": "yuv420p",
            "options": {"x264-params": "tff=1:keyint=6"},
            "flags": Flags.interlaced_dct | Flags.interlaced_me,
        },
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_mark_is_found(write_clip, square, kind):
    name, settings = FILES[kind]
    slow = {} if name.endswith(("avi", "h264", "gif")) else SLOW
    source = open_source(write_clip(name, square(LENGTH), **settings, **slow))
    frames, marks = whole_with_marks(source)
    assert (kind == "interlaced") == any(met.kind == "interlaced" for met in source.notes)
    for mark in marks[:: 1 if kind == "mp4 with b-frames" else 5]:
        assert_same(list(source.frames(mark)), frames[mark.index + 1 :])


def test_a_mark_late_in_a_file_is_found_without_the_beginning(write_clip, square, monkeypatch):
    settings = {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "4"}}
    source = open_source(write_clip("c.mp4", square(LENGTH), **settings, **SLOW))
    frames, marks = whole_with_marks(source)

    def beginning(*_arguments):
        raise AssertionError("decoded from the beginning")

    monkeypatch.setattr(clip_reader, "_skip_to", beginning)
    for mark in marks[8:]:
        assert_same(list(source.frames(mark)), frames[mark.index + 1 :])


def test_a_mark_in_a_still_clip_is_found_by_its_time(write_clip, square):
    still = square(1) * LENGTH
    source = open_source(write_clip("c.mkv", still, **SLOW))
    frames, marks = whole_with_marks(source)
    assert_same(list(source.frames(marks[17])), frames[18:])


def test_marks_of_a_resumed_clip_work_too(write_clip, square):
    source = open_source(write_clip("c.mkv", square(LENGTH), **SLOW))
    frames, marks = whole_with_marks(source)
    resumed = source.frames(marks[15])
    next(resumed)
    assert_same(list(source.frames(source.mark()())), frames[17:])


def test_after_the_last_frame_there_is_nothing(write_clip, square):
    source = open_source(write_clip("c.mkv", square(6)))
    _, marks = whole_with_marks(source)
    assert list(source.frames(marks[-1])) == []


def test_a_mark_holds_the_last_images(write_clip, square):
    source = open_source(write_clip("c.mkv", square(6)))
    _, marks = whole_with_marks(source)
    assert [len(mark.digests) for mark in marks] == [1, 2, 3, 3, 3, 3]
    assert marks[5].digests[: REMEMBERED - 1] == marks[4].digests[1:]


@pytest.mark.parametrize("times", [{}, SLOW])
def test_a_changed_file_is_noticed(write_clip, square, times):
    source = open_source(write_clip("c.mkv", square(LENGTH), **times))
    _, marks = whole_with_marks(source)
    other = [255 - image for image in square(LENGTH)]
    source = open_source(write_clip("c.mkv", other, **times))
    with pytest.raises(InputError, match=r"frame 12 is not the one .* the file has changed"):
        next(source.frames(marks[12]))


def test_a_mark_beyond_the_end_is_not_found(write_clip, square):
    source = open_source(write_clip("c.mkv", square(6)))
    with pytest.raises(InputError, match="frame 99"):
        next(source.frames(Mark(99, 3960, ("0" * 32,))))


def test_before_the_first_frame_there_is_no_mark(write_clip, square):
    source = open_source(write_clip("c.mkv", square(2)))
    with pytest.raises(ValueError, match="no frame was read yet"):
        source.mark()


def test_decoded_frames_are_freed_when_they_are_done_with(write_clip, square):
    source = open_source(write_clip("c.mkv", square(LENGTH)))
    gc.collect()
    # What then lives on would grow with the clip.
    gc.disable()
    try:
        for _ in source.frames():
            pass
        left = sum(isinstance(each, VideoFrame) for each in gc.get_objects())
    finally:
        gc.enable()
        source.close()
    assert left <= REMEMBERED + 1
