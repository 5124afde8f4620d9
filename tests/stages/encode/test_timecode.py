from __future__ import annotations

from fractions import Fraction

import pytest

from vidstyle.stages.encode.timecode import later_timecode

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "frames", "rate", "wanted"),
    [
        ("10:00:00:00", 50, Fraction(25), "10:00:02:00"),
        ("10:00:00:24", 1, Fraction(25), "10:00:01:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("01:02:03:04", 0, Fraction(24), "01:02:03:04"),
        ("00:00:00:00", 24 * 3600, Fraction(24000, 1001), "01:00:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 17_982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107_892, NTSC, "01:00:00;00"),
        ("00:01:59;29", 1, NTSC, "00:02:00;02"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
    ],
)
def test_a_cut_starts_at_its_own_timecode(text, frames, rate, wanted):
    assert later_timecode(text, frames / rate, rate) == wanted


@pytest.mark.parametrize("text", ["", "10:00", "10:00:00:25", "10:60:00:00", "ab:cd:ef:gh"])
def test_what_is_no_timecode_of_the_rate_has_no_later_one(text):
    assert later_timecode(text, Fraction(1), Fraction(25)) is None
