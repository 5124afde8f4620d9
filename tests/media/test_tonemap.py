"""From HDR to an ordinary screen."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.media.color import HLG, PQ
from vidstyle.media.tonemap import (
    SDR_WHITE,
    ToneMap,
    compress,
    hlg_to_scene,
    light_to_pq,
    pq_to_light,
)


def gray(code: float) -> np.ndarray:
    return np.full((1, 1, 3), code, np.float32)


def shown(tone: ToneMap, code: float) -> float:
    """cd/m² that a display of gamma 2.4 shows of a gray."""
    return float(tone(gray(code))[0, 0, 1]) ** 2.4 * SDR_WHITE


@pytest.mark.parametrize(("light", "code"), [(100, 0.508), (1000, 0.752), (10000, 1.0), (0, 0)])
def test_pq_gives_the_published_values(light, code):
    assert light_to_pq(np.array(float(light))) == pytest.approx(code, abs=5e-4)


def test_pq_goes_there_and_back():
    code = np.linspace(0.01, 1, 200)
    np.testing.assert_allclose(light_to_pq(pq_to_light(code)), code, rtol=1e-9)


def test_hlg_is_continuous_where_its_two_parts_meet():
    below, above = hlg_to_scene(np.array([0.5, 0.5 + 1e-9]))
    assert below == pytest.approx(1 / 12)
    assert above == pytest.approx(below, abs=1e-6)


@pytest.mark.parametrize("light", [0.1, 1, 10, 50, 90])
def test_dark_and_middle_light_stays_as_it_is(light):
    tone = ToneMap(PQ, 1000)
    assert shown(tone, float(light_to_pq(np.array(float(light))))) == pytest.approx(light, rel=2e-3)


def test_the_peak_becomes_white_and_nothing_is_brighter():
    tone = ToneMap(PQ, 1000)
    assert shown(tone, float(light_to_pq(np.array(1000.0)))) == pytest.approx(SDR_WHITE, rel=1e-3)
    assert tone(gray(1.0)).max() <= 1


def test_compression_never_turns_around():
    light = np.linspace(0, 1000, 2000)
    assert (np.diff(compress(light, 1000)) > 0).all()


def test_light_within_the_screen_is_not_compressed():
    light = np.linspace(0, SDR_WHITE, 50)
    np.testing.assert_array_equal(compress(light, SDR_WHITE), light)


def test_hlg_reference_white_is_203_before_compression():
    # BT.2408: 75 % HLG on a display of 1000 cd/m² is 203 cd/m².
    wanted = float(compress(np.array(203.0), 1000))
    assert shown(ToneMap(HLG, 1000), 0.75) == pytest.approx(wanted, rel=5e-3)


def test_gray_stays_gray_and_a_bright_color_keeps_its_hue():
    tone = ToneMap(PQ, 1000)
    neutral = tone(gray(0.6))[0, 0]
    assert np.ptp(neutral) < 1e-3
    codes = light_to_pq(np.array([250.0, 220.0, 200.0])).astype(np.float32)
    linear = tone(codes.reshape(1, 1, 3))[0, 0] ** 2.4
    matrix = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083]])
    wanted = matrix @ [250, 220, 200]
    assert linear[0] / linear[1] == pytest.approx(wanted[0] / wanted[1], rel=5e-3)
