"""Reduced frames in the middle of a pipeline, and their full size and detail behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Window
from vidstyle.stages.geometry.reduce import ReduceFrames, ReduceOptions
from vidstyle.stages.geometry.restore import RestoreFrames, RestoreOptions
from vidstyle.testing import checks_for

HEIGHT, WIDTH = 240, 320
CHECKS = [
    *checks_for(ReduceFrames, size="50%"),
    *checks_for(RestoreFrames),
    *checks_for(RestoreFrames, strength=0.5),
]


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_they_keep_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    ("size", "most", "wanted"),
    [
        ((1920, 1080), 32, (960, 540)),
        ((1080, 1920), 32, (540, 960)),
        ((3840, 2160), 32, (960, 540)),
        # Strokes 1.5 times as large are drawn at that size: less would be lost for nothing.
        ((1920, 1080), 1.5, (1280, 720)),
        ((1920, 1080), 1, (1920, 1080)),
        # Hardly smaller.
        ((1024, 576), 32, (1024, 576)),
        ((641, 361), 32, (641, 361)),
    ],
)
def test_the_size_of_reduced_frames(
    size: tuple[int, int], most: float, wanted: tuple[int, int]
) -> None:
    clip = Clip(*size, Fraction(1, 25), sample_aspect=Fraction(4, 3))
    reduced = ReduceFrames(ReduceOptions(most=most)).describe(clip)
    assert reduced == replace(clip, width=wanted[0], height=wanted[1], full_size=size)
    assert reduced.reduction == size[0] / wanted[0]
    assert RestoreFrames(RestoreOptions()).describe(reduced) == clip


def test_what_was_not_changed_gets_its_edges_back() -> None:
    source = disks()
    layers = reduce_layers({"source": source, "image": source}, size="50%")
    assert layers["source"].shape == (HEIGHT // 2, WIDTH // 2, 3)
    found = restore_layers(layers)
    plain = cv2.resize(layers["image"], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    edges = slope(source) > 0.5 * slope(source).max()
    wanted = slope(source)[edges].mean()
    assert slope(np.asarray(plain, np.float32))[edges].mean() < 0.8 * wanted
    # Stronger where nothing is stylized: networks draw what they see of an edge less sharply.
    assert 0.95 * wanted < slope(found["image"])[edges].mean() < 1.7 * wanted


def test_a_change_of_the_reduced_image_stays() -> None:
    source = disks()
    layers = reduce_layers({"source": source, "image": source}, size="50%")
    changed = 1 - layers["image"][..., ::-1]
    found = restore_layers({**layers, "image": changed})["image"]
    small = cv2.resize(found, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    assert 255 * np.abs(small - changed).mean() < 4


def test_other_layers_come_back_as_they_were() -> None:
    source = disks()
    mask = np.asarray(source[..., 0] > 0.5, np.float32)
    given = {"source": source, "image": source, "alpha": mask, "face": 1 - mask}
    reduced = reduce_layers(given, size="50%")
    assert reduced["face"].shape == reduced["alpha"].shape == (HEIGHT // 2, WIDTH // 2)
    found = restore_layers(reduced, names=tuple(given))
    assert found.keys() == given.keys()
    for name in ("source", "alpha", "face"):
        assert np.array_equal(found[name], given[name])


def test_without_strength_and_outside_of_the_mask_the_source_passes() -> None:
    source = disks()
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    # Not along the pixels of reduced frames.
    mask[:, 161:] = 1
    layers = reduce_layers({"source": source, "image": source, "face": mask}, size="50%")
    layers["image"] = 1 - layers["image"]
    names = ("source", "image", "face")
    assert np.array_equal(restore_layers(layers, names, strength=0)["image"], source)
    whole = restore_layers(layers, names)["image"]
    masked = restore_layers(layers, names, mask="face")["image"]
    assert np.array_equal(masked[:, :161], source[:, :161])
    assert np.array_equal(masked[:, 161:], whole[:, 161:])
    turned = restore_layers(layers, names, mask="face", invert_mask=True)["image"]
    assert np.array_equal(turned[:, 161:], source[:, 161:])
    half = restore_layers(layers, names, strength=0.5)["image"]
    np.testing.assert_allclose(half, (source + whole) / 2, atol=1e-6)


def test_a_mask_of_colors_is_refused() -> None:
    source = disks()
    layers = reduce_layers({"source": source, "image": source, "face": source}, size="50%")
    with pytest.raises(ValueError, match="the mask face must be one value a pixel"):
        restore_layers(layers, ("source", "image", "face"), mask="face")


def test_frames_that_stay_as_they_are_pass() -> None:
    source = disks()
    layers = reduce_layers({"source": source, "image": source})
    assert np.array_equal(layers["image"], source)
    changed = np.float32(1) - source
    found = restore_layers({**layers, "image": changed})
    assert np.array_equal(found["image"], changed)


def reduce_layers(layers: Mapping[str, HostArray], **options: object) -> dict[str, HostArray]:
    stage = ReduceFrames(ReduceOptions.model_validate(options), tuple(layers))
    stage.open(Clip(WIDTH, HEIGHT, Fraction(1, 25)), ExecutionContext())
    written, _ = stage.step(Window(Frame(0, 0, 1, layers), stage.options), None)
    return {name: np.asarray(layer) for name, layer in written.items()}


def restore_layers(
    layers: Mapping[str, HostArray],
    names: tuple[str, ...] = ("source", "image"),
    **options: object,
) -> dict[str, HostArray]:
    stage = RestoreFrames(RestoreOptions.model_validate(options), names)
    written, _ = stage.step(Window(Frame(0, 0, 1, layers), stage.options), None)
    return {name: np.asarray(layer) for name, layer in written.items()}


def disks() -> HostArray:
    """Disks with sharp edges on a soft ground."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    image = np.stack([columns / WIDTH, rows / HEIGHT, 0.5 + 0 * rows], -1).astype(np.float32) / 2
    for number, color in enumerate(([0.9, 0.2, 0.1], [0.1, 0.8, 0.3], [0.9, 0.9, 0.8])):
        center = (WIDTH * (number + 1) / 4, HEIGHT * (0.3 + 0.2 * number))
        image[np.hypot(columns - center[0], rows - center[1]) < HEIGHT / 7] = color
    return np.asarray(image, np.float32)


def slope(image: HostArray) -> HostArray:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(np.hypot(cv2.Sobel(luma, -1, 1, 0), cv2.Sobel(luma, -1, 0, 1)), np.float32)
