"""Synthetic clips: what they say of their motion is true of their images."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from vidstyle.testing import SyntheticClip, hard_cut, occluder, pan, still, zoom
from vidstyle.testing.scene import MIXED, Scene, Surface, moves, similarity
from vidstyle.testing.textures import make_waves

Doubles = npt.NDArray[np.float64]


def warped(image: npt.ArrayLike, flow: npt.ArrayLike) -> Doubles:
    """Bilinear, in float64, one pixel's four neighbors at a time; the test's own oracle."""
    image, flow = np.asarray(image, np.float64), np.asarray(flow, np.float64)
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width]
    columns = np.clip(x + flow[..., 0], 0, width - 1)
    rows = np.clip(y + flow[..., 1], 0, height - 1)
    left, top = np.floor(columns).astype(int), np.floor(rows).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (columns - left)[..., None], (rows - top)[..., None]
    upper = (1 - across) * image[top, left] + across * image[top, right]
    lower = (1 - across) * image[bottom, left] + across * image[bottom, right]
    return (1 - down) * upper + down * lower


def worst(clip: SyntheticClip) -> float:
    """The largest error of warping by the true flow, over all visible pixels."""
    errors = []
    for before, now, flow, visible in zip(
        clip.frames[:-1],
        clip.frames[1:],
        clip.true_flow[1:],
        clip.true_visible[1:],
        strict=True,
    ):
        difference = warped(before.host("source"), flow) - now.host("source")
        errors.append(np.abs(difference[visible > 0]).max(initial=0))
    return float(max(errors))


@pytest.mark.parametrize(
    ("make", "bound"),
    [
        (pan, 2 * make_waves(0).curvature() / 8),
        (zoom, 2 * make_waves(1).curvature() / 8),
        (hard_cut, 2 * max(make_waves(seed).curvature() for seed in (4, 5)) / 8),
        (occluder, 2 * max(make_waves(seed).curvature() for seed in (2, 3)) / 8),
    ],
    ids=["pan", "zoom", "hard_cut", "occluder"],
)
def test_warping_by_the_true_flow_gives_the_next_frame_where_visible(
    make: Callable[[], SyntheticClip], bound: float
) -> None:
    assert worst(make()) <= bound + 1e-6
    assert bound < 0.05


def test_warping_by_whole_pixels_is_exact() -> None:
    clip = occluder(background_step=(-1, 2), foreground_step=(4, 0))
    assert worst(clip) < 1e-6


def test_flow_the_other_way_round_does_not_fit() -> None:
    clip = pan(step=(3.0, -2.0))
    turned = [-flow for flow in clip.true_flow]
    assert worst(SyntheticClip(clip.clip, clip.frames, tuple(turned), clip.true_visible)) > 0.1


def test_pan_has_the_same_flow_everywhere() -> None:
    clip = pan(step=(1.25, -0.5))
    np.testing.assert_array_equal(clip.true_flow[5], np.full((128, 160, 2), (-1.25, 0.5)))


def test_pan_shows_the_texture_at_exact_places() -> None:
    clip = pan(step=(1.25, -0.5), seed=7)
    y, x = np.mgrid[:128, :160].astype(np.float64)
    color, _ = make_waves(7)(x - 4 * 1.25, y + 4 * 0.5)
    np.testing.assert_allclose(clip.frames[4].host("source"), color, atol=1e-6)


def test_pan_is_visible_where_the_target_lies_in_the_image() -> None:
    visible = pan(step=(1.25, -0.5)).true_visible[3]
    wanted = np.zeros((128, 160))
    wanted[:127, 2:] = 1  # x - 1.25 >= 0 and y + 0.5 <= 127
    np.testing.assert_array_equal(visible, wanted)


def test_zoom_has_its_flow_in_closed_form() -> None:
    flow = zoom(factor=1.05).true_flow[6]
    y, x = np.mgrid[:128, :160].astype(np.float64)
    wanted = np.stack([x - 79.5, y - 63.5], axis=-1) * (1 / 1.05 - 1)
    np.testing.assert_allclose(flow, wanted, atol=1e-5)


def test_zooming_in_hides_nothing() -> None:
    assert zoom(factor=1.05).true_visible[1].all()


def test_an_ellipse_uncovers_a_crescent_of_background_behind_it() -> None:
    clip = occluder(background_step=(0, 0), foreground_step=(6, 0))
    visible, flow = clip.true_visible[4], clip.true_flow[4]
    y, x = np.mgrid[:128, :160].astype(np.float64)

    def inside(time: int) -> npt.NDArray[np.bool_]:
        return ((x - 48 - 6 * time) / 32) ** 2 + ((y - 64) / 32) ** 2 <= 1

    np.testing.assert_array_equal(visible == 0, inside(3) & ~inside(4))
    np.testing.assert_array_equal(flow[..., 0] == -6, inside(4))
    assert 200 < (visible == 0).sum() < 600


def test_a_still_clip_differs_by_its_noise_alone() -> None:
    clip = still(frames=16, deviation=2 / 255)
    stack = np.stack([frame.host("source") for frame in clip.frames]).astype(np.float64)
    assert stack.std(axis=0, ddof=1).mean() == pytest.approx(2 / 255, rel=0.03)
    assert not np.any(clip.true_flow)
    assert clip.true_visible[1].all()


def test_the_same_seed_makes_the_same_noise_and_another_does_not() -> None:
    first, again, other = (still(seed=seed).frames[5].host("source") for seed in (3, 3, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_a_cut_starts_a_shot_without_motion() -> None:
    clip = hard_cut(frames=10, at=4)
    assert clip.cuts == (4,)
    assert [frame.shot for frame in clip.frames] == [0] * 4 + [1] * 6
    for index in (0, 4):
        assert not clip.true_flow[index].any()
        assert not clip.true_visible[index].any()
    assert clip.true_flow[5].any()
    jump = np.abs(clip.frames[4].host("source") - clip.frames[3].host("source")).mean()
    step = np.abs(clip.frames[3].host("source") - clip.frames[2].host("source")).mean()
    assert jump > 5 * step


@pytest.mark.parametrize("at", [0, 12])
def test_a_cut_outside_of_the_clip_is_refused(at: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 11"):
        hard_cut(at=at)


def test_times_are_exact_and_constant() -> None:
    clip = pan(frames=9)
    assert clip.clip.frame_rate == Fraction(25)
    assert clip.clip.frame_count == 9
    seconds = [frame.pts * clip.clip.time_base for frame in clip.frames]
    assert seconds == [Fraction(index, 25) for index in range(9)]


def test_durations_may_vary_and_times_follow_them() -> None:
    clip = pan(variable=True)
    assert clip.clip.frame_rate is None
    assert len({frame.duration for frame in clip.frames}) > 2
    for before, after in zip(clip.frames[:-1], clip.frames[1:], strict=True):
        assert after.pts == before.pts + before.duration


def test_layers_are_float32_in_range_and_read_only() -> None:
    for clip in (pan(), occluder(), still(deviation=0.2)):
        for frame in clip.with_truth():
            for name in ("source", "image", "flow", "visible"):
                assert frame.host(name).dtype == np.float32
                assert not frame.host(name).flags.writeable
            assert frame.host("source").min() >= 0
            assert frame.host("source").max() <= 1


def test_one_frame_and_one_pixel_are_clips() -> None:
    clip = pan(frames=1, width=1, height=1)
    assert clip.frames[0].host("source").shape == (1, 1, 3)
    assert clip.true_flow[0].shape == (1, 1, 2)


def test_a_pixel_of_two_surfaces_is_nobodys() -> None:
    class HalfThere:
        def __call__(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
            return np.ones((*x.shape, 3)), np.clip(x - 9.5, 0, 1)

    poses = moves([(0, 0), (1, 0)])
    scene = Scene((Surface(make_waves(0), poses), Surface(HalfThere(), poses)), 20, 4)
    np.testing.assert_array_equal(scene.owner(0)[0, 8:13], [0, 0, MIXED, 1, 1])
    _, visible = scene.motion(1, 0)
    np.testing.assert_array_equal(visible[0, 8:14], [1, 1, 1, 0, 1, 1])


def test_a_similarity_puts_its_anchor_where_it_was_asked() -> None:
    pose = similarity(2.0, np.pi / 2, (30, 40), (5, 6))
    np.testing.assert_allclose(pose @ (30, 40, 1), (5, 6, 1), atol=1e-12)
    # Right on the surface is down in the frame after a clockwise quarter turn, twice as long.
    np.testing.assert_allclose(pose @ (30, 42, 1), (6, 6, 1), atol=1e-12)
