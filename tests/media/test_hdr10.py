from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from vidstyle.core import Color, LightLevels, Mastering
from vidstyle.media.hdr10 import HDR10Words, with_hdr10

# Display P3 with D65 (SMPTE ST 2086, annex B), of 0.005 to 1000 cd/m².
POINTS = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329))
P3 = Mastering(
    tuple((Fraction(str(x)), Fraction(str(y))) for x, y in POINTS), Fraction(1, 200), Fraction(1000)
)


def _bytes(mastering: Mastering, *, colors: int = 1, light: int = 1, zero: int = -1) -> bytes:
    values = [v for point in mastering.primaries for v in point]
    values += [mastering.darkest, mastering.brightest]
    numbers = [part for value in values for part in (value.numerator, value.denominator)]
    if zero >= 0:
        numbers[zero] = 0
    return struct.pack("22i", *numbers, colors, light)


def test_a_display_and_light_levels_are_read():
    data = {
        "MASTERING_DISPLAY_METADATA": _bytes(P3),
        "CONTENT_LIGHT_LEVEL": struct.pack("2I", 1000, 400),
    }
    color = with_hdr10(Color("bt2020"), data)
    assert (color.matrix, color.mastering) == ("bt2020", P3)
    assert color.light_levels == LightLevels(1000, 400)


def test_the_words_of_encoders_are_those_of_their_manuals():
    color = Color("bt2020", mastering=P3, light_levels=LightLevels(1000, 400))
    assert HDR10Words("x265-params", "master-display", "max-cll").add_to({}, color) == {
        "x265-params": "master-display="
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
    }
    words = HDR10Words("svtav1-params", "mastering-display", "content-light", in_units=False)
    assert words.add_to({"svtav1-params": "lp=2", "crf": "20"}, color) == {
        "svtav1-params": "lp=2:mastering-display=G(0.26500,0.69000)B(0.15000,0.06000)"
        "R(0.68000,0.32000)WP(0.31270,0.32900)L(1000.0000,0.0050):content-light=1000,400",
        "crf": "20",
    }


def test_a_color_without_metadata_adds_nothing():
    words = HDR10Words("x264-params", "mastering-display", "cll")
    for options in ({}, {"x264-params": "asm=avx2"}):
        assert words.add_to(options, Color()) == options


@pytest.mark.parametrize(
    "data",
    [
        _bytes(P3, colors=0),
        _bytes(P3, light=0),
        _bytes(P3, zero=1),
        _bytes(Mastering(((Fraction(2), Fraction(0)),) * 4, Fraction(0), Fraction(1))),
        _bytes(Mastering(P3.primaries, Fraction(5), Fraction(1))),
        _bytes(Mastering(P3.primaries, Fraction(0), Fraction(20_000))),
    ],
)
def test_what_encoders_refuse_is_not_passed_on(data):
    side_data = {
        "MASTERING_DISPLAY_METADATA": data,
        "CONTENT_LIGHT_LEVEL": struct.pack("2I", 1 << 20, 1),
    }
    color = with_hdr10(Color(), side_data)
    assert (color.mastering, color.light_levels) == (None, None)


def test_plain_frames_have_none():
    assert with_hdr10(Color(), {}) == Color()
