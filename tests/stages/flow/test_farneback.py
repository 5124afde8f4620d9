"""Polynomial expansion: the contract, known motion, OpenCV itself, and odd sizes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Frame, HostArray, Layers, Window
from vidstyle.imaging.derived import gray8
from vidstyle.imaging.warp import warp_image
from vidstyle.stages.flow.farneback import Farneback, FarnebackOptions
from vidstyle.testing import checks_for, pan, zoom


@pytest.mark.parametrize(("name", "check"), checks_for(Farneback))
def test_farneback_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def run(now: HostArray, previous: HostArray | None, **options: object) -> Layers:
    stage = Farneback(FarnebackOptions.model_validate(options))
    behind = () if previous is None else (Frame(0, 0, 1, {"source": previous}),)
    return stage.step(Window(Frame(1, 1, 1, {"source": now}), stage.options, behind), None)[0]


def test_flow_follows_a_pan_and_a_zoom() -> None:
    for clip in (pan(frames=3), zoom(frames=3)):
        layers = run(clip.frames[2].host("source"), clip.frames[1].host("source"))
        error = np.linalg.norm(layers["flow"] - clip.true_flow[2], axis=2)
        assert error[12:-12, 12:-12].mean() < 0.2


def test_flow_points_to_where_the_content_was() -> None:
    clip = pan(frames=2, step=(4, -3))
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    layers = run(now, previous)
    difference = np.abs(warp_image(previous, layers["flow"]) - now)
    assert difference[layers["visible"] > 0.9].mean() < 0.01


@pytest.mark.parametrize("gaussian", [False, True])
def test_options_reach_the_method(gaussian: bool) -> None:
    clip = pan(frames=2)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    options = FarnebackOptions(
        pyramid_scale=0.7,
        levels=2,
        window=9,
        iterations=2,
        poly_n=7,
        poly_sigma=1.5,
        gaussian=gaussian,
    )
    layers = run(now, previous, **options.model_dump())
    flags = cv2.OPTFLOW_FARNEBACK_GAUSSIAN if gaussian else 0
    direct = cv2.calcOpticalFlowFarneback(
        gray8(now), gray8(previous), None, 0.7, 2, 9, 2, 7, 1.5, flags
    )
    np.testing.assert_array_equal(layers["flow"], direct)


def test_the_window_changes_the_flow() -> None:
    clip = zoom(frames=2)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    box, gaussian = (run(now, previous, gaussian=flag)["flow"] for flag in (False, True))
    assert np.abs(box - gaussian).max() > 0.01


def test_a_reduced_flow_is_opencvs_of_smaller_images_in_full_pixels() -> None:
    clip = pan(frames=2, width=160, height=120)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    small = [
        cv2.resize(gray8(image), (80, 60), interpolation=cv2.INTER_AREA)
        for image in (now, previous)
    ]
    flow = cv2.calcOpticalFlowFarneback(*small, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    expected = 2 * cv2.resize(flow, (160, 120), interpolation=cv2.INTER_LINEAR)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(run(now, previous, scale=0.5)["flow"], expected, rtol=1e-6)


def test_the_first_frame_of_a_shot_has_nothing_before_it() -> None:
    layers = run(pan(frames=1).frames[0].host("source"), None)
    assert not layers["flow"].any()
    assert not layers["visible"].any()


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2), (16, 16)])
def test_small_images_neither_crash_nor_change_size(size: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((2, *size, 3), dtype=np.float32)
    layers = run(images[0], images[1])
    assert layers["flow"].shape == (*size, 2)
    assert np.isfinite(layers["flow"]).all()


@pytest.mark.parametrize("wrong", [{"levels": 0}, {"pyramid_scale": 1}, {"poly_sigma": 0}])
def test_options_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FarnebackOptions.model_validate(wrong)
