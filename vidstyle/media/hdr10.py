"""HDR10 metadata: read from frames, and written as encoders take it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from vidstyle.core import Color, LightLevels, Mastering

# FFmpeg's AVMasteringDisplayMetadata: x and y of red, green, blue and white, least and most light,
# all as numerator and denominator; then whether there are colors, and whether there is light.
_MASTERING: Final = struct.Struct("22i")
# FFmpeg's AVContentLightMetadata.
_LIGHT: Final = struct.Struct("2I")
# Units of H.264 and H.265 (ITU-T H.265, D.3.28): of coordinates, and of luminance in cd/m².
_COORDINATE, _LUMINANCE = 50_000, 10_000
# cd/m². PQ ends here; light levels have 16 bits.
_BRIGHTEST, _MOST_LIGHT = 10_000, 65_535


def with_hdr10(color: Color, side_data: Mapping[str, Any]) -> Color:
    """Add a frame's HDR10 metadata to its color.

    Args:
        color: Of the frame.
        side_data: Of the frame, by ``side_data_of``.

    Returns:
        The color; without what the frame lacks, has in part, or has with values that encoders
        refuse.

    References:
        SMPTE ST 2086; CTA-861.3.
    """
    mastering = side_data.get("MASTERING_DISPLAY_METADATA")
    light = side_data.get("CONTENT_LIGHT_LEVEL")
    return replace(
        color,
        mastering=None if mastering is None else _mastering(bytes(mastering)),
        light_levels=None if light is None else _light_levels(bytes(light)),
    )


def _mastering(data: bytes) -> Mastering | None:
    *numbers, has_colors, has_light = _MASTERING.unpack_from(data)
    denominators = numbers[1::2]
    if not (has_colors and has_light and all(denominators)):
        return None
    values = [Fraction(*pair) for pair in zip(numbers[::2], denominators, strict=True)]
    points, (darkest, brightest) = values[:8], values[8:]
    if not (all(0 <= value <= 1 for value in points) and 0 <= darkest < brightest <= _BRIGHTEST):
        return None
    return Mastering(tuple(zip(points[::2], points[1::2], strict=True)), darkest, brightest)


def _light_levels(data: bytes) -> LightLevels | None:
    levels = _LIGHT.unpack_from(data)
    return LightLevels(*levels) if max(levels) <= _MOST_LIGHT else None


@dataclass(frozen=True, slots=True)
class HDR10Words:
    """How an encoder takes HDR10 metadata."""

    option: str
    """FFmpeg's option for parameters of the encoder's own."""
    mastering: str
    """The parameter for the display."""
    light: str
    """The parameter for the light levels."""
    in_units: bool = True
    """Whether the display is in whole units of H.265, rather than in numbers."""

    def add_to(self, options: dict[str, str], color: Color) -> dict[str, str]:
        """Add a color's metadata to options.

        Args:
            options: Of FFmpeg's encoder.
            color: Of the video.

        Returns:
            The same options where the color has none.
        """
        words = [options[self.option]] if self.option in options else []
        if color.mastering is not None:
            display = _in_units if self.in_units else _in_numbers
            words.append(f"{self.mastering}={display(color.mastering)}")
        if color.light_levels is not None:
            levels = color.light_levels
            words.append(f"{self.light}={levels.content},{levels.frame_average}")
        return {**options, self.option: ":".join(words)} if words else options


def _in_units(mastering: Mastering) -> str:
    points = [[round(value * _COORDINATE) for value in point] for point in mastering.primaries]
    light = [round(v * _LUMINANCE) for v in (mastering.brightest, mastering.darkest)]
    return _words([*points, light])


def _in_numbers(mastering: Mastering) -> str:
    points = [[f"{float(value):.5f}" for value in point] for point in mastering.primaries]
    light = [f"{float(v):.4f}" for v in (mastering.brightest, mastering.darkest)]
    return _words([*points, light])


def _words(pairs: list[list[Any]]) -> str:
    red, green, blue, white, light = (f"({one},{other})" for one, other in pairs)
    return f"G{green}B{blue}R{red}WP{white}L{light}"
