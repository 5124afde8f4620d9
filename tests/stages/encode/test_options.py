from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from pydantic import ValidationError

from vidstyle.core import Clip, Color
from vidstyle.stages.encode.codecs import CODECS
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.encoder import EncodeOptions, new_encoder, resolve


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codec": "libx264", "crf": 52}, "0 to 51"),
        ({"codec": "ffv1", "crf": 10}, "has no crf"),
        ({"codec": "libx264", "preset": 4}, "ultrafast"),
        ({"codec": "libsvtav1", "preset": "fast"}, "0, 1, 2"),
        ({"codec": "libvpx-vp9", "preset": 9}, "no preset 9"),
        ({"codec": "prores_ks", "preset": "fast"}, "has no presets"),
        ({"codec": "libx264", "pixel_format": "bgr0"}, "yuv420p10le"),
        ({"codec": "libx264", "alpha": "keep"}, "libvpx-vp9"),
        ({"codec": "libvpx-vp9", "alpha": "keep", "pixel_format": "yuv444p"}, "yuv420p"),
        ({"codec": "h264"}, "libx264"),
        ({"x264-params": "csv=x"}, "Extra inputs"),
    ],
)
def test_what_a_codec_has_not_is_refused_with_what_it_has(options, message):
    with pytest.raises(ValidationError, match=message):
        EncodeOptions.model_validate(options)


@pytest.mark.parametrize("codec", CODECS)
def test_every_preset_and_pixel_format_of_the_table_opens(codec):
    for alpha in (False, True):
        clip = Clip(160, 128, Fraction(1, 25), Fraction(25), alpha=alpha)
        for pixel_format in ("auto", *CODECS[codec].formats):
            new_encoder(resolve(EncodeOptions(codec=codec, pixel_format=pixel_format), clip, 2))
    for preset in CODECS[codec].presets:
        new_encoder(resolve(EncodeOptions(codec=codec, preset=preset), clip, 2))


def test_every_container_of_a_codec_is_known():
    assert {suffix for codec in CODECS.values() for suffix in codec.suffixes} == set(CONTAINERS)


def test_further_options_may_follow_the_pixel_format() -> None:
    codec = replace(CODECS["ffv1"], extra=lambda threads, pixel_format: {"profile": pixel_format})
    assert codec.options(None, None, 2, "yuv422p", Color()) == {"profile": "yuv422p"}
