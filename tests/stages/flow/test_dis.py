"""Dense inverse search: the contract, known motion, ground truth, and odd sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from tests.stages.flow.ground_truth import gray_scene
from vidstyle.core import (
    Clip,
    Color,
    ExecutionContext,
    Frame,
    HostArray,
    Layers,
    PlaneFormat,
    Planes,
    Window,
)
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.imaging.derived import gray8
from vidstyle.imaging.flow_file import end_point_error
from vidstyle.imaging.visibility import visibility
from vidstyle.imaging.warp import warp_image
from vidstyle.kernels.library import without_kernels
from vidstyle.media.from_rgb import FromRgb, visible_planes
from vidstyle.stages.flow.dis import Dis, DisOptions, Preset, dense_search, search_flow
from vidstyle.stages.flow.farneback import Farneback, FarnebackOptions
from vidstyle.testing import checks_for, occluder, pan, zoom


@pytest.mark.parametrize(("name", "check"), checks_for(Dis))
def test_dis_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(("name", "check"), checks_for(Dis, directions="both", scale=0.5))
def test_dis_both_ways_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def run(now: HostArray, previous: HostArray | None, **options: object) -> Layers:
    stage = Dis(DisOptions.model_validate(options))
    height, width = now.shape[:2]
    stage.open(Clip(width, height, time_base=1), ExecutionContext())  # type: ignore[arg-type]  # 1 is exact
    behind = () if previous is None else (Frame(0, 0, 1, {"source": previous}),)
    window = Window(Frame(1, 1, 1, {"source": now}), stage.options, behind)
    return stage.step(window, None)[0]


@pytest.mark.parametrize(("preset", "bound"), [("ultrafast", 0.5), ("fast", 0.3), ("medium", 0.25)])
def test_flow_follows_a_pan_and_a_zoom(preset: Preset, bound: float) -> None:
    for clip in (pan(frames=3), zoom(frames=3)):
        sources = [frame.host("source") for frame in clip.frames]
        layers = run(sources[2], sources[1], preset=preset)
        inner = np.zeros_like(clip.true_visible[2])
        inner[8:-8, 8:-8] = clip.true_visible[2][8:-8, 8:-8]
        assert end_point_error(layers["flow"], clip.true_flow[2], inner) < bound


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_flow_of_planes_is_found_without_their_rgb(name: str) -> None:
    def unread() -> HostArray:
        raise AssertionError("somebody has read the RGB")

    stage = Dis(DisOptions()) if name == "dis" else Farneback(FarnebackOptions())
    clip = pan(frames=2, step=(3, -2))
    images = [frame.host("source") for frame in clip.frames]
    height, width = images[0].shape[:2]
    form = PlaneFormat((1, 1), "bt601", "limited")
    to_planes = FromRgb("yuv444p", Color("bt601"), width=width, height=height)
    frames = []
    for index, image in enumerate(images):
        samples = tuple(plane.copy() for plane in visible_planes(to_planes(image)))
        layer = LazyLayer(Planes(samples, form, unread))
        frames.append(Frame(index, index, 1, LazyLayers({"source": layer})))
    stage.open(Clip(width, height, time_base=1), ExecutionContext())  # type: ignore[arg-type]  # 1 is exact
    found = stage.step(Window(frames[1], stage.options, (frames[0],)), None)[0]  # type: ignore[arg-type]  # of its own
    shown = Frame(1, 1, 1, {"source": images[1]}), Frame(0, 0, 1, {"source": images[0]})
    wanted = stage.step(Window(shown[0], stage.options, (shown[1],)), None)[0]  # type: ignore[arg-type]  # of its own
    assert np.abs(found["flow"] - wanted["flow"]).mean() < 0.03


def test_flow_points_to_where_the_content_was() -> None:
    clip = pan(frames=2, step=(6, -4))
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    layers = run(now, previous)
    difference = np.abs(warp_image(previous, layers["flow"]) - now)
    assert difference[layers["visible"] > 0.9].mean() < 0.01


def test_flow_from_previous_lies_on_the_previous_grid() -> None:
    clip = occluder(frames=3)
    now, previous = (clip.frames[i].host("source") for i in (2, 1))
    layers, reverse = run(now, previous, directions="both"), run(previous, now)
    np.testing.assert_array_equal(layers["flow_from_previous"], reverse["flow"])
    np.testing.assert_array_equal(layers["visible_from_previous"], reverse["visible"])


def test_reduced_size_costs_little_accuracy_on_a_pan() -> None:
    clip = pan(frames=2, step=(5, 2), width=320, height=240)
    layers = run(clip.frames[1].host("source"), clip.frames[0].host("source"), scale=0.5)
    inner = np.zeros_like(clip.true_visible[1])
    inner[16:-16, 16:-16] = 1
    assert end_point_error(layers["flow"], clip.true_flow[1], inner) < 0.5


def test_auto_costs_little_accuracy_and_finds_what_is_hidden() -> None:
    clip = occluder(frames=3, width=1280, height=720)
    now, previous = (clip.frames[i].host("source") for i in (2, 1))
    layers = run(now, previous, scale="auto")
    true_visible = clip.true_visible[2] > 0.5
    inner = np.zeros_like(clip.true_visible[2])
    inner[16:-16, 16:-16] = true_visible[16:-16, 16:-16]
    assert end_point_error(layers["flow"], clip.true_flow[2], inner) < 1
    visible = layers["visible"]
    assert visible[true_visible].mean() > 0.9
    # Two or three pixels wide, of which the smaller images see one.
    assert visible[~true_visible].mean() < visible[true_visible].mean() - 0.3


def test_the_first_frame_of_a_shot_has_nothing_before_it() -> None:
    layers = run(pan(frames=1).frames[0].host("source"), None)
    assert not layers["flow"].any()
    assert not layers["visible"].any()


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2), (12, 64), (16, 16), (31, 90)])
@pytest.mark.parametrize("options", [{}, {"preset": "medium"}, {"patch_size": 32}])
def test_small_images_neither_crash_nor_change_size(
    size: tuple[int, int], options: dict[str, object]
) -> None:
    images = np.random.default_rng(0).random((2, *size, 3), dtype=np.float32)
    layers = run(images[0], images[1], **options)
    assert layers["flow"].shape == (*size, 2)
    assert np.isfinite(layers["flow"]).all()


def test_the_search_keeps_its_settings_and_remembers_no_frames() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (4, 40, 150), dtype=np.uint8)
    gray = [np.asarray(cv2.GaussianBlur(one, (0, 0), 2), np.uint8) for one in noise]
    search = dense_search(DisOptions())
    first = search_flow(search, gray[0], gray[1])
    search_flow(search, gray[2], gray[3])
    np.testing.assert_array_equal(search_flow(search, gray[0], gray[1]), first)


@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_run_over_a_clip_gives_what_each_pair_gives(scale: float) -> None:
    sources = [frame.host("source") for frame in occluder(frames=5).frames]
    stage = Dis(DisOptions(scale=scale))
    height, width = sources[0].shape[:2]
    stage.open(Clip(width, height, time_base=1), ExecutionContext())  # type: ignore[arg-type]  # 1 is exact
    for index in range(1, 5):
        now, before = (Frame(i, i, 1, {"source": sources[i]}) for i in (index, index - 1))
        layers = stage.step(Window(now, stage.options, (before,)), None)[0]
        single = run(sources[index], sources[index - 1], scale=scale)
        np.testing.assert_array_equal(layers["flow"], single["flow"])


def test_options_reach_the_search() -> None:
    values = {"finest_scale": 1, "patch_size": 6, "patch_stride": 9, "gradient_iterations": 7}
    values |= {"refinement_iterations": 3, "refinement_alpha": 11, "refinement_delta": 3.5}
    values |= {"refinement_gamma": 0, "mean_normalization": False, "spatial_propagation": False}
    search = dense_search(DisOptions.model_validate(values))
    assert search.getFinestScale() == 1
    assert search.getPatchSize() == 6
    assert search.getPatchStride() == 6  # a wider stride would leave gaps
    assert search.getGradientDescentIterations() == 7
    assert search.getVariationalRefinementIterations() == 3
    assert search.getVariationalRefinementAlpha() == 11
    assert search.getVariationalRefinementDelta() == 3.5
    assert search.getVariationalRefinementGamma() == 0
    assert not search.getUseMeanNormalization()
    assert not search.getUseSpatialPropagation()


OPENCVS_FAST = {
    "patch_stride": 4,
    "gradient_iterations": 16,
    "refinement_iterations": 5,
    "refinement_alpha": 20,
}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"preset": "ultrafast"}, 0),
        ({"preset": "fast", **OPENCVS_FAST}, 1),
        ({"preset": "medium"}, 2),
    ],
)
def test_it_is_opencvs_search_at_the_size_of_its_finest_level(
    options: dict[str, object], code: int
) -> None:
    """Images are reduced and flow is enlarged outside of it: bit for bit the same by OpenCV."""
    clip = zoom(frames=2)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    opencvs = cv2.DISOpticalFlow.create(code)
    # What a preset has for larger images.
    options = {**options, "finest_scale": opencvs.getFinestScale()}
    expected = opencvs.calc(gray8(now), gray8(previous), None)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(run(now, previous, **options)["flow"], expected, atol=1e-6)
    with without_kernels():
        np.testing.assert_array_equal(run(now, previous, **options)["flow"], expected)


def test_small_frames_are_not_reduced_to_less_than_64_pixels() -> None:
    clip = zoom(frames=2)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    assert 128 <= min(now.shape[:2]) < 256
    flow = run(now, previous)["flow"]
    np.testing.assert_array_equal(flow, run(now, previous, finest_scale=1)["flow"])
    assert not np.array_equal(flow, run(now, previous, finest_scale=2)["flow"])


def test_fast_is_tuned() -> None:
    """Changed on purpose: the record on blend and flow has what it costs and gives."""
    clip = zoom(frames=2)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    ours, opencvs = run(now, previous), run(now, previous, **OPENCVS_FAST)
    true, inner = clip.true_flow[1], np.zeros(now.shape[:2], np.float32)
    inner[8:-8, 8:-8] = 1
    errors = [end_point_error(layers["flow"], true, inner) for layers in (ours, opencvs)]
    assert 0 < errors[0] < 1.3 * errors[1] + 0.02


@pytest.mark.parametrize("size", [(256, 320), (195, 261)])
def test_visibility_at_half_size_is_nearly_that_of_full_size(size: tuple[int, int]) -> None:
    clip = occluder(frames=3, height=size[0], width=size[1])
    now, previous = (clip.frames[i].host("source") for i in (2, 1))
    layers = run(now, previous)
    hidden = layers["visible"] < 0.5
    exactly = visibility(layers["flow"], layers["flow_from_previous"]) < 0.5
    assert exactly.mean() > 0.02
    # They differ at the edges of what is hidden.
    assert (hidden != exactly).mean() < 0.04


@pytest.mark.parametrize(
    "values",
    [
        {"refinement_alpha": 2},
        {"refinement_delta": 0},
        {"refinement_gamma": 0},
        {"mean_normalization": False},
        {"spatial_propagation": False},
    ],
)
def test_each_option_changes_the_flow(values: dict[str, object]) -> None:
    clip = occluder(frames=3)
    now, previous = (clip.frames[i].host("source") for i in (2, 1))
    assert np.abs(run(now, previous, **values)["flow"] - run(now, previous)["flow"]).max() > 1e-3


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"scale": 1.5}, {"preset": "slow"}, {"patch": 8}])
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DisOptions.model_validate(wrong)


@pytest.mark.parametrize(
    ("scene", "bound"), [("RubberWhale", 0.45), ("Dimetrodon", 0.55), ("Venus", 0.8)]
)
def test_medium_comes_near_measured_ground_truth(
    scene: str, bound: float, shared_data: Path
) -> None:
    images, true = gray_scene(shared_data / "flow" / scene)
    found = search_flow(dense_search(DisOptions(preset="medium")), *images)
    assert end_point_error(found, true) < bound
