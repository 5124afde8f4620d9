"""Passes in both directions: the published equations, symmetry in time, seams, steadiness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from vidstyle.core import Frame, HostArray, Layers, Span, State
from vidstyle.runner.execution.parcel import Cell
from vidstyle.stages.blend.multipass import Multipass
from vidstyle.stages.blend.multipass_options import MultipassOptions
from vidstyle.testing import Scene, Subject, Surface, checks_for, render_scenes
from vidstyle.testing.inputs import make_input
from vidstyle.testing.scene import moves
from vidstyle.testing.textures import Disc, make_waves

STEP = (2.0, -1.0)
PURE: dict[str, object] = {
    "first": "blended",
    "fine": 1,
    "detail": 1,
    "clipping": 0,
    "tolerance_hidden": 0,
    "snap": 0,
}
"""The published algorithm and nothing else."""


@pytest.mark.parametrize(
    ("name", "check"),
    [*checks_for(Multipass), *checks_for(Multipass, span=3, passes=3, first="blended")],
)
def test_multipass_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def filmed(*scenes: Scene) -> list[Frame]:
    """The scenes as shots of one clip, with true flow and visibility both ways."""
    frames = []
    for frame in render_scenes(scenes).with_truth():
        scene = scenes[frame.shot]
        time = frame.index - sum(earlier.frames for earlier in scenes[: frame.shot])
        flow, visible = scene.motion(max(time - 1, 0), time)
        there = np.float32(time > 0)
        back = {"flow_from_previous": flow * there, "visible_from_previous": visible * there}
        frames.append(replace(frame, layers={**frame.layers, **back}))
    return frames


def moving(
    count: int, step: tuple[float, float], seed: int = 0, size: tuple[int, int] = (160, 128)
) -> Scene:
    """An image that moves by ``step`` (right, down) pixels a frame."""
    places = [(step[0] * time, step[1] * time) for time in range(count)]
    return Scene((Surface(make_waves(seed), moves(places)),), *size)


def flickering(frames: Sequence[Frame], amount: float = 0.08, seed: int = 0) -> list[Frame]:
    """The frames with their image under soft noise, new in every frame."""
    random = np.random.default_rng(seed)

    def stylize(frame: Frame) -> HostArray:
        noise = random.normal(0, 1, frame.host("image").shape).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), 1.5)
        image = 0.2 + 0.6 * frame.host("image") + soft * np.float32(amount / soft.std())
        return np.clip(image, 0, 1).astype(np.float32)

    return [replace(f, layers={**f.layers, "image": stylize(f)}) for f in frames]


def panned(count: int = 16, step: tuple[float, float] = STEP, seed: int = 0) -> list[Frame]:
    return flickering(filmed(moving(count, step)), seed=seed)


def span_of(frames: Sequence[Frame], options: Sequence[MultipassOptions]) -> Span[MultipassOptions]:
    return Span(tuple(frames), tuple(options))


def blend(
    frames: Sequence[Frame], strengths: Sequence[float] | None = None, **options: object
) -> list[HostArray]:
    """The stage over one shot, in spans as the options say."""
    stage = Multipass(MultipassOptions.model_validate(options))
    own = [stage.options] * len(frames)
    if strengths is not None:
        own = [stage.options.model_copy(update={"strength": s}) for s in strengths]
    images: list[HostArray] = []
    state: State = stage.initial_state()
    for first in range(0, len(frames), stage.options.span):
        piece = slice(first, first + stage.options.span)
        layers, state = finished(stage, span_of(frames[piece], own[piece]), state)
        images += [np.asarray(layer["image"]) for layer in layers]
    return images


def finished(
    stage: Multipass, span: Span[MultipassOptions], state: State
) -> tuple[list[Layers], State]:
    steps, layers = stage.step_span(span, state), []
    while True:
        try:
            layers.append(next(steps))
        except StopIteration as end:
            return layers, end.value


def images_of(frames: Sequence[Frame]) -> list[HostArray]:
    return [frame.host("image") for frame in frames]


def warping_errors(frames: Sequence[Frame], images: Sequence[HostArray]) -> list[float]:
    """Mean squared difference to the warped previous image where it is visible, pair by pair."""
    errors = []
    for before, (frame, image) in zip(
        images, list(zip(frames, images, strict=True))[1:], strict=False
    ):
        flow = frame.host("flow")
        y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
        moved = cv2.remap(before, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC)
        errors.append(float(np.square(moved - image)[frame.host("visible") > 0].mean()))
    return errors


Doubles = npt.NDArray[np.float64]


def shifted(image: Doubles, right: int, down: int) -> Doubles:
    """The image read so many pixels further right and down, its edge repeated."""
    height, width = image.shape[:2]
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    return image[rows][:, columns]


def published(frames: Sequence[Frame], delta: float, passes: int) -> list[Doubles]:
    """Ruder, Dosovitskiy and Brox 2016, section 4.3, in float64, for motion by whole pixels.

    Forwards x_i(j) = δ c · W(x_{i-1}(j)) + ((1 - δ) 1 + δ (1 - c)) · x_i(j-1), and backwards
    the same with i+1; the first, or the last, frame stays.
    """
    x = [frame.host("image").astype(np.float64) for frame in frames]
    right, down = int(STEP[0]), int(STEP[1])
    for number in range(passes):
        if number % 2 == 0:
            for i in range(1, len(x)):
                c = frames[i].host("visible").astype(np.float64)[..., None]
                warped = shifted(x[i - 1], -right, -down)
                x[i] = delta * c * warped + ((1 - delta) + delta * (1 - c)) * x[i]
        else:
            for i in range(len(x) - 2, -1, -1):
                c = frames[i + 1].host("visible_from_previous").astype(np.float64)[..., None]
                warped = shifted(x[i + 1], right, down)
                x[i] = delta * c * warped + ((1 - delta) + delta * (1 - c)) * x[i]
    return x


@pytest.mark.parametrize("passes", [1, 2, 5])
@pytest.mark.parametrize("delta", [0.3, 0.8])
def test_passes_follow_the_published_equations(passes: int, delta: float) -> None:
    frames = panned(8)
    # The source moves by whole pixels and agrees with itself up to its edge, so that trust is
    # visibility alone: to look at differences of 0 costs nothing.
    wanted = published(frames, delta, passes)
    images = blend(frames, strength=delta, passes=passes, tolerance=2, **PURE)
    for image, reference in zip(images, wanted, strict=True):
        np.testing.assert_allclose(image[8:-8, 8:-8], reference[8:-8, 8:-8], atol=2e-4)


@pytest.mark.parametrize("options", [{}, {"span": 3}, {"passes": 1}])
def test_strength_zero_gives_every_frame_bit_for_bit(options: dict[str, object]) -> None:
    frames = panned(7)
    for frame, image in zip(frames, blend(frames, strength=0, **options), strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))


def test_strength_may_change_from_frame_to_frame() -> None:
    frames = panned(12)
    images = blend(frames, strengths=[0.6] * 5 + [0, 0] + [0.6] * 5)
    for position, (frame, image) in enumerate(zip(frames, images, strict=True)):
        same = np.array_equal(image, frame.host("image"))
        assert same == (position in (0, 5, 6))


def test_flicker_falls_below_what_one_recurrent_pass_reaches() -> None:
    frames = panned(16, step=(1.25, -0.5))
    alone = np.mean(warping_errors(frames, images_of(frames)))
    once, often, both = (
        np.mean(warping_errors(frames, blend(frames, passes=passes, **PURE)))
        for passes in (1, 6, 2)
    )
    # One recurrence of δ = 1/2 leaves (1 - δ)² / (1 + δ) = 1/6 of it, blur aside.
    assert once / alone == pytest.approx(1 / 6, rel=0.25)
    assert both < 0.5 * once
    assert often < 0.1 * once
    assert np.mean(warping_errors(frames, blend(frames, fine=1))) < 0.2 * once
    assert np.mean(warping_errors(frames, blend(frames))) < 0.6 * once


def test_noise_on_a_still_image_falls_as_the_impulse_responses_say() -> None:
    random = np.random.default_rng(0)
    shot = filmed(moving(80, (0, 0), size=(32, 24)))
    noise = [random.normal(0.5, 0.03, (24, 32, 3)).astype(np.float32) for _ in shot]
    frames = [replace(f, layers={**f.layers, "image": n}) for f, n in zip(shot, noise, strict=True)]
    for passes in (1, 2, 4):
        impulse = np.zeros(161)
        impulse[80] = 1.0
        for number in range(passes):
            response = impulse.copy() if number % 2 == 0 else impulse[::-1].copy()
            for i in range(1, len(response)):
                response[i] = 0.6 * response[i - 1] + 0.4 * response[i]
            impulse = response if number % 2 == 0 else response[::-1]
        images = blend(frames, strength=0.6, passes=passes, span=80, **PURE)
        left = float((np.stack(images[25:-25]) - 0.5).std()) / 0.03
        assert left == pytest.approx(np.sqrt(np.square(impulse).sum()), rel=0.1)


def reversed_in_time(frames: Sequence[Frame]) -> list[Frame]:
    """The same shot from its end: what was flow to the previous frame is flow from it."""
    turned = []
    for position, frame in enumerate(reversed(frames)):
        pair = frames[len(frames) - position] if position else None
        names = ("flow", "visible", "flow_from_previous", "visible_from_previous")
        swapped = (names[2], names[3], names[0], names[1])
        layers = {
            name: pair.host(other) if pair else np.zeros_like(frame.host(name))
            for name, other in zip(names, swapped, strict=True)
        }
        turned.append(Frame(position, position, 1, {**frame.layers, **layers}))
    return turned


@pytest.mark.parametrize("passes", [2, 4, 6])
@pytest.mark.parametrize(("options", "share"), [(PURE, 0.03), ({}, 0.1)])
def test_time_has_no_direction_after_an_even_number_of_passes(
    passes: int, options: dict[str, object], share: float
) -> None:
    frames = panned(24, step=(1.25, -0.5))
    there = blend(frames, passes=passes, **options)[8:16]
    back = blend(reversed_in_time(frames), passes=passes, **options)[::-1][8:16]
    changed = np.abs(np.stack(there) - np.stack(images_of(frames)[8:16])).mean()
    # Not more, since filters near the ends depend on their order, and one first frame is kept.
    assert np.abs(np.stack(there) - np.stack(back)).mean() < share * changed


def test_time_has_a_direction_after_one_pass() -> None:
    frames = panned(24, step=(1.25, -0.5))
    there = blend(frames, passes=1)[8:16]
    back = blend(reversed_in_time(frames), passes=1)[::-1][8:16]
    changed = np.abs(np.stack(there) - np.stack(images_of(frames)[8:16])).mean()
    assert np.abs(np.stack(there) - np.stack(back)).mean() > 0.5 * changed


def test_short_spans_come_close_to_a_long_one() -> None:
    frames = panned(32, step=(1.25, -0.5))
    alone = np.stack(images_of(frames))
    long, short = (np.stack(blend(frames, span=span)) for span in (64, 8))
    assert np.abs(short - long).mean() < 0.3 * np.abs(long - alone).mean()
    assert np.mean(warping_errors(frames, short)) < 1.5 * np.mean(warping_errors(frames, long))


@pytest.mark.parametrize("span", [4, 8, 11])
def test_the_seam_between_two_spans_of_a_shot_is_not_seen(span: int) -> None:
    frames = panned(32, step=(1.25, -0.5))
    errors = np.array(warping_errors(frames, blend(frames, span=span, fine=1)))
    seams = np.arange(span - 1, 31, span)
    # Pairs over an edge are as calm as the others.
    assert errors[seams].max() < 1.5 * np.delete(errors, seams).max()
    assert errors.max() < 0.03 * np.mean(warping_errors(frames, images_of(frames)))


def test_a_span_goes_on_where_the_one_before_it_ended() -> None:
    frames = panned(12)
    stage = Multipass(MultipassOptions(strength=0.6))
    options = [stage.options] * 6
    _, state = finished(stage, span_of(frames[:6], options), None)
    with_state, _ = finished(stage, span_of(frames[6:], options), state)
    [alone, *_], _ = finished(stage, span_of(frames[6:], options), None)
    np.testing.assert_array_equal(alone["image"], frames[6].host("image"))
    assert np.abs(with_state[0]["image"] - frames[6].host("image")).mean() > 0.02


def test_no_shot_knows_of_another() -> None:
    frames = flickering(filmed(moving(6, (1.25, -0.5), 4), moving(6, (-1.5, 0.75), 5)))
    whole = shots_of(frames)
    for shot in (0, 1):
        for image, alone in zip(
            whole[shot], blend([f for f in frames if f.shot == shot]), strict=True
        ):
            np.testing.assert_array_equal(image, alone)
    for first in (0, 6):
        kept = whole[first // 6][0]
        np.testing.assert_array_equal(kept, frames[first].host("image"))
    assert np.abs(whole[0][5] - frames[5].host("image")).max() > 0.01


def shots_of(frames: Sequence[Frame]) -> list[list[HostArray]]:
    """The stage as the runner runs it, shot by shot."""
    subject = Subject(Multipass)
    given = make_input(subject, size=(160, 128), shots=(6, 6))
    parcels = [
        replace(parcel, cells={name: Cell(layer) for name, layer in frame.layers.items()})
        for parcel, frame in zip(given.parcels, frames, strict=True)
    ]
    with subject.opened(given.clip) as running:
        out = running.run(parcels)
    return [
        [np.asarray(p.cells["image"].at("host", "cpu")) for p in out if p.shot == shot]
        for shot in (0, 1)
    ]


def test_the_first_frame_may_be_calmed_too() -> None:
    frames = panned(16, step=(1.25, -0.5))
    kept, blended = (blend(frames, first=first) for first in ("kept", "blended"))
    np.testing.assert_array_equal(kept[0], frames[0].host("image"))
    assert np.abs(blended[0] - frames[0].host("image")).mean() > 0.02
    # What is spread over the frames after the first leaves no step behind it.
    errors = warping_errors(frames, kept)
    assert errors[0] < 2 * max(errors[1:])


def test_detail_that_passes_take_is_put_back() -> None:
    random = np.random.default_rng(3)
    canvas = cv2.GaussianBlur(random.random((300, 300, 3), dtype=np.float32), (0, 0), 0.7)
    frames = []
    for time, frame in enumerate(panned(16, step=(1.25, -0.5))):
        there = np.array([[1, 0, 90 - 1.25 * time], [0, 1, 90 + 0.5 * time]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        strokes = cv2.warpAffine(canvas, there, (160, 128), flags=flags)
        image = np.clip(0.7 * frame.host("image") + 0.4 * strokes, 0, 1).astype(np.float32)
        frames.append(replace(frame, layers={**frame.layers, "image": image}))
    alone = sharpness(images_of(frames))
    assert sharpness(blend(frames, fine=1, detail=1)) < 0.7 * alone
    assert sharpness(blend(frames, fine=1)) > 0.75 * alone
    assert sharpness(blend(frames)) > 0.85 * alone


def sharpness(images: Sequence[HostArray]) -> float:
    """Mean variance of the Laplacian."""
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    return float(np.mean([cv2.Laplacian(gray, cv2.CV_32F).var() for gray in grays]))


def test_what_cannot_be_seen_in_any_neighbor_is_left_bit_for_bit() -> None:
    frames = panned(6)
    blind = [
        replace(
            frame,
            layers={
                **frame.layers,
                "visible": np.where(BOX, 0, frame.host("visible")).astype(np.float32),
                "visible_from_previous": np.where(
                    BOX, 0, frame.host("visible_from_previous")
                ).astype(np.float32),
            },
        )
        for frame in frames
    ]
    for frame, image in zip(blind, blend(blind, tolerance_hidden=0), strict=True):
        np.testing.assert_array_equal(image[BOX], frame.host("image")[BOX])
    assert np.abs(blend(blind)[3] - frames[3].host("image"))[BOX].max() > 0.01


BOX = np.zeros((128, 160), bool)
BOX[40:60, 50:90] = True


def test_a_thing_that_moves_leaves_no_trail() -> None:
    disc = Disc(make_waves(3, tone=0.6), (48, 64), (32, 32))
    ways = [[(right * time, down * time) for time in range(10)] for right, down in STEPS]
    surfaces = (Surface(make_waves(2, tone=0.4), moves(ways[0])), Surface(disc, moves(ways[1])))
    frames = filmed(Scene(surfaces, 160, 128))
    hidden = [frame.host("visible") == 0 for frame in frames[1:]]
    assert min(mask.sum() for mask in hidden) > 100
    # Painted without flicker: whatever differs from the painting came from another place.
    assert strayed(frames, blend(frames, strength=0.8)) < 5e-4
    blind = {"tolerance": 2, "tolerance_hidden": 2, "clipping": 0}
    assert strayed(frames, blend(frames, strength=0.8, **blind)) > 5e-3


def strayed(frames: Sequence[Frame], images: Sequence[HostArray]) -> float:
    """Mean difference to the painting in the worst frame."""
    return max(
        float(np.abs(image - frame.host("image")).mean())
        for image, frame in zip(images, frames, strict=True)
    )


STEPS = ((-1.0, 0.0), (3.0, 1.0))
# Whole pixels: nothing but a trail can differ.


def test_results_stay_in_range() -> None:
    frames = flickering(panned(6), amount=0.5)
    for image in blend(frames, strength=0.9, detail=4, kernel="lanczos", clipping=0):
        assert image.min() >= 0
        assert image.max() <= 1


@pytest.mark.parametrize(
    "wrong",
    [{"strength": 1.2}, {"passes": 0}, {"span": 0}, {"detail": 0.5}, {"tolerance": 0}],
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MultipassOptions.model_validate(wrong)
