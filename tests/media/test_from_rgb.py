from __future__ import annotations

import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from vidstyle.core import Color
from vidstyle.media.from_rgb import LAYOUTS, FromRgb, code_matrix, visible_planes
from vidstyle.media.planes import digest

RGB = Color("rgb", "full")


def _color(name: str) -> Color:
    return RGB if LAYOUTS[name].rgb else Color("bt709", "limited")


def _flat(color: tuple[float, float, float], height: int = 8, width: int = 16) -> np.ndarray:
    return np.tile(np.array(color, np.float32), (height, width, 1))


@pytest.mark.parametrize(
    ("matrix", "spread", "color", "codes"),
    [
        # Published code values of the 100 % color bars.
        ("bt601", "limited", (1, 0, 0), (81, 90, 240)),
        ("bt601", "limited", (0, 0, 1), (41, 240, 110)),
        ("bt709", "limited", (1, 0, 0), (63, 102, 240)),
        ("bt709", "limited", (0, 1, 0), (173, 42, 26)),
        ("bt709", "limited", (1, 1, 1), (235, 128, 128)),
        ("bt709", "limited", (0, 0, 0), (16, 128, 128)),
        ("bt601", "full", (1, 0, 0), (76, 85, 255)),
        ("bt601", "full", (1, 1, 1), (255, 128, 128)),
        ("bt2020", "limited", (1, 0, 0), (74, 97, 240)),
    ],
)
def test_primary_colors_have_their_published_codes(matrix, spread, color, codes) -> None:
    frame = FromRgb("yuv420p", Color(matrix, spread), width=16, height=8)(_flat(color))
    assert tuple(int(plane[0, 0]) for plane in visible_planes(frame)) == codes


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_format_is_opaque_and_in_range_without_alpha(name: str) -> None:
    image = np.random.default_rng(0).random((13, 21, 3), dtype=np.float32) * 3 - 1
    frame = FromRgb(name, _color(name), width=21, height=13)(image)
    assert frame.format.name == name
    if (order := LAYOUTS[name].packed) and "a" not in order:
        assert visible_planes(frame)[0].shape == (13, 21 * 3)
    elif LAYOUTS[name].packed:
        assert (visible_planes(frame)[0].reshape(13, 21, 4)[..., 3] == 255).all()
    elif LAYOUTS[name].alpha:
        assert (visible_planes(frame)[-1] == 2 ** LAYOUTS[name].bits - 1).all()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if LAYOUTS[name].rgb])
def test_rgb_formats_hold_the_nearest_codes(name: str) -> None:
    image = np.random.default_rng(0).random((40, 24, 3), dtype=np.float32)
    frame = FromRgb(name, RGB, width=24, height=40)(image)
    top = 2 ** LAYOUTS[name].bits - 1
    if order := LAYOUTS[name].packed:
        pixels = visible_planes(frame)[0].reshape(40, 24, len(order))
        codes = pixels[..., [order.index(channel) for channel in "rgb"]]
    else:
        green, blue, red = visible_planes(frame)[:3]
        codes = np.stack([red, green, blue], -1)
    assert np.abs(codes - image.astype(np.float64) * top).max() <= 0.51


@pytest.mark.parametrize("name", [name for name in LAYOUTS if LAYOUTS[name].alpha])
def test_opacity_is_rounded_and_clamped(name: str) -> None:
    alpha = np.linspace(-0.5, 1.5, 24, dtype=np.float32)[None].repeat(10, 0)
    frame = FromRgb(name, _color(name), width=24, height=10)(_flat((1, 1, 1), 10, 24), alpha)
    top = 2 ** LAYOUTS[name].bits - 1
    planes = visible_planes(frame)
    found = planes[0].reshape(10, 24, 4)[..., 3] if LAYOUTS[name].packed else planes[-1]
    assert np.abs(found - np.clip(alpha, 0, 1) * top).max() <= 0.51


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_agrees_with_the_scaler_at_the_same_matrix(name: str) -> None:
    down, across = np.mgrid[:96, :128].astype(np.float32)
    image = np.stack([across / 127, down / 95, (across + down) / 222], -1)
    frame = FromRgb(name, Color("bt709"), width=128, height=96)(image)
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation="BICUBIC",
    )
    difference = rgb.to_ndarray() / 255 - image
    assert np.abs(difference).mean() < 2 / 255


def test_chroma_is_the_mean_of_its_block_so_that_a_round_trip_does_not_move_it() -> None:
    down, across = np.mgrid[:64, :64].astype(np.float32)
    image = np.stack([across / 63, np.full_like(across, 0.5), down / 63], -1)
    whole = FromRgb("yuv444p10le", Color(), width=64, height=64)(image)
    half = FromRgb("yuv420p10le", Color(), width=64, height=64)(image)
    for large, small in zip(visible_planes(whole)[1:], visible_planes(half)[1:], strict=True):
        blocks = large.astype(np.float64).reshape(32, 2, 32, 2).mean(axis=(1, 3))
        assert np.abs(blocks - small).max() <= 1


@pytest.mark.parametrize(("name", "down"), [("yuv420p", 2), ("yuv422p10le", 1)])
@pytest.mark.parametrize("width", [2, 6, 64])
def test_left_sited_chroma_is_rounded_once(name: str, down: int, width: int) -> None:
    """Bit for bit what numpy makes of full-size planes, in the same precision."""
    image = np.random.default_rng(width).random((32, width, 3), np.float32)
    full = [
        np.asarray(cv2.transform(image, row[None]), np.float32)
        for row in code_matrix(Color(), LAYOUTS[name].bits)
    ]
    planes = visible_planes(FromRgb(name, Color(), width=width, height=32, siting="left")(image))
    for plane, whole in zip(planes[1:], full[1:], strict=True):
        left = np.concatenate([whole[:, :1], whole[:, 1:-1:2]], axis=1)
        means = np.float32(0.25) * (left + whole[:, 1::2]) + np.float32(0.5) * whole[:, ::2]
        if down == 2:
            means = np.float32(0.5) * means[::2] + np.float32(0.5) * means[1::2]
        wanted = np.rint(means) if down == 2 else np.floor(means + np.float32(0.5))
        np.testing.assert_array_equal(plane, wanted)


def test_left_sited_chroma_is_the_mean_around_the_left_sample() -> None:
    image = np.random.default_rng(0).random((8, 12, 3), dtype=np.float32)
    whole = FromRgb("yuv444p10le", Color(), width=12, height=8)(image)
    half = FromRgb("yuv420p10le", Color(), width=12, height=8, siting="left")(image)
    for large, small in zip(visible_planes(whole)[1:], visible_planes(half)[1:], strict=True):
        rows = large.astype(np.float64).reshape(4, 2, 12).mean(axis=1)
        padded = np.pad(rows, ((0, 0), (1, 0)), mode="edge")
        around = (padded[:, 0:12:2] + 2 * padded[:, 1::2] + padded[:, 2::2]) / 4
        assert np.abs(around - small).max() <= 1


def test_a_larger_frame_repeats_the_last_row_and_column() -> None:
    image = np.random.default_rng(0).random((33, 15, 3), dtype=np.float32)
    padded = np.pad(image, ((0, 1), (0, 1), (0, 0)), mode="edge")
    made = FromRgb("yuv420p", Color(), width=16, height=34)(image)
    wanted = FromRgb("yuv420p", Color(), width=16, height=34)(padded)
    assert digest(made) == digest(wanted)


def test_values_outside_of_the_range_are_clamped_not_wrapped() -> None:
    make = FromRgb("bgr0", RGB, width=16, height=8)
    assert (visible_planes(make(_flat((1.2, -0.3, 9.0))))[0][0, :3] == [255, 0, 255]).all()


def test_the_frame_is_tagged_with_its_color() -> None:
    color = Color("bt2020", "limited", primaries=9, transfer=14)
    frame = FromRgb("yuv420p10le", color, width=16, height=8)(_flat((0.5, 0.5, 0.5)))
    tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    assert tags == (9, 1, 9, 14)


def test_the_digest_follows_what_is_seen() -> None:
    make = FromRgb("yuv420p", Color(), width=15, height=9)
    image = _flat((0.2, 0.4, 0.6), 9, 15)
    changed = image.copy()
    changed[8, 14] = 1
    assert digest(make(image)) == digest(make(image.copy()))
    assert digest(make(image)) != digest(make(changed))


def test_rgb_formats_go_with_the_rgb_matrix_alone() -> None:
    with pytest.raises(ValueError, match="does not go with"):
        FromRgb("yuv420p", RGB, width=8, height=8)
    with pytest.raises(ValueError, match="does not go with"):
        FromRgb("bgr0", Color("bt709"), width=8, height=8)
