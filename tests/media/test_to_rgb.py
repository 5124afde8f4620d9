"""Decoded samples as RGB, against H.273's equations in float64."""

from __future__ import annotations

import resource

import av
import numpy as np
import pytest

from vidstyle.core import Color
from vidstyle.media.color import MATRIX_TO_TAG, RANGE_TO_TAG
from vidstyle.media.to_rgb import ToRGB, bit_depth

WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
WIDTH, HEIGHT = 50, 38
GUESS = Color("bt601", tagged=False)


def fill(plane, values: np.ndarray, bits: int) -> None:
    dtype = np.uint8 if bits == 8 else np.uint16
    rows = np.zeros((plane.height, plane.line_size // dtype().itemsize), dtype)
    rows[:, : values.shape[1]] = values
    plane.update(rows.tobytes())


def luma_chroma(pixels: str, bits: int, seed: int = 0) -> tuple[av.VideoFrame, list[np.ndarray]]:
    """Random luma over flat chroma, so that no chroma interpolation is involved."""
    random = np.random.default_rng(seed)
    frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
    planes = []
    for index, plane in enumerate(frame.planes):
        shape = (plane.height, plane.width)
        low, high = (16, 236) if index == 0 else (100, 156)
        low, high = low << (bits - 8), high << (bits - 8)
        flat = index in (1, 2)
        values = np.full(shape, random.integers(low, high)) if flat else None
        values = random.integers(low, high, shape) if values is None else values
        fill(plane, values, bits)
        planes.append(values)
    return frame, planes


def exact(y: np.ndarray, u: float, v: float, color: Color, bits: int) -> np.ndarray:
    step, largest = 2 ** (bits - 8), 2**bits - 1
    if color.range == "full":
        y, u, v = y / largest, (u - 128 * step) / largest, (v - 128 * step) / largest
    else:
        y = (y - 16 * step) / (219 * step)
        u, v = (u - 128 * step) / (224 * step), (v - 128 * step) / (224 * step)
    kr, kb = WEIGHTS[color.matrix]
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1), 0, 1)


@pytest.mark.parametrize("spread", ["limited", "full"])
@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize(
    ("pixels", "bits"),
    [
        ("yuv420p", 8),
        ("yuv422p", 8),
        ("yuv444p", 8),
        ("yuv411p", 8),
        ("yuv420p10le", 10),
        ("yuv444p10le", 10),
        ("yuv422p12le", 12),
        ("yuv444p16le", 16),
    ],
)
def test_conversion_equals_the_equations(pixels, bits, matrix, spread):
    frame, (y, u, v) = luma_chroma(pixels, bits)
    frame.colorspace, frame.color_range = MATRIX_TO_TAG[matrix], RANGE_TO_TAG[spread]
    image, alpha = ToRGB(GUESS, alpha=False)(frame)
    assert alpha is None
    assert image.dtype == np.float32
    wanted = exact(y, u[0, 0], v[0, 0], Color(matrix, spread), bits)
    np.testing.assert_allclose(image, wanted, atol=1e-6)


def test_an_untagged_frame_gets_the_color_of_the_clip():
    frame, (y, u, v) = luma_chroma("yuv420p", 8)
    clip = Color("bt709", "full", tagged=False)
    image, _ = ToRGB(clip, alpha=False)(frame)
    np.testing.assert_allclose(image, exact(y, u[0, 0], v[0, 0], clip, 8), atol=1e-6)


@pytest.mark.parametrize("tag", [3, 8, 20])
def test_a_frame_with_a_senseless_tag_gets_the_color_of_the_clip(tag):
    frame, (y, u, v) = luma_chroma("yuv420p", 8)
    frame.colorspace = tag
    clip = Color("bt709", "limited")
    image, _ = ToRGB(clip, alpha=False)(frame)
    np.testing.assert_allclose(image, exact(y, u[0, 0], v[0, 0], clip, 8), atol=1e-6)


def test_ten_bits_keep_all_their_steps():
    frame = av.VideoFrame(1024, 16, "yuv420p10le")
    fill(frame.planes[0], np.tile(np.arange(1024), (16, 1)), 10)
    for plane in frame.planes[1:]:
        fill(plane, np.full((plane.height, plane.width), 512), 10)
    frame.color_range = RANGE_TO_TAG["full"]
    image, _ = ToRGB(GUESS, alpha=False)(frame)
    np.testing.assert_allclose(image[0, :, 1] * 1023, np.arange(1024), atol=1e-3)


@pytest.mark.parametrize(("pixels", "bits"), [("gbrp", 8), ("gbrp10le", 10), ("gbrp16le", 16)])
def test_rgb_formats_come_out_as_they_are(pixels, bits):
    random = np.random.default_rng(1)
    frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
    green, blue, red = (random.integers(0, 2**bits, (HEIGHT, WIDTH)) for _ in range(3))
    for plane, values in zip(frame.planes, (green, blue, red), strict=True):
        fill(plane, values, bits)
    image, _ = ToRGB(GUESS, alpha=False)(frame)
    wanted = np.stack([red, green, blue], -1) / (2**bits - 1)
    np.testing.assert_allclose(image, wanted, atol=2e-5)


@pytest.mark.parametrize(("pixels", "bits"), [("gray", 8), ("gray10le", 10), ("gray16le", 16)])
@pytest.mark.parametrize("spread", ["full", "limited"])
def test_gray_follows_its_range(pixels, bits, spread):
    frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
    step = 2 ** (bits - 8)
    values = np.random.default_rng(2).integers(16 * step, 235 * step, (HEIGHT, WIDTH))
    fill(frame.planes[0], values, bits)
    frame.color_range = RANGE_TO_TAG[spread]
    image, _ = ToRGB(GUESS, alpha=False)(frame)
    wanted = values / (2**bits - 1) if spread == "full" else (values / step - 16) / 219
    np.testing.assert_allclose(image, np.repeat(wanted[..., None], 3, 2), atol=1e-6)


@pytest.mark.parametrize(
    ("pixels", "bits"), [("yuva420p", 8), ("yuva444p10le", 10), ("yuva444p12le", 12)]
)
def test_alpha_is_exact_and_left_out_unless_wanted(pixels, bits):
    frame, planes = luma_chroma(pixels, bits)
    _, alpha = ToRGB(GUESS, alpha=True)(frame)
    np.testing.assert_allclose(alpha, planes[3] / (2**bits - 1), atol=1e-6)
    assert ToRGB(GUESS, alpha=False)(frame)[1] is None


def test_packed_rgb_alpha_is_exact():
    samples = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    frame = av.VideoFrame.from_ndarray(samples, "rgba")
    image, alpha = ToRGB(GUESS, alpha=True)(frame)
    np.testing.assert_allclose(np.dstack([image, alpha]), samples / 255, atol=1e-6)


@pytest.mark.parametrize("pixels", ["nv12", "p010le", "uyvy422", "monow", "ya8", "grayf32le"])
def test_other_formats_are_converted_too(pixels):
    frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    image, _ = ToRGB(GUESS, alpha=False)(frame)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.isfinite(image).all()


def test_chroma_lies_where_the_decoder_says(tmp_path):
    # H.264 has its chroma on even columns: a linear ramp there is met again on every column.
    frame = av.VideoFrame(64, 32, "yuv420p")
    ramp = np.tile(64 + 4 * np.arange(32), (16, 1))
    for plane, values in zip(
        frame.planes, (np.full((32, 64), 120), ramp * 0 + 128, ramp), strict=True
    ):
        fill(plane, values, 8)
    with av.open(tmp_path / "ramp.mkv", "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(tmp_path / "ramp.mkv") as container:
        image, _ = ToRGB(Color("bt601", "full"), alpha=False)(next(container.decode(video=0)))
    v = (image[16, :, 0] * 255 - 120) / 1.402 + 128
    np.testing.assert_allclose(v[8:56], 64 + 2 * np.arange(64)[8:56], atol=0.01)


def test_a_frame_of_another_size_is_scaled_to_the_wanted_one():
    frame, _ = luma_chroma("yuv420p", 8)
    image, _ = ToRGB(GUESS, alpha=False, size=(32, 24))(frame)
    assert image.shape == (24, 32, 3)


def test_bit_depth_counts_the_bits_of_a_sample():
    depths = {"yuv420p": 8, "p010le": 10, "rgb48le": 16, "pal8": 8, "monow": 8}
    for pixels, bits in depths.items():
        assert bit_depth(av.VideoFrame(16, 16, pixels).format) == bits


def test_many_frames_need_the_memory_of_one():
    frame = av.VideoFrame(640, 360, "yuv420p")
    to_rgb = ToRGB(GUESS, alpha=False)
    for _ in range(20):
        to_rgb(frame)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        to_rgb(frame)
    # A scaler for each frame would take 15 MB each.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
