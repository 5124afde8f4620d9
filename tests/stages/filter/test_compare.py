"""The stage that compares clips: sizes, layouts, the line's way, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, PlaneFormat, Planes, Window
from vidstyle.core.errors import PipelineError
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.imaging.layouts import amplify_difference, split_images
from vidstyle.stages.filter.compare import STAGE, CompareClips, CompareOptions, line_position
from vidstyle.testing import checks_for

RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH = 48, 64
A, B, C = RANDOM.random((3, HEIGHT, WIDTH, 3), np.float32)
CLIP = Clip(WIDTH, HEIGHT, Fraction(1, 25), Fraction(25))

CHECKS = [
    *checks_for(STAGE, clips=["source"], labels=["a", "b"]),
    *checks_for(STAGE, clips=["source"], layout="split"),
    *checks_for(STAGE, clips=["source"], layout="difference", gain=2),
    *checks_for(STAGE, clips=["source", "source"], layout="grid"),
]


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_it_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def opened(**options: Any) -> CompareClips:
    stage = STAGE(CompareOptions.model_validate(options))
    stage.open(CLIP, ExecutionContext())
    return stage


def compared(
    stage: CompareClips, *, time: Fraction = Fraction(0), **layers: HostArray
) -> HostArray:
    frame = Frame(0, 0, 1, {"image": A, "b": B, "c": C, **layers}, time=time)
    written, state = stage.step(Window(frame, stage.options), None)
    assert state is None
    assert written["source"] is written["image"]
    return np.asarray(written["image"])


@pytest.mark.parametrize(
    ("layout", "size", "wanted"),
    [
        ("side-by-side", (3 * WIDTH, HEIGHT), np.hstack([A, B, C])),
        ("stacked", (WIDTH, 3 * HEIGHT), np.vstack([A, B, C])),
        (
            "grid",
            (2 * WIDTH, 2 * HEIGHT),
            np.vstack([np.hstack([A, B]), np.hstack([C, np.zeros_like(A)])]),
        ),
    ],
)
def test_rows_and_columns(layout: str, size: tuple[int, int], wanted: HostArray) -> None:
    stage = opened(clips=("b", "c"), layout=layout)
    np.testing.assert_array_equal(compared(stage), wanted)
    after = stage.describe(CLIP)
    assert (after.width, after.height) == size


def test_a_fixed_line_and_a_difference() -> None:
    found = compared(opened(clips=("b",), layout="split", split=0.25), time=Fraction(7, 2))
    np.testing.assert_array_equal(found, split_images(A, B, 0.25, []))
    found = compared(opened(clips=("b",), layout="difference", gain=3))
    np.testing.assert_array_equal(found, amplify_difference(A, B, 3, []))


def test_a_line_moves_across_and_back() -> None:
    stage = opened(clips=("b",), layout="split", period=4)
    for seconds, position in ((0, 0.5), (1, 0), (2, 0.5), (3, 1), (4, 0.5)):
        found = compared(stage, time=Fraction(seconds))
        np.testing.assert_array_equal(found, split_images(A, B, position, []))
    # It never jumps: at 25 frames a second less than a twentieth of the width.
    ways = [line_position(at / 25, stage.options) for at in range(201)]
    assert np.abs(np.diff(ways)).max() < 0.05
    assert (min(ways), max(ways)) == (0, 1)


def test_transparency_is_shown_on_black() -> None:
    alpha = RANDOM.random((HEIGHT, WIDTH), np.float32)
    stage = opened(clips=("b",))
    found = compared(stage, alpha=alpha)
    np.testing.assert_array_equal(found, np.hstack([A * alpha[..., None], B]))
    transparent = replace(CLIP, alpha=True)
    assert not stage.describe(transparent).alpha
    assert not stage.notes
    stage.open(transparent, ExecutionContext())
    assert [note.kind for note in stage.notes] == ["alpha"]


def test_labels_are_drawn_and_a_shortened_one_is_reported() -> None:
    plain, stage = opened(clips=("b",)), opened(clips=("b",), labels=("a", "b"))
    assert not stage.notes
    assert (compared(stage) != compared(plain)).any(axis=2)[:, :WIDTH].any()
    assert (compared(stage) != compared(plain)).any(axis=2)[:, WIDTH:].any()
    [note] = opened(clips=("b",), labels=("a", "a-name-of-many-letters")).notes
    assert "shortened: a" in note.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs clips"),
        ({"clips": ("b", "c"), "layout": "split"}, "takes 2 clips, got 3"),
        ({"clips": ("b", "c"), "layout": "difference"}, "takes 2 clips, got 3"),
        ({"clips": ("b",), "labels": ("a",)}, "2 clips and 1 labels"),
        ({"clips": ("b",) * 300}, "more than 16384 pixels"),
    ],
)
def test_what_does_not_go_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        STAGE(CompareOptions.model_validate(options)).describe(CLIP)


def test_a_clip_without_colors() -> None:
    stage = opened(clips=("b",))
    with pytest.raises(ValueError, match="must have colors"):
        compared(stage, b=B[..., 0])


def decoded(seed: int, form: PlaneFormat) -> Planes:
    """Planes with RGB that is not theirs: who reads it is found out."""
    random = np.random.default_rng(seed)
    samples = [
        random.integers(40, 200, (HEIGHT // down, WIDTH // across), np.uint8)
        for across, down in ((1, 1), form.chroma, form.chroma)
    ]
    return Planes(tuple(samples), form, (A, B, C)[seed].copy)


LEFT = PlaneFormat((2, 2), "bt709", "limited", "left")


@pytest.mark.parametrize("layout", ["side-by-side", "stacked", "grid"])
def test_clips_of_one_format_are_put_together_as_planes(layout: str) -> None:
    stage = opened(clips=("b",), layout=layout)
    a, b = decoded(0, LEFT), decoded(1, LEFT)
    frame = Frame(0, 0, 1, LazyLayers({"image": LazyLayer(a), "b": LazyLayer(b)}))
    written, _ = stage.step(Window(frame, stage.options), None)
    found = written["image"]
    assert isinstance(found, Planes)
    join = np.vstack if layout == "stacked" else np.hstack
    for samples, *pair in zip(found.samples, a.samples, b.samples, strict=True):
        np.testing.assert_array_equal(samples, join(pair))
    # A stage behind it that reads RGB gets what it always got.
    np.testing.assert_array_equal(LazyLayer(found).host(), join([A, B]))


def test_a_split_of_planes_is_one_of_planes() -> None:
    stage = opened(clips=("b",), layout="split", split=0.5)
    a, b = decoded(0, LEFT), decoded(1, LEFT)
    frame = Frame(0, 0, 1, LazyLayers({"image": LazyLayer(a), "b": LazyLayer(b)}))
    found = stage.step(Window(frame, stage.options), None)[0]["image"]
    assert isinstance(found, Planes)
    np.testing.assert_array_equal(found.luma[:, :24], a.luma[:, :24])
    np.testing.assert_array_equal(found.luma[:, 40:], b.luma[:, 40:])


@pytest.mark.parametrize("other", ["rgb", "format", "layout", "alpha"])
def test_what_planes_cannot_do_is_done_on_rgb(other: str) -> None:
    layout = "difference" if other == "layout" else "side-by-side"
    form = replace(LEFT, range="full") if other == "format" else LEFT
    layers = {"image": LazyLayer(decoded(0, LEFT)), "b": LazyLayer(decoded(1, form))}
    if other == "rgb":
        layers["b"] = LazyLayer(B)
    if other == "alpha":
        layers["alpha"] = LazyLayer(np.ones((HEIGHT, WIDTH), np.float32))
    stage = opened(clips=("b",), layout=layout)
    frame = Frame(0, 0, 1, LazyLayers(layers))
    found = stage.step(Window(frame, stage.options), None)[0]["image"]
    wanted = amplify_difference(A, B, 4, []) if other == "layout" else np.hstack([A, B])
    np.testing.assert_array_equal(found, wanted)
