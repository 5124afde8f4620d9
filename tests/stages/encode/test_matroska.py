from __future__ import annotations

from fractions import Fraction

import av
import pytest

from vidstyle.core import Clip
from vidstyle.stages.encode.matroska import display_size, write_sample_aspect


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((720, 576), Fraction(64, 45), (1024, 576)),
        ((160, 128), Fraction(2, 3), (320, 384)),
        ((100, 100), Fraction(1), (100, 100)),
        ((101, 100), Fraction(1001, 1003), (101, 100)),
    ],
)
def test_the_display_size_is_exact_or_the_nearest(size, aspect, shown):
    assert display_size(size, aspect) == shown


@pytest.mark.parametrize("codec", ["ffv1", "libvpx-vp9"])
def test_the_file_behind_the_description_stays_whole(encode, moving, read, codec):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), sample_aspect=Fraction(64, 45))
    made = encode("out.mkv", moving(8), clip=clip, chunks=[4, 4], codec=codec)
    plain = encode("plain.mkv", moving(8), chunks=[4, 4], codec=codec)
    assert made.path.stat().st_size == plain.path.stat().st_size
    assert len(read(made.path).frames()) == 8
    # A seek uses the index at the end, whose place the first part names.
    with av.open(str(made.path)) as container:
        stream = container.streams.video[0]
        container.seek(240, stream=stream)
        assert next(container.decode(stream)).pts <= 240
        assert stream.sample_aspect_ratio == Fraction(64, 45)


def test_it_can_be_written_again(encode, moving):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), sample_aspect=Fraction(2, 1))
    made = encode("out.mkv", moving(2), clip=clip, codec="ffv1")
    assert write_sample_aspect(made.path, (160, 128), Fraction(3, 2))
    with av.open(str(made.path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(3, 2)


def test_what_is_no_matroska_file_is_left_as_it_is(tmp_path):
    path = tmp_path / "out.mkv"
    for data in (b"", b"something else", bytes(100)):
        path.write_bytes(data)
        assert not write_sample_aspect(path, (160, 128), Fraction(2))
        assert path.read_bytes() == data
