"""Images as the encoder wants them: float RGB to the samples of a pixel format.

The matrix is applied here in float, not by FFmpeg's scaler: one rounding, at the very end,
and no assumption of BT.601 for what comes from RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from av import VideoFrame

from vidstyle.core import Color, HostArray, PlaneFormat, Planes
from vidstyle.core.planes import Siting
from vidstyle.kernels.color import fill_planes
from vidstyle.kernels.library import can_run
from vidstyle.media.color import LUMA_WEIGHTS, MATRIX_TO_TAG, RANGE_TO_TAG
from vidstyle.media.planes import Samples, fill


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How a pixel format stores its samples."""

    bits: int = 8
    rgb: bool = False
    alpha: bool = False
    packed: str = ""
    """Order of the channels where they are bytes in one plane; empty for one plane a channel."""
    chroma: tuple[int, int] = (1, 1)
    """Luma samples a chroma sample, across and down."""


LAYOUTS: Final[dict[str, PixelLayout]] = {
    "yuv420p": PixelLayout(chroma=(2, 2)),
    "yuv422p": PixelLayout(chroma=(2, 1)),
    "yuv444p": PixelLayout(),
    "yuv420p10le": PixelLayout(10, chroma=(2, 2)),
    "yuv422p10le": PixelLayout(10, chroma=(2, 1)),
    "yuv444p10le": PixelLayout(10),
    "yuva420p": PixelLayout(alpha=True, chroma=(2, 2)),
    "yuva422p": PixelLayout(alpha=True, chroma=(2, 1)),
    "yuva444p": PixelLayout(alpha=True),
    "yuva420p10le": PixelLayout(10, alpha=True, chroma=(2, 2)),
    "yuva422p10le": PixelLayout(10, alpha=True, chroma=(2, 1)),
    "yuva444p10le": PixelLayout(10, alpha=True),
    "rgb24": PixelLayout(rgb=True, packed="rgb"),
    "bgr24": PixelLayout(rgb=True, packed="bgr"),
    "rgba": PixelLayout(rgb=True, packed="rgba", alpha=True),
    "bgr0": PixelLayout(rgb=True, packed="bgra"),
    "bgra": PixelLayout(rgb=True, packed="bgra", alpha=True),
    "gbrp": PixelLayout(rgb=True),
    "gbrap": PixelLayout(rgb=True, alpha=True),
    "gbrp10le": PixelLayout(10, rgb=True),
    "gbrap10le": PixelLayout(10, rgb=True, alpha=True),
    "gbrp12le": PixelLayout(12, rgb=True),
    "gbrap12le": PixelLayout(12, rgb=True, alpha=True),
    "gbrp16le": PixelLayout(16, rgb=True),
    "gbrap16le": PixelLayout(16, rgb=True, alpha=True),
}
"""The formats that ``FromRgb`` writes, by FFmpeg's name."""


_FROM_RGB: Final = {
    "rgb": None,
    "bgr": cv2.COLOR_RGB2BGR,
    "rgba": cv2.COLOR_RGB2RGBA,
    "bgra": cv2.COLOR_RGB2BGRA,
}

# Rows and pixels of a strip at most: what lies between image and planes stays in the cache.
_STRIP_ROWS: Final = 96
_STRIP_PIXELS: Final = 180_000


class FromRgb:
    """Makes frames of one pixel format, size and color, tagged with that color.

    ``width`` and ``height`` may exceed the images': the last column and row are repeated.
    The color's matrix is ``rgb`` exactly for the RGB formats. Raises ValueError otherwise.
    ``siting`` is where decoders of the codec will take chroma to lie; down, it is always
    between two lines.
    """

    def __init__(
        self,
        pixel_format: str,
        color: Color,
        *,
        width: int,
        height: int,
        siting: Siting = "center",
    ) -> None:
        self._siting: Siting = siting
        self._layout = LAYOUTS[pixel_format]
        if self._layout.rgb != (color.matrix == "rgb"):
            raise ValueError(f"matrix {color.matrix} does not go with {pixel_format}")
        self._name, self._color = pixel_format, color
        self._width, self._height = width, height
        # Even, so that a strip holds whole chroma samples.
        self._strip_rows = max(2, min(_STRIP_ROWS, _STRIP_PIXELS // width) // 2 * 2)
        self._matrix = code_matrix(color, self._layout.bits)
        layout = self._layout
        self._plane_format: PlaneFormat | None = None
        if layout.bits == 8 and not layout.rgb and not layout.alpha:
            self._plane_format = PlaneFormat(
                layout.chroma,
                color.matrix,
                color.range,
                siting if layout.chroma[0] == 2 else "center",
            )

    def __call__(self, image: HostArray, alpha: HostArray | None = None) -> VideoFrame:
        """A frame of the image, (H, W, 3) RGB in [0, 1], and (H, W) opacity.

        Values outside are clamped. Without ``alpha`` a format that has it is opaque.
        """
        frame = VideoFrame(self._width, self._height, self._name)
        planes = visible_planes(frame)
        if self._plane_format is not None and self._fits(image):
            fill_planes(image, self._plane_format, self._matrix, planes)
        else:
            self._fill_strips(planes, image, alpha)
        self._tag(frame)
        return frame

    def _fits(self, image: HostArray) -> bool:
        """Whether a kernel takes the image."""
        size = self._height, self._width
        return image.shape[:2] == size and image.dtype == np.float32 and can_run(*size)

    def _fill_strips(
        self, planes: list[Samples], image: HostArray, alpha: HostArray | None
    ) -> None:
        for top in range(0, self._height, self._strip_rows):
            height = min(self._strip_rows, self._height - top)
            strip = self._strip(image, top, height)
            opacity = None if alpha is None else self._strip(alpha, top, height)
            if self._layout.packed:
                channels = [self._pixels(strip, opacity)]
            else:
                channels = self._channels(strip, opacity)
            for plane, channel in zip(planes, channels, strict=True):
                down = -(-self._height // plane.shape[0])
                target = plane[top // down : -(-(top + height) // down)]
                target[:] = channel[: target.shape[0], : target.shape[1]]

    def takes(self, planes: Planes) -> bool:
        """Whether the samples are those of a frame as they are: same format, size and color."""
        size = self._height, self._width
        return planes.format == self._plane_format and planes.luma.shape == size

    def of_planes(self, planes: Planes) -> VideoFrame:
        """A frame of the samples, bit for bit. Raises ValueError where it does not take them."""
        if not self.takes(planes):
            raise ValueError(f"planes {planes.format} are not samples of {self._name}")
        frame = VideoFrame(self._width, self._height, self._name)
        for target, samples in zip(visible_planes(frame), planes.samples, strict=True):
            target[:] = samples
        self._tag(frame)
        return frame

    def again(self, data: bytes) -> VideoFrame:
        """The frame whose ``vidstyle.media.planes.samples`` these are."""
        frame = VideoFrame(self._width, self._height, self._name)
        fill(frame, data)
        self._tag(frame)
        return frame

    def _strip(self, array: HostArray, top: int, height: int) -> HostArray:
        """Rows of the array, clamped, with the edge repeated up to whole chroma samples."""
        across, down = self._layout.chroma
        inside = np.clip(array[min(top, array.shape[0] - 1) : top + height], 0.0, 1.0)
        rows = -(-height // down) * down - inside.shape[0]
        columns = -(-self._width // across) * across - inside.shape[1]
        if not rows and not columns:
            return inside
        return _float(cv2.copyMakeBorder(inside, 0, rows, 0, columns, cv2.BORDER_REPLICATE))

    def _pixels(self, image: HostArray, opacity: HostArray | None) -> Samples:
        pixels = np.asarray(cv2.convertScaleAbs(image, alpha=255.0), np.uint8)
        order = _FROM_RGB[self._layout.packed]
        if order is not None:
            pixels = np.asarray(cv2.cvtColor(pixels, order), np.uint8)
        if opacity is not None and self._layout.alpha:
            pixels[..., 3] = cv2.convertScaleAbs(opacity, alpha=255.0)
        return pixels.reshape(pixels.shape[0], -1)

    def _channels(self, image: HostArray, opacity: HostArray | None) -> list[Samples]:
        """The strip's planes in the format's order."""
        bits = self._layout.bits
        # One row at a time: cv2.split of three float channels takes 50 times as long.
        luma, *others = self._matrix
        coarse = _fewer(image, self._layout.chroma, self._siting)
        planes = [_float(cv2.transform(image, luma[None]))]
        planes += [_float(cv2.transform(coarse, row[None])) for row in others]
        if self._layout.alpha:
            opaque = np.ones(image.shape[:2], np.float32) if opacity is None else opacity
            planes.append(opaque * np.float32((1 << bits) - 1))
        return [_rounded(plane, bits) for plane in planes]

    def _tag(self, frame: VideoFrame) -> None:
        frame.colorspace = MATRIX_TO_TAG[self._color.matrix]
        frame.color_range = RANGE_TO_TAG[self._color.range]
        frame.color_primaries = self._color.primaries
        frame.color_trc = self._color.transfer


def code_matrix(color: Color, bits: int) -> npt.NDArray[np.float64]:
    """The (3, 4) matrix from (R, G, B, 1) in [0, 1] to Y, Cb, Cr in code values (H.273, 8.3).

    For the matrix ``rgb`` to G, B, R, as FFmpeg orders those planes.
    """
    step, top = 1 << (bits - 8), (1 << bits) - 1
    if color.matrix == "rgb":
        return np.eye(3, 4)[[1, 2, 0]] * top
    red, blue = LUMA_WEIGHTS[color.matrix]
    luma = np.array([red, 1 - red - blue, blue])
    rows = np.stack(
        [
            luma,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)),
        ]
    )
    limited = color.range == "limited"
    scale = np.array([219 * step, 224 * step, 224 * step] if limited else [top] * 3, np.float64)
    offset = np.array([16 * step if limited else 0, 128 * step, 128 * step], np.float64)
    return np.concatenate([rows * scale[:, None], offset[:, None]], axis=1)


def visible_planes(frame: VideoFrame) -> list[Samples]:
    """The frame's planes as (height, samples) views without the padding at the lines' ends."""
    deep = frame.format.components[0].bits > 8
    kind = np.uint16 if deep else np.uint8
    one = len(frame.planes) == 1 and frame.format.is_rgb
    packed = frame.format.padded_bits_per_pixel // 8 if one else 1
    return [
        np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width * packed]
        for plane in frame.planes
    ]


def _fewer(image: HostArray, chroma: tuple[int, int], siting: Siting) -> HostArray:
    """The image at chroma samples, each the mean of what lies around it.

    The matrix comes after it: then it has as few pixels to do.
    """
    across, down = chroma
    if chroma == (1, 1):
        return image
    if down == 2:
        image = _float(cv2.addWeighted(image[::2], 0.5, image[1::2], 0.5, 0))
    height, width = image.shape[0], image.shape[1] // across
    # Halves across, by pairs: bilinear samples in the middle between two.
    means = _float(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    if siting == "center":
        return means
    # 1-2-1 around the left one of each pair is the mean of that pair and the one before it, which
    # begins a pixel earlier; the edge is repeated.
    before = np.empty_like(means)
    before[:, 0] = image[:, 0]
    if width > 1:
        size = width - 1, height
        cv2.resize(image[:, 1:-1], size, dst=before[:, 1:], interpolation=cv2.INTER_LINEAR)
    return _float(cv2.addWeighted(means, 0.5, before, 0.5, 0))


def _rounded(plane: HostArray, bits: int) -> Samples:
    """Nearest code values; full-range chroma reaches half a step over the top."""
    if bits == 8:
        # Nothing is below 0 here, or the absolute value would show it as bright.
        return np.asarray(cv2.convertScaleAbs(plane), np.uint8)
    codes: Samples = np.minimum(plane + np.float32(0.5), np.float32((1 << bits) - 1))
    return codes.astype(np.uint16)


def _float(array: npt.NDArray[np.generic] | cv2.typing.MatLike) -> HostArray:
    return np.asarray(array, np.float32)
