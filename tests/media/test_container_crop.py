from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from tests.media.cropped_files import HEIGHT, WIDTH, write_matroska, write_quicktime
from tests.stages.decode.conftest import Opened
from vidstyle.core.errors import InputError
from vidstyle.media.container_crop import Crop


@pytest.mark.parametrize("make", [write_matroska, write_quicktime])
def test_what_the_container_cuts_off_is_cut_off(tmp_path, make):
    clip = Opened(make(tmp_path, Crop(left=16, top=8, right=32, bottom=24)))
    assert (clip.clip.width, clip.clip.height) == (80, 64)
    assert clip.images.shape[1:3] == (64, 80)
    assert clip.images.min() > 0.9


def test_the_clean_aperture_of_an_mp4_counts_too(tmp_path):
    clip = Opened(write_quicktime(tmp_path, Crop(left=16, top=8, right=32, bottom=24), "in.mp4"))
    assert (clip.clip.width, clip.clip.height) == (80, 64)


def test_a_crop_of_everything_is_ignored(tmp_path):
    clip = Opened(write_quicktime(tmp_path, Crop(left=100, top=8, right=100, bottom=24)))
    assert (clip.clip.width, clip.clip.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("make", [write_matroska, write_quicktime])
@pytest.mark.parametrize("seed", range(5))
def test_damaged_headers_never_raise_what_is_not_ours(tmp_path, make, seed):
    path = make(tmp_path, Crop(left=16, top=8, right=32, bottom=24))
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), 40):
        data[at] = random.integers(0, 256)
    path.write_bytes(data)
    with suppress(InputError):
        Opened(path)


def test_a_real_cropped_file(shared_data):
    clip = Opened(shared_data / "reports" / "cropped.mkv")
    assert (clip.clip.width, clip.clip.height) == (280, 160)
    assert clip.clip.sample_aspect.limit_denominator() == pytest.approx(64 / 63)
