"""The blend: its contract, its closed form where nothing moves, less flicker, and no ghosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Frame, HostArray, State, Window
from vidstyle.evaluation.frame_metrics import sharpness
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.warping_error import warping_error_reduction, warping_errors
from vidstyle.kernels.library import without_kernels
from vidstyle.stages.blend.warped import Warped, WarpedOptions
from vidstyle.testing import checks_for, hard_cut, occluder, pan


@pytest.mark.parametrize(("name", "check"), checks_for(Warped))
def test_warped_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def blend(frames: Sequence[Frame], **options: object) -> list[HostArray]:
    """The stage over frames that hold image, source, flow and visible."""
    stage = Warped(WarpedOptions.model_validate(options))
    state: State = stage.initial_state()
    behind: tuple[Frame, ...] = ()
    images = []
    for frame in frames:
        if behind and behind[0].shot != frame.shot:
            state, behind = stage.initial_state(), ()
        layers, state = stage.step(Window(frame, stage.options, behind), state)
        images.append(np.asarray(layers["image"]))
        behind = (frame,)
    return images


def stylized(frames: Sequence[Frame], images: Sequence[HostArray]) -> list[Frame]:
    return [
        replace(frame, layers={**frame.layers, "image": image})
        for frame, image in zip(frames, images, strict=True)
    ]


def flickering(frames: Sequence[Frame], amount: float = 0.08, seed: int = 0) -> list[Frame]:
    """The frames with their image under soft noise, new in every frame."""
    random = np.random.default_rng(seed)

    def stylize(frame: Frame) -> HostArray:
        image = frame.host("image")
        noise = random.normal(0, 1, image.shape).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), 2)
        return np.clip(image + soft * np.float32(amount / soft.std()), 0, 1)

    return stylized(frames, [stylize(frame) for frame in frames])


def still_frames(
    images: Sequence[float], *, visible: float = 1, shape: tuple[int, int] = (24, 32)
) -> list[Frame]:
    """Frames of one color each over a source that does not change."""
    layers = {
        "source": np.full((*shape, 3), 0.5, np.float32),
        "flow": np.zeros((*shape, 2), np.float32),
        "visible": np.full(shape, visible, np.float32),
    }
    return [
        Frame(index, index, 1, {**layers, "image": np.full((*shape, 3), value, np.float32)})
        for index, value in enumerate(images)
    ]


DEFAULT = WarpedOptions().strength


def at_rest(strength: float) -> float:
    """The weight of the history where nothing moves, as the stage's constants have it."""
    return min(strength * (1 + 0.7 * (1 - strength)), 0.93)


def test_plain_colors_follow_the_recurrence() -> None:
    values = [0.2, 0.6, 0.4, 0.9]
    expected = values[0]
    for value, image in zip(
        values, blend(still_frames(values), strength=0.75, drift=1), strict=True
    ):
        expected = value if value == values[0] else value + at_rest(0.75) * (expected - value)
        np.testing.assert_allclose(image, expected, atol=1e-5)


def test_visibility_weighs_the_previous_output() -> None:
    images = blend(still_frames([0, 1], visible=0.5), strength=0.8, tolerance_hidden=0, drift=1)
    np.testing.assert_allclose(images[1], 1 - at_rest(0.8) * 0.5, atol=1e-5)


def test_strength_zero_gives_every_frame_bit_for_bit() -> None:
    frames = flickering(occluder(frames=5).with_truth())
    for frame, image in zip(frames, blend(frames, strength=0), strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))


def test_strength_may_change_from_frame_to_frame() -> None:
    stage, frames = Warped(WarpedOptions()), still_frames([0.2, 0.8, 0.8])
    _, state = stage.step(Window(frames[0], WarpedOptions()), None)
    off, state = stage.step(Window(frames[1], WarpedOptions(strength=0), (frames[0],)), state)
    on, _ = stage.step(Window(frames[2], WarpedOptions(strength=1), (frames[1],)), state)
    np.testing.assert_array_equal(off["image"], frames[1].host("image"))
    np.testing.assert_allclose(on["image"], 0.8, atol=1e-6)


def test_the_first_frame_after_a_cut_is_bit_for_bit_the_new_one() -> None:
    clip = hard_cut(frames=8, at=4)
    frames = flickering(clip.with_truth())
    images = blend(frames)
    for first in (0, 4):
        np.testing.assert_array_equal(images[first], frames[first].host("image"))
    assert np.abs(images[3] - frames[3].host("image")).max() > 0.01


def test_smoothing_may_change_from_frame_to_frame() -> None:
    frames = flickering(pan(frames=2, step=(1.25, -0.5)).with_truth())
    stage, smooth = Warped(WarpedOptions()), WarpedOptions(smoothing=1)
    _, state = stage.step(Window(frames[0], stage.options), None)
    soft, sharp = (
        np.asarray(stage.step(Window(frames[1], options, (frames[0],)), state)[0]["image"])
        for options in (smooth, stage.options)
    )
    np.testing.assert_array_equal(soft, blend(frames, smoothing=1)[1])
    np.testing.assert_array_equal(sharp, blend(frames)[1])
    assert np.abs(soft - sharp).max() > 0.01


@pytest.mark.parametrize(
    ("option", "other", "most"),
    [("strength", {}, 0.02), ("smoothing", {}, 0.08), ("smoothing", {"strength": 1.0}, 0.08)],
)
def test_each_step_of_an_option_takes_flicker_and_little_sharpness(
    option: str, other: dict[str, float], most: float
) -> None:
    frames = flickering(brush_strokes(list(pan(frames=10, step=(2, -1)).with_truth())))
    sources, per_frame = ([frame.host(name) for frame in frames] for name in ("source", "image"))
    steps = [round(0.05 * number, 2) for number in range(21)]
    clips = {str(step): blend(frames, **other, **{option: step}) for step in steps}
    found = warping_errors(sources, clips, panning(sources, (2, -1)))
    errors = [found[str(step)].value for step in steps]
    assert all(later <= earlier for earlier, later in pairwise(errors))
    sharp = [sharpness(clips[str(step)], per_frame) for step in steps]
    assert np.abs(np.diff(sharp)).max() <= most


def test_what_was_hidden_is_the_stylized_frame_bit_for_bit() -> None:
    frames = flickering(pan(frames=4, step=(3, 0)).with_truth())
    hidden = frames[3].host("visible") == 0
    image = blend(frames)[3]
    assert hidden.any()
    np.testing.assert_array_equal(image[hidden], frames[3].host("image")[hidden])


def brush_strokes(frames: Sequence[Frame]) -> list[Frame]:
    """Frames that move by (2, -1), with sharp strokes that move along."""
    canvas = np.random.default_rng(1).random((160, 200, 3), dtype=np.float32)
    strokes = [canvas[t : t + 128, 30 - 2 * t :][:, :160] for t in range(len(frames))]
    drawn = [0.6 * f.host("image") + 0.3 * s for f, s in zip(frames, strokes, strict=True)]
    return stylized(frames, drawn)


def panning(sources: Sequence[HostArray], step: tuple[float, float]) -> PairFlow:
    """The true flow both ways."""
    forward = np.full((128, 160, 2), step, np.float32)

    def flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        indices = [next(i for i, s in enumerate(sources) if s is p) for p in (first, second)]
        there = forward * (indices[1] - indices[0])
        return there, -there

    return flow


def test_flicker_falls_and_sharpness_stays_on_known_motion() -> None:
    frames = flickering(brush_strokes(list(pan(frames=10, step=(2, -1)).with_truth())))
    sources, per_frame = ([frame.host(name) for frame in frames] for name in ("source", "image"))
    images = blend(frames)
    clips = {"per_frame": per_frame, "blended": images}
    errors = warping_errors(sources, clips, panning(sources, (2, -1)))
    assert warping_error_reduction(errors["blended"], errors["per_frame"]) > 0.5
    assert sharpness(images, per_frame) > 0.85


def test_noise_on_a_still_image_falls_as_the_recurrence_says() -> None:
    random = np.random.default_rng(0)
    frames = still_frames([0.5] * 60)
    noise = [random.normal(0.5, 0.03, (24, 32, 3)).astype(np.float32) for _ in frames]
    images = blend(stylized(frames, noise), strength=0.8, fine=1, detail=1)
    left = np.square(np.stack(images[20:]) - 0.5).mean() ** 0.5 / 0.03
    assert left == pytest.approx(np.sqrt((1 - at_rest(0.8)) / (1 + at_rest(0.8))), rel=0.1)


def test_detail_does_not_build_up_over_a_long_shot() -> None:
    random = np.random.default_rng(1)
    image = random.random((24, 32, 3), dtype=np.float32)
    frames = stylized(still_frames([0.5] * 80), [image] * 80)
    np.testing.assert_allclose(blend(frames, strength=1, detail=4)[-1], image, atol=1e-4)


def sliding_bar(step: float, count: int = 16) -> list[Frame]:
    """A dark bar over bright ground, moving right by ``step`` pixels a frame.

    Visibility is 0 just where the bar uncovered ground: a band as wide as the step.
    """
    frames, x = [], np.arange(192)
    for time in range(count):
        left = 16 + step * time
        cover = np.clip(np.minimum(x - left, left + 40 - x) + 0.5, 0, 1)
        bar = np.broadcast_to(cover[None, :, None], (48, 192, 3)).astype(np.float32)
        flow = np.zeros((48, 192, 2), np.float32)
        flow[..., 0] = np.where(bar[..., 0] > 0.5, -step, 0)
        uncovered = (x > left - step - 1) & (x < left)
        visible = np.broadcast_to(~uncovered & (time > 0), (48, 192)).astype(np.float32)
        layers = {"source": 0.8 - 0.5 * bar, "image": 0.9 - 0.8 * bar}
        frames.append(Frame(time, time, 1, {**layers, "flow": flow, "visible": visible}))
    return frames


@pytest.mark.parametrize("step", [1.0, 1.5, 3.0, 7.0])
def test_a_moving_thing_leaves_no_trail(step: float) -> None:
    frames = sliding_bar(step)
    for frame, image in list(zip(frames, blend(frames), strict=True))[4:]:
        per_frame = frame.host("image")
        ground = per_frame[..., 0] > 0.899
        assert (per_frame - image)[ground].max() < 0.1
        assert np.abs(image - per_frame)[ground].mean() < 0.004


def test_a_change_of_light_is_taken_over_at_once() -> None:
    frames = still_frames([0.2, 0.9])
    bright = {**frames[1].layers, "source": np.full((24, 32, 3), 0.95, np.float32)}
    frames[1] = replace(frames[1], layers=bright)
    assert np.abs(blend(frames)[1] - 0.9).max() < 0.01


def test_where_flow_says_hidden_the_source_decides_within_a_tighter_tolerance() -> None:
    frames = still_frames([0.2, 0.8], visible=0)
    agreeing, never = (blend(frames, tolerance_hidden=t, drift=1)[1] for t in (0.08, 0))
    np.testing.assert_allclose(agreeing, 0.8 - at_rest(DEFAULT) * 0.6, atol=1e-4)
    np.testing.assert_array_equal(never, frames[1].host("image"))
    seen = still_frames([0.2, 0.8])
    differing = np.full((24, 32, 3), 0.5 + 0.15, np.float32)
    hidden, visible = (
        blend(
            [first, replace(second, layers={**second.layers, "source": differing})],
            tolerance=0.15,
            tolerance_hidden=0.1,
            drift=1,
        )[1]
        for first, second in (frames, seen)
    )
    assert np.abs(hidden - 0.8).max() < np.abs(visible - 0.8).min()


def test_what_enters_the_frame_is_the_stylized_frame_bit_for_bit() -> None:
    frames = still_frames([0.2, 0.8], visible=0)
    entering = np.zeros((24, 32, 2), np.float32)
    entering[..., 0] = 5
    moved = replace(frames[1], layers={**frames[1].layers, "flow": entering})
    image = blend([frames[0], moved], fine=1, drift=1)[1]
    np.testing.assert_array_equal(image[:, 28:], moved.host("image")[:, 28:])
    assert np.abs(image[:, :24] - 0.8).min() > 0.1


@pytest.mark.parametrize("drift", [0.0, 0.05, 0.15])
def test_over_wide_areas_the_history_changes_at_most_the_drift(drift: float) -> None:
    frames = still_frames([0.2, 0.8], shape=(96, 128))
    # A place at rest may drift three times as far.
    at_rest_too = 0.8 - at_rest(DEFAULT) * 3 * drift
    np.testing.assert_allclose(blend(frames, drift=drift)[1], at_rest_too, atol=1e-4)
    moving = np.full((96, 128, 2), 2, np.float32)
    frames[1] = replace(frames[1], layers={**frames[1].layers, "flow": moving})
    inner = blend(frames, drift=drift)[1][32:64, 32:96]
    np.testing.assert_allclose(inner, 0.8 - DEFAULT * drift, atol=1e-3)


def test_the_next_frame_is_mixed_in_where_the_history_left_room() -> None:
    frames = still_frames([0.5, 0.5, 0.7])
    frames = [replace(f, layers={**f.layers, "flow_from_previous": f.host("flow")}) for f in frames]
    stage = Warped(WarpedOptions(strength=0.6, look_ahead=0.4, drift=1))
    _, state = stage.step(Window(frames[0], stage.options, (), (frames[1],)), None)
    window = Window(frames[1], stage.options, (frames[0],), (frames[2],))
    image = stage.step(window, state)[0]["image"]
    np.testing.assert_allclose(image, 0.5 + 0.4 * (1 - at_rest(0.6)) * 0.2, atol=1e-4)


@pytest.mark.parametrize("noise", [0.06, 0.4])
def test_flow_that_explains_nothing_moves_nothing(noise: float) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((24, 32, 3), dtype=np.float32)
    frames = stylized(still_frames([0.5] * 12), [image] * 12)
    flows = rng.normal(0, noise, (12, 24, 32, 2)).astype(np.float32)
    frames = [
        replace(f, layers={**f.layers, "flow": flow}) for f, flow in zip(frames, flows, strict=True)
    ]
    np.testing.assert_allclose(blend(frames, detail=1)[-1], image, atol=1e-4)


@pytest.mark.parametrize("speed", [0.3, 0.7])
def test_slow_motion_that_the_source_shows_is_followed(speed: float) -> None:
    frames = pan(frames=16, height=64, width=96, step=(speed, 0.0)).with_truth()
    last, image = frames[-1].host("source"), blend(frames)[-1]
    stuck = np.abs(last - frames[-4].host("source")).mean()
    assert np.abs(image - last)[4:-4, 4:-4].mean() < 0.25 * stuck


def test_results_stay_in_range() -> None:
    frames = flickering(occluder(frames=6).with_truth(), amount=0.5)
    for image in blend(frames, detail=4, kernel="lanczos"):
        assert image.min() >= 0
        assert image.max() <= 1


@pytest.mark.parametrize("wrong", [{"strength": 1.2}, {"detail": 0.5}, {"tolerance": 0}])
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WarpedOptions.model_validate(wrong)


def test_anchors_bring_back_what_was_hidden_for_a_while() -> None:
    frames = flickering(sliding_bar(7.0, 20), amount=0.1)
    crossed = np.s_[:, 70:80]
    before, after = 1, 12
    change = frames[after].host("image") - frames[before].host("image")
    per_frame = np.square(change)[crossed].mean()
    left = {
        anchors: np.square(images[after] - images[before])[crossed].mean()
        for anchors in ((), (2, 4, 8, 12))
        for images in (blend(frames, anchors=anchors),)
    }
    assert left[()] > 0.4 * per_frame
    assert left[2, 4, 8, 12] < 0.25 * per_frame


def test_anchors_bring_back_nothing_that_the_source_does_not_show() -> None:
    frames = sliding_bar(7.0)
    for frame, image in list(zip(frames, blend(frames, anchors=(2, 4, 8)), strict=True))[4:]:
        per_frame = frame.host("image")
        assert (per_frame - image)[per_frame[..., 0] > 0.899].max() < 0.1


def test_light_that_changes_slowly_is_followed() -> None:
    frames = still_frames([0.3 + 0.01 * time for time in range(50)])
    frames = [replace(f, layers={**f.layers, "source": f.host("image")}) for f in frames]
    images = blend(frames, strength=0.95)
    assert np.abs(images[-1] - frames[-1].host("image")).max() < 0.12


def both_ways(frames: Sequence[Frame]) -> list[Frame]:
    """With a flow in the other direction too, so that the next frame is mixed in."""
    return [replace(f, layers={**f.layers, "flow_from_previous": -f.host("flow")}) for f in frames]


def with_next(frames: Sequence[Frame], **options: object) -> list[HostArray]:
    """``blend`` where each frame sees the next."""
    stage = Warped(WarpedOptions.model_validate(options))
    state: State = stage.initial_state()
    images = []
    for index, frame in enumerate(frames):
        window = Window(
            frame,
            stage.options,
            tuple(frames[max(0, index - 1) : index]),
            tuple(frames[index + 1 : index + 2]),
        )
        layers, state = stage.step(window, state)
        images.append(np.asarray(layers["image"]))
    return images


@pytest.mark.parametrize(
    "options", [{}, {"strength": 0.95, "smoothing": 0.6}, {"anchors": (2, 4), "detail": 1}]
)
def test_bands_and_threads_leave_no_trace(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = flickering(occluder(frames=5).with_truth())
    frames = [
        replace(f, layers={**f.layers, "flow_from_previous": -f.host("flow")}) for f in frames
    ]
    threads = cv2.getNumThreads()
    try:
        # Kernels have no bands.
        with without_kernels():
            whole = with_next(frames, **options)
            monkeypatch.setattr("vidstyle.imaging.bands._PIXELS", 1000)
            for count in (1, 2):
                cv2.setNumThreads(count)
                np.testing.assert_array_equal(with_next(frames, **options), whole)
    finally:
        cv2.setNumThreads(threads)


def test_what_was_seen_ahead_gives_the_same_as_a_stage_that_saw_nothing() -> None:
    """As after a pause: the state is all that is carried on."""
    frames = both_ways(flickering(pan(frames=5).with_truth()))
    stage = Warped(WarpedOptions())
    state: State = None
    for index in range(3):
        behind = tuple(frames[max(0, index - 1) : index])
        window = Window(frames[index], stage.options, behind, (frames[index + 1],))
        _, state = stage.step(window, state)
    window = Window(frames[3], stage.options, (frames[2],), (frames[4],))
    warm, cold = (one.step(window, state)[0]["image"] for one in (stage, Warped(stage.options)))
    np.testing.assert_array_equal(np.asarray(warm), np.asarray(cold))


def test_noise_on_a_still_scene_falls_and_its_brightness_stays() -> None:
    random = np.random.default_rng(0)
    frames = still_frames([0.5] * 120)
    drawn = random.uniform(0.2, 0.8, (24, 32, 3))
    noise = [random.normal(drawn, 0.03).astype(np.float32) for _ in frames]
    images = np.stack(blend(stylized(frames, noise)))[20:]
    assert images.std(axis=0).mean() < 0.25 * np.stack(noise)[20:].std(axis=0).mean()
    luma = images.mean(axis=(1, 2, 3))
    assert abs(np.polyfit(np.arange(len(luma)), luma, 1)[0]) * 255 < 0.01


@pytest.mark.parametrize(
    "options",
    [{}, {"smoothing": 0.4}, {"kernel": "bilinear"}, {"look_ahead": 0}, {"tolerance_hidden": 0}],
)
def test_kernels_and_opencv_give_the_same_frames(options: dict[str, object]) -> None:
    frames = flickering(pan(frames=10, height=64, width=96, step=(2.25, 1.0)).with_truth())
    images = blend(frames, **options)
    with without_kernels():
        others = blend(frames, **options)
    for image, other in zip(images, others, strict=True):
        assert np.abs(image - other).mean() < 0.25 / 255
