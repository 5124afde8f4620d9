"""The photos for previews are there, credited, and missed with a clear word."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from samples.photos import HEIGHT, PHOTOS, WIDTH, Photo
from vidstyle.core.errors import InputError


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.file)
def test_a_photo_is_shown_at_the_size_of_a_preview(photo: Photo) -> None:
    pixels = photo.pixels()
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    whole = getattr(skimage.data, Path(photo.file).stem)()
    left, top = photo.corner
    high = photo.width * HEIGHT // WIDTH
    assert left + photo.width <= whole.shape[1]
    assert top + high <= whole.shape[0]
    part = whole[top : top + high, left : left + photo.width]
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), part.mean(axis=(0, 1)), atol=0.5)


def test_a_part_at_its_own_size_is_left_as_it_is() -> None:
    astronaut = PHOTOS[0]
    whole = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # has no annotations
    np.testing.assert_array_equal(astronaut.pixels(), whole[:HEIGHT])


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.file)
def test_scikit_image_says_that_a_photo_may_be_used(photo: Photo) -> None:
    terms = " ".join(str(getattr(skimage.data, Path(photo.file).stem).__doc__).split())
    assert photo.license in terms
    assert photo.credit.split(",")[0].removesuffix(" Great Images") in terms


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="scikit-image, which is not installed: pip install"):
        PHOTOS[0].pixels()


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_a_missing_or_damaged_photo_is_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    if content is not None:
        (tmp_path / "data" / "astronaut.png").write_bytes(content)
    spec = ModuleSpec("skimage", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(InputError, match=r"astronaut\.png is missing or damaged"):
        PHOTOS[0].pixels()
