from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from vidstyle.imaging.color_profile import color_profile

KINDS = ("PNG", "JPEG", "WEBP", "TIFF")


def _described(name: str, version: int) -> bytes:
    """A profile of which the description alone is there."""
    if version == 2:
        text = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name.encode() + b"\0"
    else:
        coded = name.encode("utf-16-be")
        text = b"mluc" + bytes(4) + struct.pack(">II", 1, 12) + b"enUS"
        text += struct.pack(">II", len(coded), 28) + coded
    tags = struct.pack(">I4sII", 1, b"desc", 144, len(text))
    header = bytearray(128)
    header[:4] = (144 + len(text)).to_bytes(4)
    header[8], header[36:40] = version, b"acsp"
    return bytes(header) + tags + text


def _image(kind: str, profile: bytes | None) -> bytes:
    target = io.BytesIO()
    more = {} if profile is None else {"icc_profile": profile}
    Image.fromarray(np.full((8, 12, 3), 90, np.uint8)).save(target, kind, **more)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", [2, 4])
def test_a_profile_is_named(kind, version):
    data = _image(kind, _described("Display P3", version))
    assert color_profile(data) == "Display P3"


@pytest.mark.parametrize("kind", KINDS)
def test_images_without_a_profile_and_srgb_have_none(kind):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert "sRGB" in ImageCms.getProfileDescription(srgb)
    assert color_profile(_image(kind, None)) is None
    assert color_profile(_image(kind, srgb.tobytes())) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_is_the_one_that_a_library_of_profiles_reads(kind):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    name = ImageCms.getProfileDescription(lab).strip()
    assert color_profile(_image(kind, lab.tobytes())) == name


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_no_error(kind):
    data = bytearray(_image(kind, _described("Display P3", 4)))
    random = np.random.default_rng(0)
    for _ in range(300):
        changed = data.copy()
        for at in random.integers(0, len(data), 6):
            changed[at] = random.integers(0, 256)
        name = color_profile(bytes(changed[: random.integers(1, len(data))]))
        assert name is None or (name.isprintable() and len(name) <= 60)


def test_a_name_of_another_kind_is_unnamed():
    assert color_profile(_image("PNG", _described("\n\t", 4))) == "unnamed"
