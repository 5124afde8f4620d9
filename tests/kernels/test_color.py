"""Planes to RGB and back by kernels, beside FFmpeg's scaler, OpenCV and numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from av import VideoFrame
from av.filter import Graph

from vidstyle.core import Color, HostArray, PlaneFormat
from vidstyle.core.clip import Matrix, Range
from vidstyle.core.planes import Siting
from vidstyle.kernels.color import convert_planes, fill_planes
from vidstyle.kernels.library import has_kernels, without_kernels
from vidstyle.media.from_rgb import FromRgb, code_matrix, visible_planes
from vidstyle.media.to_rgb import ToRGB, decoding_matrix

pytestmark = pytest.mark.skipif(not has_kernels(), reason="nothing was compiled")

FORMATS = ["yuv420p", "yuv422p", "yuv444p"]
MATRICES: list[Matrix] = ["bt601", "bt709", "bt2020", "smpte240m", "fcc"]
RANGES: list[Range] = ["limited", "full"]
SITINGS: list[Siting] = ["left", "center"]
SIZES = [(32, 32), (34, 66), (180, 320)]


def noisy_frame(name: str, height: int, width: int, siting: Siting) -> VideoFrame:
    """Samples that reach both ends, in rows with padding, and chroma at a siting."""
    random = np.random.default_rng(height)
    frame = VideoFrame(width, height, name)
    for plane in visible_planes(frame):
        noise = random.integers(-200, 456, plane.shape)
        plane[:] = np.clip(noise, 0, 255)
    graph = Graph()
    source = graph.add_buffer(
        width=width, height=height, format=frame.format, time_base=Fraction(1, 25)
    )
    tags = graph.add("setparams", f"chroma_location={siting}")
    graph.link_nodes(source, tags, graph.add("buffersink")).configure()
    graph.vpush(frame)
    tagged = graph.vpull()
    assert isinstance(tagged, VideoFrame)
    return tagged


def noisy_image(height: int, width: int) -> HostArray:
    """Values outside of the range are among them."""
    return np.random.default_rng(width).random((height, width, 3), np.float32) * 1.2 - np.float32(
        0.1
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_rgb_is_what_it_is_by_the_scaler(name: str, siting: Siting, size: tuple[int, int]) -> None:
    frame = noisy_frame(name, *size, siting)
    planes = ToRGB(Color("bt601"), alpha=False).planes(frame)
    assert planes is not None
    assert planes.format.siting == (siting if name != "yuv444p" else "center")
    found = planes.to_rgb()
    with without_kernels():
        wanted = planes.to_rgb()
    assert wanted.min() == 0
    assert wanted.max() == 1
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("spread", RANGES)
@pytest.mark.parametrize("matrix", MATRICES)
def test_rgb_by_every_matrix_and_range(matrix: Matrix, spread: Range) -> None:
    frame = noisy_frame("yuv420p", 36, 64, "left")
    to_rgb = ToRGB(Color(matrix, spread), alpha=False)
    found, _ = to_rgb(frame)
    with without_kernels():
        wanted, _ = to_rgb(frame)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_rows_may_lie_upside_down() -> None:
    height, width = 36, 64
    planes = visible_planes(noisy_frame("yuv420p", height, width, "left"))
    form = PlaneFormat((2, 2), "bt709", "limited", "left")
    matrix = decoding_matrix("bt709", "limited")
    turned = [np.ascontiguousarray(plane[::-1])[::-1] for plane in planes]
    np.testing.assert_array_equal(
        convert_planes(turned, form, matrix), convert_planes(planes, form, matrix)
    )


def exact_codes(
    image: HostArray, form: PlaneFormat, color: Color
) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Luma and chroma in float64, not rounded."""
    unit = np.clip(image.astype(np.float64), 0, 1)
    whole = np.dstack([unit, np.ones(unit.shape[:2])]) @ code_matrix(color, 8).T
    planes = [whole[..., 0]]
    for plane in np.moveaxis(whole[..., 1:], -1, 0):
        across, down = form.chroma
        mean = plane.reshape(-1, down, plane.shape[1]).mean(1)
        if across == 2 and form.siting == "left":
            before = np.concatenate([mean[:, :1], mean[:, 1:-1:2]], 1)
            mean = (before + 2 * mean[:, ::2] + mean[:, 1::2]) / 4
        elif across == 2:
            mean = (mean[:, ::2] + mean[:, 1::2]) / 2
        planes.append(mean)
    return planes


@pytest.mark.parametrize("size", [*SIZES, (2, 2)])
@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("spread", RANGES)
def test_codes_are_the_nearest(
    name: str, siting: Siting, spread: Range, size: tuple[int, int]
) -> None:
    image, color = noisy_image(*size), Color("bt709", spread)
    from_rgb = FromRgb(name, color, width=size[1], height=size[0], siting=siting)
    found = visible_planes(from_rgb(image))
    with without_kernels():
        wanted = visible_planes(from_rgb(image))
    chroma = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv444p": (1, 1)}[name]
    form = PlaneFormat(chroma, "bt709", spread, siting)
    for one, other, exact in zip(found, wanted, exact_codes(image, form, color), strict=True):
        assert np.abs(one - np.minimum(exact, 255)).max() < 0.5001
        # They may differ where the exact value is halfway between two codes.
        clear = np.abs(exact % 1 - 0.5) > 1e-3
        np.testing.assert_array_equal(one[clear], other[clear])


@pytest.mark.parametrize("matrix", MATRICES)
def test_codes_by_every_matrix(matrix: Matrix) -> None:
    image, color = noisy_image(36, 64), Color(matrix, "full")
    found = visible_planes(FromRgb("yuv420p", color, width=64, height=36)(image))
    form = PlaneFormat((2, 2), matrix, "full")
    for one, exact in zip(found, exact_codes(image, form, color), strict=True):
        assert np.abs(one - np.minimum(exact, 255)).max() < 0.5001


def test_nothing_is_written_beside_the_samples() -> None:
    height, width = 36, 50
    memory = [np.full((height + 2, 64), 7, np.uint8) for _ in range(3)]
    small = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
    inside = [
        plane[1 : rows + 1, 3 : columns + 3]
        for plane, (rows, columns) in zip(memory, small, strict=True)
    ]
    form = PlaneFormat((2, 2), "bt709", "limited", "left")
    fill_planes(noisy_image(height, width), form, code_matrix(Color("bt709"), 8), inside)
    for plane, samples in zip(memory, inside, strict=True):
        assert (samples != 7).all()
        samples[:] = 7
        assert (plane == 7).all()


def test_planes_of_another_size_are_refused() -> None:
    form = PlaneFormat((2, 2), "bt709", "limited", "left")
    planes = [np.zeros((36, 64), np.uint8), *(np.zeros((18, 31), np.uint8) for _ in range(2))]
    with pytest.raises(ValueError, match=r"rows of uint8 \(18, 32\)"):
        convert_planes(planes, form, decoding_matrix("bt709", "limited"))
    apart = [np.zeros((36, 128), np.uint8)[:, ::2], *(np.zeros((18, 32), np.uint8),) * 2]
    with pytest.raises(ValueError, match="strides"):
        convert_planes(apart, form, decoding_matrix("bt709", "limited"))
