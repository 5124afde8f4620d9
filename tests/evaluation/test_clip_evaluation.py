"""Every metric of clips with known motion."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.clip_evaluation import evaluate_clips
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.scores import METRICS
from vidstyle.evaluation.warping_error import warping_errors
from vidstyle.testing import hard_cut, occluder, pan, still, zoom
from vidstyle.testing.clips import SyntheticClip
from vidstyle.testing.scene import Scene, Surface, moves
from vidstyle.testing.textures import Disc, make_waves

Clip = list[HostArray]


def images(clip: SyntheticClip) -> Clip:
    return [frame.host("source") for frame in clip.frames]


def panning(source: Sequence[HostArray], step: tuple[float, float]) -> PairFlow:
    """The true flow, both ways and at any distance, of what moves by ``step`` a frame."""

    def position(image: HostArray) -> int:
        return next(index for index, frame in enumerate(source) if frame is image)

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        there = np.float32(step) * np.float32(position(second) - position(first))
        forward = np.broadcast_to(there, (*first.shape[:2], 2)).astype(np.float32)
        return forward, -forward

    return flow


def at_rest(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    nothing = np.zeros((*first.shape[:2], 2), np.float32)
    return nothing, nothing


def backwards(clip: SyntheticClip, forward: Sequence[HostArray]) -> PairFlow:
    """The clip's own true flow for neighbors; ``forward`` is the other direction's, by pair."""
    source = images(clip)

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        later = next(index for index, frame in enumerate(source) if frame is second)
        assert source[later - 1] is first
        return forward[later - 1], clip.true_flow[later]

    return flow


def noise(count: int, shape: tuple[int, int], deviation: float, seed: int = 0) -> Clip:
    random = np.random.default_rng(seed)
    rows = random.normal(0.5, deviation, (count, *shape, 3))
    return list(rows.astype(np.float32))


def test_what_is_warped_exactly_has_no_error_at_any_distance() -> None:
    source = images(pan(frames=16, step=(2, -1)))
    found = evaluate_clips(source, {"same": source}, panning(source, (2, -1)), evaluator="truth")[
        "same"
    ]
    for metric in ("e_warp", "e_warp_long", "e_warp_first", "e_stab", "source_e_warp"):
        # The frames are rendered in float64 and rounded.
        assert found.scores[metric] == pytest.approx(0, abs=1e-12)
    assert found.evaluator == "truth"
    assert found.frames == 16
    width, height = 160, 128
    assert found.coverage == pytest.approx((width - 2) * (height - 1) / (width * height))


@pytest.mark.parametrize("step", [(2.0, -1.0), (1.25, -0.5), (0.5, 0.5)])
def test_independent_noise_has_the_error_of_its_variance(step: tuple[float, float]) -> None:
    source = images(pan(frames=12, step=step))
    noisy = noise(12, source[0].shape[:2], 0.05)
    found = evaluate_clips(source, {"noisy": noisy}, panning(source, step), evaluator="truth")[
        "noisy"
    ]
    for metric, distance in (("e_warp", 1), ("e_warp_long", 10)):
        part = np.abs(np.float64(step) * distance) % 1
        squares = float(np.prod(part**2 + (1 - part) ** 2))
        assert found.scores[metric] == pytest.approx(0.05**2 * (1 + squares), rel=0.03)


def test_a_constant_flicker_has_its_square() -> None:
    source = images(pan(frames=12, step=(2, -1)))
    flicker = [frame + np.float32(0.1 * (t % 2)) for t, frame in enumerate(source)]
    flow = panning(source, (2, -1))
    found = evaluate_clips(source, {"it": flicker}, flow, evaluator="truth")["it"]
    assert found.scores["e_warp"] == pytest.approx(0.01, rel=1e-4)
    assert found.scores["e_warp_long"] == pytest.approx(0, abs=1e-9)
    # Against the first frame at 5 and at 10, of which one is brighter.
    assert found.scores["e_warp_first"] == pytest.approx(0.005, rel=1e-4)
    assert found.scores["e_stab"] == pytest.approx(0.1 * np.sqrt(found.coverage), rel=1e-4)
    assert found.series["e_warp"][0] is None
    assert found.series["e_warp"][1:] == pytest.approx([0.01] * 11, rel=1e-4)
    assert [t for t, v in enumerate(found.series["e_warp_long"]) if v is not None] == [10]
    assert [t for t, v in enumerate(found.series["e_warp_first"]) if v is not None] == [5, 10]


def test_a_zoom_is_followed_up_to_interpolation() -> None:
    factor = 1.02
    clip = zoom(frames=4, factor=factor)
    source = images(clip)
    y, x = np.mgrid[:128, :160].astype(np.float32)
    away = np.stack([x - 79.5, y - 63.5], -1)
    flow = backwards(clip, [(away * np.float32(factor - 1)).astype(np.float32)] * 3)
    found = evaluate_clips(source, {"same": source}, flow, evaluator="truth")["same"]
    # Bilinear reading of waves of 10 px and more is off by less than 2 % of their amplitude.
    assert 0 < found.scores["e_warp"] < 1e-4
    assert found.coverage > 0.9


def test_reduction_is_the_fraction_of_the_error_that_a_mix_loses() -> None:
    source = images(pan(frames=14, step=(2, -1)))
    grain = noise(14, (128, 160), 0.05)
    per_frame = [frame + one - 0.5 for frame, one in zip(source, grain, strict=True)]
    clips = {
        name: [s + np.float32(rest) * (a - s) for s, a in zip(source, per_frame, strict=True)]
        for name, rest in (("half", 0.5), ("none", 1.0), ("all", 0.0))
    }
    found = evaluate_clips(
        source, clips, panning(source, (2, -1)), evaluator="truth", per_frame=per_frame
    )
    for name, removed in (("half", 0.75), ("none", 0.0), ("all", 1.0)):
        scores = found[name].scores
        assert scores["warping_error_reduction"] == pytest.approx(removed, abs=1e-4)
        assert scores["warping_error_reduction_long"] == pytest.approx(removed, abs=1e-4)
        assert scores["per_frame_e_warp"] == pytest.approx(2 * 0.05**2, rel=0.03)
    assert found["none"].scores["ssim"] == pytest.approx(1)
    assert found["none"].scores["sharpness"] == pytest.approx(1)
    assert found["all"].scores["sharpness"] < 0.2
    assert found["all"].scores["ssim"] < found["half"].scores["ssim"] < 1


def test_contrast_by_itself_is_no_flicker() -> None:
    source = noise(6, (40, 50), 0.05)
    strong = [np.float32(1.5) * frame - np.float32(0.25) for frame in source]
    found = evaluate_clips(source, {"strong": strong}, at_rest, evaluator="truth")["strong"]
    assert found.scores["e_warp"] / found.scores["source_e_warp"] == pytest.approx(2.25, 1e-4)
    assert found.scores["relative_warping_error"] == pytest.approx(1, rel=1e-4)


def test_noise_that_stands_still_is_found() -> None:
    deviation = 2 / 255
    source = images(still(frames=40, deviation=deviation))
    drift = [frame + np.float32(0.05 / 255 * t) for t, frame in enumerate(source)]
    found = evaluate_clips(source, {"same": source, "drift": drift}, at_rest, evaluator="truth")
    assert found["same"].scores["static_deviation"] == pytest.approx(deviation, rel=0.01)
    # The mean of 20,480 pixels still moves a little.
    assert found["same"].scores["luma_slope"] == pytest.approx(0, abs=1e-3)
    assert found["drift"].scores["luma_slope"] == pytest.approx(0.05, abs=1e-3)


def test_a_planted_bleed_is_measured_only_on_the_frames_after_cuts() -> None:
    clip = hard_cut(frames=9, at=4)
    per_frame = images(clip)
    bled = [frame.copy() for frame in per_frame]
    bled[4] += np.float32(0.125)
    # Whatever happens elsewhere is no bleed.
    bled[5] += np.float32(0.5)
    found = evaluate_clips(
        per_frame,
        {"clean": per_frame, "bled": bled},
        at_rest,
        evaluator="t",
        per_frame=per_frame,
        cuts=clip.cuts,
    )
    assert found["clean"].scores["cut_bleed"] == 0
    assert found["bled"].scores["cut_bleed"] == pytest.approx(0.125, rel=1e-5)
    assert found["bled"].cuts == (4,)
    assert found["bled"].series["e_warp"][4] is None
    assert [t for t, v in enumerate(found["bled"].series["cut_bleed"]) if v is not None] == [4]


def trailing(frames: int = 4) -> tuple[Clip, Clip, PairFlow]:
    """A disc that moves over a still image, and the same with a trail where it has just been."""
    background = Surface(make_waves(2), moves([(0, 0)] * frames))
    disc = Disc(make_waves(3), (40.0, 64.0), (16.0, 16.0))
    scene = Scene((background, Surface(disc, moves([(8 * t, 0) for t in range(frames)]))), 160, 128)
    source = [scene.image(t) for t in range(frames)]
    trail = [frame.copy() for frame in source]
    for t in range(1, frames):
        left = (scene.owner(t) == 0) & (scene.owner(t - 1) != 0)
        trail[t][left] += np.float32(0.25)

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        earlier, later = (next(i for i, s in enumerate(source) if s is p) for p in (first, second))
        return scene.motion(earlier, later)[0], scene.motion(later, earlier)[0]

    return source, trail, flow


def test_planted_trails_are_ghosts() -> None:
    source, trail, flow = trailing()
    # A ghost of the same size far from anything that was hidden.
    elsewhere = [frame.copy() for frame in source]
    for frame in elsewhere[1:]:
        frame[100:120, 120:150] += np.float32(0.25)
    clips = {"clean": source, "trail": trail, "elsewhere": elsewhere}
    found = evaluate_clips(source, clips, flow, evaluator="truth", per_frame=source)
    assert found["clean"].scores["ghosting"] == 0
    assert found["elsewhere"].scores["ghosting"] == 0
    # The area measured is the trail and a seam of 5 px, found here from the scene by dilation.
    trails = [np.abs(t - s).max(2) > 0.2 for t, s in zip(trail[1:], source[1:], strict=True)]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    seams = [cv2.dilate(one.astype(np.uint8), disc).sum() for one in trails]
    expected = 0.25 * sum(one.sum() for one in trails) / sum(seams)
    assert found["trail"].scores["ghosting"] == pytest.approx(expected, rel=0.15)
    assert found["trail"].series["ghosting"][0] is None


def test_dead_pixels_and_blobs_are_counted() -> None:
    source = [np.full((40, 50, 3), 0.5, np.float32)] * 3
    styled = [frame.copy() for frame in source]
    styled[1][10, 10] = styled[2][20, 20] = 0
    styled[2][30:36, 30:36] = 1
    found = evaluate_clips(source, {"it": styled}, at_rest, evaluator="truth")["it"]
    assert found.scores["dead_pixels"] == pytest.approx(2 / (3 * 40 * 50))
    assert found.scores["dead_blobs"] == pytest.approx(1 / 3)
    allowed = evaluate_clips(
        source, {"it": styled}, at_rest, evaluator="truth", allowed_blobs=0.05
    )["it"]
    assert allowed.scores["dead_blobs"] == 0


def test_lpips_and_style_loss_are_measured_where_they_are_given() -> None:
    source = noise(17, (20, 24), 0.1)
    asked: list[int] = []

    def style_loss(
        frame: HostArray, per_frame: HostArray, original: HostArray
    ) -> tuple[float, float]:
        asked.append(next(i for i, s in enumerate(source) if s is original))
        return 3.0, 2.0

    found = evaluate_clips(
        source,
        {"it": [frame + 0.1 for frame in source]},
        at_rest,
        evaluator="truth",
        per_frame=source,
        perceptual=lambda frame, per_frame: float(np.abs(frame - per_frame).mean()),
        style_loss=style_loss,
    )["it"]
    assert asked == [5, 15]
    assert found.scores["style_loss_ratio"] == 1.5
    assert found.scores["lpips"] == pytest.approx(0.1, rel=1e-4)
    # There is no cut, and nothing is ever hidden.
    assert set(found.scores) == set(METRICS) - {"cut_bleed", "ghosting"}


def test_what_is_missing_is_noted() -> None:
    source = images(pan(frames=4, step=(2, -1)))
    found = evaluate_clips(
        source, {"it": source}, panning(source, (2, -1)), evaluator="truth", notes=["first"]
    )["it"]
    assert found.notes[0] == "first"
    notes = " ".join(found.notes)
    for words in ("per-frame baseline", "no error at a distance", "nothing stands still"):
        assert words in notes
    for metric in (
        "warping_error_reduction",
        "e_warp_long",
        "static_deviation",
        "cut_bleed",
        "ssim",
    ):
        assert metric not in found.scores


def test_scores_agree_with_the_plain_warping_error() -> None:
    clip = occluder(frames=5)
    source = images(clip)
    noisy = [a + b - 0.5 for a, b in zip(source, noise(5, (128, 160), 0.02), strict=True)]
    flow = backwards(clip, [-flow for flow in clip.true_flow[1:]])
    found = evaluate_clips(source, {"noisy": noisy}, flow, evaluator="truth")["noisy"]
    plain = warping_errors(source, {"noisy": noisy, "source": source}, flow)
    assert found.scores["e_warp"] == plain["noisy"].value
    assert found.scores["e_stab"] == plain["noisy"].stability
    assert found.scores["source_e_warp"] == plain["source"].value
    assert found.coverage == plain["noisy"].coverage


def test_each_flow_is_found_once_for_all_clips() -> None:
    source = noise(21, (16, 20), 0.1)
    calls: list[tuple[int, int]] = []

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        indices = [next(i for i, s in enumerate(source) if s is p) for p in (first, second)]
        calls.append((indices[0], indices[1]))
        return at_rest(first, second)

    evaluate_clips(source, {"a": source, "b": source}, flow, evaluator="truth", per_frame=source)
    neighbors = {(t - 1, t) for t in range(1, 21)}
    long = {(0, 10), (5, 15), (10, 20)}
    first = {(0, 5), (0, 10), (0, 15), (0, 20)}
    assert len(calls) == len(set(calls))
    assert set(calls) == neighbors | long | first


def test_long_pairs_count_from_the_start_of_their_shot() -> None:
    source = noise(20, (16, 20), 0.1)
    found = evaluate_clips(source, {"a": source}, at_rest, evaluator="truth", cuts=[7])["a"]
    assert [t for t, v in enumerate(found.series["e_warp_long"]) if v is not None] == [17]
    first = [t for t, v in enumerate(found.series["e_warp_first"]) if v is not None]
    assert first == [5, 12, 17]


class Fleeting:
    """A clip whose frames exist once, and that counts how many of them are in memory."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self.most = 0
        self._references: list[weakref.ref[HostArray]] = []

    def __iter__(self) -> Iterator[HostArray]:
        random = np.random.default_rng(self._seed)
        for _ in range(self._count):
            frame = random.random((16, 20, 3), dtype=np.float32)
            self._references.append(weakref.ref(frame))
            yield frame
            del frame
            alive = sum(reference() is not None for reference in self._references)
            self.most = max(self.most, alive)


def test_frames_are_let_go() -> None:
    clips = [Fleeting(120, seed) for seed in range(3)]
    source, per_frame, styled = clips
    evaluate_clips(
        iter(source), {"a": iter(styled)}, at_rest, evaluator="truth", per_frame=iter(per_frame)
    )
    # The first, the two fifth ones before, the last one and the one that is looked at.
    assert [clip.most for clip in clips] == [5, 5, 5]


def test_clips_of_other_lengths_are_refused_by_name() -> None:
    source = noise(4, (16, 20), 0.1)
    with pytest.raises(InputError, match=r"short\.mp4 has 3 frames and the source has more"):
        evaluate_clips(source, {"short.mp4": source[:3]}, at_rest, evaluator="truth")
    with pytest.raises(InputError, match="the per-frame clip has 2 frames"):
        evaluate_clips(source, {"a": source}, at_rest, evaluator="truth", per_frame=source[:2])


def test_a_single_frame_cannot_be_evaluated() -> None:
    source = noise(1, (16, 20), 0.1)
    with pytest.raises(InputError, match="nothing to evaluate"):
        evaluate_clips(source, {"a": source}, at_rest, evaluator="truth")


@pytest.mark.parametrize("shape", [(20, 1), (1, 20), (1, 1)])
def test_scores_of_the_narrowest_clips_are_finite(shape: tuple[int, int]) -> None:
    source, styled = noise(6, shape, 0.1), noise(6, shape, 0.1, seed=1)
    found = evaluate_clips(source, {"it": styled}, at_rest, evaluator="truth", per_frame=source)[
        "it"
    ]
    rows = [found.scores.values(), *found.series.values()]
    assert all(np.isfinite([one for one in row if one is not None]).all() for row in rows)
    undefined = "relative_warping_error" not in found.scores
    assert undefined == any("no relative warping error" in note for note in found.notes)
    assert undefined == (shape == (1, 1))


def test_metrics_that_no_frame_has_are_noted() -> None:
    flat = [np.full((20, 24, 3), 0.5, np.float32)] * 10
    found = evaluate_clips(
        flat,
        {"it": flat},
        at_rest,
        evaluator="truth",
        per_frame=flat,
        cuts=[5],
        style_loss=lambda frame, per_frame, source: (1.0, 1.0),
    )["it"]
    for metric, words in (
        ("style_loss_ratio", "no shot has more than 5 frames"),
        ("sharpness", "detail"),
    ):
        assert metric not in found.scores
        assert any(words in note for note in found.notes)


def test_a_clip_may_have_the_name_that_errors_give_the_source() -> None:
    source = noise(4, (16, 20), 0.1)
    with pytest.raises(InputError, match="the source has 3 frames"):
        evaluate_clips(source, {"the source": source[:3]}, at_rest, evaluator="truth")
