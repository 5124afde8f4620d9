"""From decoded frames to full-range RGB, exactly."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cache, partial
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from av import VideoFrame
from av.video.format import VideoFormat
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter

from vidstyle.core import Color, HostArray, PlaneFormat, Planes
from vidstyle.core.clip import Matrix, Range
from vidstyle.core.planes import Samples8, Siting
from vidstyle.kernels.color import convert_planes
from vidstyle.kernels.library import can_run
from vidstyle.media.color import (
    LUMA_WEIGHTS,
    MATRIX_TO_SCALER,
    RANGE_TO_TAG,
    TAG_TO_MATRIX,
    UNSPECIFIED,
    color_of,
    has_alpha,
    has_chroma,
    is_gray,
)
from vidstyle.media.device_formats import is_from_device, to_planar
from vidstyle.media.planes import Samples, rows_of
from vidstyle.media.siting import find_siting

# Without BITEXACT swscale's vector code writes rubbish for some 16-bit formats.
_SCALING: Final = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)

# Luma samples a chroma sample, across and down. The letter j says full range.
_PLANAR: Final = {
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "yuv422p": (2, 1),
    "yuvj422p": (2, 1),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
}
_DEPTHS: Final = (8, 9, 10, 12, 14, 16)
_ALPHA_DEPTHS: Final = (8, 9, 10, 12, 16)
# Rows worked on at once, so that what lies between the planes and the result stays in cache.
_STRIP: Final = 64


class ToRGB:
    """Turns frames into float32 RGB, keeping one scaler (PyAV makes 15 MB for each otherwise).

    swscale only brings chroma to the size of luma and unpacks formats. Matrix and range are
    applied here in float32: swscale's own conversion of limited range keeps 8 bits of 10. Planes
    of 8 bits are converted by a kernel, to the same, where there is one.
    Several threads may use it.
    """

    def __init__(self, color: Color, *, alpha: bool, size: tuple[int, int] | None = None) -> None:
        """``color`` holds for what frames do not say; ``size`` is the wanted (width, height)."""
        self._color = color
        self._alpha = alpha
        self._size = size
        self._scaler = VideoReformatter()
        self._lock = threading.Lock()
        self._sitings: dict[str, Siting | None] = {}

    def __call__(self, frame: VideoFrame) -> tuple[HostArray, HostArray | None]:
        """The image, (H, W, 3) in [0, 1], and its alpha, (H, W), where the format has it."""
        color = self._color_of(frame)
        if has_chroma(frame.format):
            planes = self.planes(frame)
            if planes is None:
                return self._from_luma_chroma(frame, color)
            return planes.to_rgb(), None
        if is_gray(frame.format):
            return self._from_gray(frame, color)
        return self._from_rgb(frame, color)

    def planes(self, frame: VideoFrame) -> Planes | None:
        """The frame's own samples, with the image that this makes of it when that is read.

        The frame is kept with them. None for a frame that has not three planes of 8 bits, or NV12,
        of the wanted size, with chroma where ``Siting`` says.
        """
        if is_from_device(frame):
            with self._lock:
                frame = to_planar(frame, self._scaler)
        size = frame.width, frame.height
        chroma = _PLANAR.get(frame.format.name)
        if chroma is None or size != (self._size or size):
            return None
        siting = self._siting_of(frame, chroma)
        if siting is None:
            return None
        color = self._color_of(frame)
        samples = tuple(_planes(frame, 8))
        for plane in samples:
            plane.flags.writeable = False
        form = PlaneFormat(chroma, color.matrix, color.range, siting)
        return Planes(samples, form, partial(self._image, frame, color, samples, form))

    def _image(
        self, frame: VideoFrame, color: Color, samples: tuple[Samples8, ...], form: PlaneFormat
    ) -> HostArray:
        if can_run(frame.height, frame.width):
            return convert_planes(samples, form, decoding_matrix(form.matrix, form.range))
        return self._from_luma_chroma(frame, color)[0]

    def _siting_of(self, frame: VideoFrame, chroma: tuple[int, int]) -> Siting | None:
        """As of the first frame of its format."""
        if chroma == (1, 1):
            return "center"
        name = frame.format.name
        if name not in self._sitings:
            self._sitings[name] = find_siting(frame)
        return self._sitings[name]

    def _color_of(self, frame: VideoFrame) -> Color:
        """The frame's own tags, and the clip's for those that it has not."""
        clip = self._color
        if has_chroma(frame.format) and frame.colorspace not in TAG_TO_MATRIX:
            # A tag that makes no sense, as damaged frames have it.
            frame.colorspace = UNSPECIFIED
        own = color_of(frame, frame.height)
        if own.tagged or clip.matrix == "rgb":
            return own
        spread = own.range if frame.color_range in RANGE_TO_TAG.values() else clip.range
        return replace(own, matrix=clip.matrix, range=spread)

    def _from_luma_chroma(
        self, frame: VideoFrame, color: Color
    ) -> tuple[HostArray, HostArray | None]:
        bits = bit_depth(frame.format)
        alpha = self._alpha and has_alpha(frame.format)
        depth = _at_least(bits, _ALPHA_DEPTHS if alpha else _DEPTHS)
        name = f"yuv{'a' if alpha else ''}444p{'' if depth == 8 else f'{depth}le'}"
        planes = _planes(self._reformat(frame, name, color), depth)
        image = _apply_matrix(planes[:3], decoding_matrix(color.matrix, color.range, depth))
        if not alpha:
            return image, None
        return image, _unit(planes[3], depth)

    def _from_rgb(self, frame: VideoFrame, color: Color) -> tuple[HostArray, HostArray | None]:
        depth = 8 if bit_depth(frame.format) == 8 else 16
        alpha = self._alpha and has_alpha(frame.format)
        name = ("rgba" if depth == 8 else "rgba64le") if alpha else ("rgb24", "rgb48le")[depth > 8]
        samples = _packed(self._reformat(frame, name, color), 4 if alpha else 3, depth)
        image = _unit(samples[..., :3], depth, color)
        return image, _unit(samples[..., 3], depth) if alpha else None

    def _from_gray(self, frame: VideoFrame, color: Color) -> tuple[HostArray, HostArray | None]:
        depth = _at_least(bit_depth(frame.format), _DEPTHS)
        name = "gray" if depth == 8 else f"gray{depth}le"
        (samples,) = _planes(self._reformat(frame, name, color), depth)
        return np.repeat(_unit(samples, depth, color)[..., None], 3, axis=2), None

    def _reformat(self, frame: VideoFrame, name: str, color: Color) -> VideoFrame:
        width, height = self._size or (frame.width, frame.height)
        # Equal on both sides, so that nothing but size and format is converted; swscale always
        # takes RGB and gray as full range.
        matrix = MATRIX_TO_SCALER[color.matrix]
        spread = RANGE_TO_TAG[color.range if name.startswith("yuv") else "full"]
        with self._lock:
            return self._scaler.reformat(
                frame,
                width=width,
                height=height,
                format=name,
                src_colorspace=matrix,
                dst_colorspace=matrix,
                interpolation=_SCALING,
                src_color_range=spread,
                dst_color_range=spread,
                threads=1,
            )


def bit_depth(pixels: VideoFormat) -> int:
    """Bits of a sample of the first component: 8, 10, 12…; palettes count as 8."""
    return max(8, *(part.bits for part in pixels.components))


@cache
def decoding_matrix(matrix: Matrix, spread: Range, depth: int = 8) -> npt.NDArray[np.float32]:
    """Compute the matrix from code values to RGB in [0, 1].

    Args:
        matrix: Between RGB and luma and chroma.
        spread: Of the code values.
        depth: Their bits.

    Returns:
        (3, 4) for (Y, Cb, Cr, 1); nobody may write to it.

    References:
        ITU-T H.273, equations 20 to 25 and 38 to 43.
    """
    kr, kb = LUMA_WEIGHTS[matrix]
    kg = 1 - kr - kb
    from_unit = np.array(
        [
            [1, 0, 2 * (1 - kr)],
            [1, -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg],
            [1, 2 * (1 - kb), 0],
        ]
    )
    step = 2 ** (depth - 8)
    if spread == "full":
        black, luma, chroma = 0, 2**depth - 1, 2**depth - 1
    else:
        black, luma, chroma = 16 * step, 219 * step, 224 * step
    scaled = from_unit / np.array([luma, chroma, chroma])
    offset = scaled @ np.array([black, 128 * step, 128 * step])
    whole: npt.NDArray[np.float32] = np.hstack([scaled, -offset[:, None]]).astype(np.float32)
    whole.flags.writeable = False
    return whole


def _at_least(bits: int, depths: tuple[int, ...]) -> int:
    return next(depth for depth in depths if depth >= bits)


def _planes(frame: VideoFrame, depth: int) -> list[Samples]:
    """Views of the planes of a planar frame without subsampling, less the padding of rows."""
    return [_rows(plane, depth)[:, : plane.width] for plane in frame.planes]


def _packed(frame: VideoFrame, channels: int, depth: int) -> Samples:
    """View of a packed RGB frame as (H, W, channels)."""
    plane = frame.planes[0]
    rows = _rows(plane, depth)[:, : plane.width * channels]
    return rows.reshape(plane.height, plane.width, channels)


def _rows(plane: VideoPlane, depth: int) -> Samples:
    return rows_of(plane).view(np.uint8 if depth == 8 else np.uint16)


def _apply_matrix(planes: list[Samples], matrix: npt.NDArray[np.float32]) -> HostArray:
    height, width = planes[0].shape
    image = np.empty((height, width, 3), np.float32)
    for top in range(0, height, _STRIP):
        rows = slice(top, top + _STRIP)
        codes = cv2.merge([plane[rows] for plane in planes]).astype(np.float32)
        np.clip(cv2.transform(codes, matrix), 0, 1, out=image[rows])
    return image


def _unit(samples: Samples, depth: int, color: Color | None = None) -> HostArray:
    """Code values as [0, 1], after the range of ``color`` or full."""
    largest = 2**depth - 1
    if color is None or color.range == "full":
        return np.multiply(samples, np.float32(1 / largest), dtype=np.float32)
    step = 2 ** (depth - 8)
    unit: HostArray = (samples.astype(np.float32) - 16 * step) / np.float32(219 * step)
    return np.clip(unit, 0, 1, out=unit)
