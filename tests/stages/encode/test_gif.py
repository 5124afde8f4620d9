from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core import Clip, FrameTime
from vidstyle.core.errors import OutputError

UNEVEN = [FrameTime(500 + at, 0) for at in (0, 70, 140, 250, 300, 1000)]
TIMES = [
    FrameTime(time.pts, after - time.pts)
    for time, after in zip(UNEVEN, [*(time.pts for time in UNEVEN[1:]), 3000], strict=True)
]


def _clip(*, alpha: bool = False) -> Clip:
    return Clip(160, 128, Fraction(1, 1000), alpha=alpha)


def _delays(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [packet.duration for packet in container.demux(stream) if packet.size]


def test_frames_of_all_chunks_come_back_in_their_colors(encode, moving, read):
    images = moving(6)
    made = encode("out.gif", images, clip=_clip(), times=TIMES, chunks=[1, 3, 2], codec="gif")
    frames = read(made.path).frames()
    assert len(frames) == 6
    for frame, image in zip(frames, images, strict=True):
        assert np.abs(frame.to_ndarray(format="rgb24") / 255 - image).mean() < 0.04
    assert made.kinds == set()


def test_delays_are_right_to_a_hundredth_and_the_last_one_is_kept(encode, moving):
    made = encode("out.gif", moving(6), clip=_clip(), times=TIMES, chunks=[3, 3], codec="gif")
    assert _delays(made.path) == [7, 7, 11, 5, 70, 150]


def test_rounding_does_not_add_up(encode, moving):
    clip, times = (
        Clip(160, 128, Fraction(1, 30), Fraction(30)),
        [FrameTime(n, 1) for n in range(16)],
    )
    made = encode("out.gif", moving(16), clip=clip, times=times, codec="gif")
    assert set(_delays(made.path)) == {3, 4}
    assert abs(sum(_delays(made.path)) - 16 * 100 / 30) <= 1


def test_moving_transparency_is_kept(encode, moving, read):
    alphas = [np.zeros((128, 160), np.float32) for _ in range(6)]
    for number, alpha in enumerate(alphas):
        alpha[20:100, 10 + 12 * number : 60 + 12 * number] = 1
    made = encode(
        "out.gif", moving(6), clip=_clip(alpha=True), times=TIMES, alphas=alphas, codec="gif"
    )
    for frame, alpha in zip(read(made.path).frames(), alphas, strict=True):
        assert (frame.to_ndarray(format="rgba")[..., 3] / 255 == alpha).all()
    assert made.kinds == set()


def test_transparency_that_is_dropped_is_shown_on_black(encode, moving, read):
    alpha = np.ones((128, 160), np.float32)
    alpha[:, :80] = 0
    made = encode("out.gif", moving(2), alphas=[alpha] * 2, codec="gif", alpha="drop")
    assert made.kinds == {"alpha"}
    found = read(made.path).frames()[0].to_ndarray(format="rgba")
    assert (found[..., 3] == 255).all()
    assert found[:, :80, :3].max() < 20


def test_frames_that_are_half_transparent_are_noted(encode, moving):
    alphas = [np.ones((128, 160), np.float32) for _ in range(6)]
    alphas[1][:, :80], alphas[4][:, :80] = 0, 128 / 255
    made = encode(
        "out.gif", moving(6), clip=_clip(alpha=True), times=TIMES, alphas=alphas, codec="gif"
    )
    (note,) = made.notes
    assert note.kind == "alpha"
    assert "split at half in 1 of 6 frames" in note.text


def test_a_rate_that_players_do_not_show_is_noted(encode, moving, read):
    clip, times = Clip(160, 128, Fraction(1, 60), Fraction(60)), [FrameTime(n, 1) for n in range(8)]
    made = encode("out.gif", moving(8), clip=clip, times=times, codec="gif")
    assert made.kinds == {"gif-rate"}
    assert len(read(made.path).frames()) == 8


def test_odd_sizes_and_one_frame_work(encode, moving, read):
    clip = Clip(145, 97, Fraction(1, 25), Fraction(25))
    made = encode("out.gif", moving(1, 145, 97), clip=clip, codec="gif")
    (frame,) = read(made.path).frames()
    assert (frame.width, frame.height) == (145, 97)


def test_a_full_disk_is_an_output_error(encode, moving, tmp_path):
    (tmp_path / "out.gif").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        encode("out.gif", moving(6), clip=_clip(), times=TIMES, codec="gif")
