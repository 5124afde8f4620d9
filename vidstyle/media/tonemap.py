"""From HDR (PQ or HLG, BT.2020) to what an ordinary screen shows (BT.709)."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import HostArray
from vidstyle.media.color import HLG

Curve = npt.NDArray[np.float64]

SDR_WHITE: Final = 203.0
"""cd/m² of the white that an ordinary screen shows as its brightest (BT.2408, table 1)."""

# Entries of the tables below: 16 for each code value of a 12-bit file.
_STEPS: Final = 65536

# BT.2087: linear light, from the primaries of BT.2020 to those of BT.709.
_BT2020_TO_BT709: Final = np.array(
    [
        [1.6605, -0.5876, -0.0728],
        [-0.1246, 1.1329, -0.0083],
        [-0.0182, -0.1006, 1.1187],
    ],
    np.float32,
)


class ToneMap:
    """Maps the light of one HDR clip into the range of BT.709, keeping hue.

    Light up to about half of SDR white stays as it is; brighter light is compressed by the
    EETF of BT.2390-8, section 5.4.1, applied to the largest of R, G and B, so that the ratio
    of the three is kept. Colors outside of BT.709 are clipped. The result is coded for a
    display of gamma 2.4 (BT.1886).
    """

    def __init__(self, transfer: int, peak: float) -> None:
        """``transfer`` is the code of PQ or HLG; ``peak`` the brightest light in cd/m²."""
        code = np.linspace(0, 1, _STEPS)
        self._hlg = transfer == HLG
        # HLG is scene light: its system gamma needs the pixel's luminance and comes later.
        self._to_light = (hlg_to_scene(code) if self._hlg else pq_to_light(code)).astype(np.float32)
        self._peak = peak
        light = peak * code**4
        mapped = compress(light, peak)
        gain = np.divide(mapped, light, out=np.ones_like(light), where=light > 0)
        self._gain = (gain / SDR_WHITE).astype(np.float32)

    def __call__(self, image: HostArray) -> HostArray:
        """(H, W, 3) in [0, 1] as the file codes it, to the same shape and range in BT.709."""
        light = _look_up(self._to_light, image)
        if self._hlg:
            light = _scene_to_display(light, self._peak)
        brightest = light.max(axis=2)
        # The table of gains is over the fourth root of light, which spreads the dark evenly.
        position = np.sqrt(np.sqrt(brightest * np.float32(1 / self._peak)))
        gain = _look_up(self._gain, position)
        shown = cv2.transform(light * gain[..., None], _BT2020_TO_BT709)
        return np.power(np.clip(shown, 0, 1), np.float32(1 / 2.4))


def pq_to_light(code: Curve) -> Curve:
    """SMPTE ST 2084: from [0, 1] to cd/m²."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    light: Curve = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return light


def light_to_pq(light: Curve) -> Curve:
    """SMPTE ST 2084: from cd/m² to [0, 1]."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (light / 10000) ** m1
    code: Curve = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    return code


def hlg_to_scene(code: Curve) -> Curve:
    """BT.2100, table 5: inverse OETF, from [0, 1] to scene light in [0, 1]."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def compress(light: Curve, peak: float, white: float = SDR_WHITE) -> Curve:
    """BT.2390-8, section 5.4.1: light of up to ``peak`` into [0, ``white``], both cd/m²."""
    largest = float(light_to_pq(np.array(peak)))
    code = light_to_pq(light) / largest
    limit = float(light_to_pq(np.array(white))) / largest
    knee = 1.5 * limit - 0.5
    if limit >= 1:
        return light
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * limit
    )
    return pq_to_light(np.where(code < knee, code, spline) * largest)


def _scene_to_display(scene: HostArray, peak: float) -> HostArray:
    """BT.2100, table 5: the OOTF, with the system gamma of a display of ``peak`` cd/m²."""
    gamma = 1.2 + 0.42 * np.log10(peak / 1000)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    gain = np.float32(peak) * np.power(luminance, np.float32(gamma - 1))
    display: HostArray = scene * gain[..., None]
    return display


def _look_up(table: HostArray, position: HostArray) -> HostArray:
    """The nearest entries of a table over [0, 1]."""
    index = np.clip(position, 0, 1) * np.float32(_STEPS - 1) + np.float32(0.5)
    return table[index.astype(np.uint16)]
