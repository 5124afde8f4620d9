"""Still images as phones and programs write them: as frames, masks and contents."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

import vidstyle
from tests.stages.decode.conftest import write
from vidstyle.cli.image_files import read_mask, read_still
from vidstyle.core import ExecutionContext
from vidstyle.core.errors import VidstyleError
from vidstyle.runner.execution.events import Result
from vidstyle.stages.decode.image_file import read_image


def _photo() -> Image.Image:
    """96x64, brighter to the right, with a white corner at the top left."""
    image = np.tile(np.linspace(40, 180, 96).astype(np.uint8)[None, :, None], (64, 1, 3))
    image[:16, :16] = 255
    return Image.fromarray(image)


def _write_motion_photo(path: Path) -> Path:
    """A JPEG with a whole MP4 behind it, as phones write it."""
    frames = [np.asarray(_photo())] * 10
    video = write(path.with_suffix(".mp4"), frames, codec="libx264", pixels="yuv420p").read_bytes()
    jpeg = io.BytesIO()
    _photo().save(jpeg, "JPEG", quality=92)
    path.write_bytes(jpeg.getvalue() + video)
    return path


def _write_turned(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    _photo().save(path, exif=exif, lossless=True)
    return path


FILES: dict[str, tuple[Callable[[Path], Path], tuple[int, int]]] = {
    "motion-photo.jpg": (_write_motion_photo, (96, 64)),
    "exif-turned.png": (_write_turned, (64, 96)),
    "exif-turned.webp": (_write_turned, (64, 96)),
}


def _by_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB")) / 255


@pytest.mark.parametrize("file", FILES)
def test_an_image_is_read_whole_and_upright(report, file):
    make, size = FILES[file]
    source = report(file, make)
    colors = read_image(source).colors
    assert colors.shape[1::-1] == size
    # Decoders of JPEG differ by a level or two.
    assert np.abs(colors - _by_pillow(source)).max() < 0.02


@pytest.mark.parametrize("file", FILES)
def test_an_image_is_a_frame(report, tmp_path, file):
    make, size = FILES[file]
    source = report(file, make)
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / source.name).write_bytes(source.read_bytes())
    (frame,) = vidstyle.frames(folder)
    assert frame.host("image").shape[1::-1] == size


@pytest.mark.parametrize("file", FILES)
def test_an_image_is_content_and_mask(report, file):
    make, size = FILES[file]
    source = report(file, make)
    still = read_still(source, max(size))
    assert still.colors.shape[1::-1] == size
    assert read_mask(source, still).shape[::-1] == size


@pytest.mark.parametrize("file", FILES)
def test_an_image_is_a_mask_of_a_clip_of_its_shape(report, tmp_path, file):
    make, size = FILES[file]
    options = {"stylize.mask": str(report(file, make)), "stylize.style": "great-wave"}
    for width, height in (size, size[::-1]):
        clip = write(tmp_path / "clip.mkv", [np.full((height, width, 3), 90, np.uint8)] * 2)

        def run(source: Path = clip) -> Result:
            made = source.with_name("out.mp4")
            return vidstyle.run(
                "per-frame", source, made, options=options, device="cpu", overwrite=True
            )

        if (width, height) == size:
            assert run().frames == 2
        else:
            with pytest.raises(VidstyleError, match="shape"):
                run()


def test_a_color_profile_is_named(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    _photo().save(folder / "1.png", icc_profile=profile.tobytes())
    clip = vidstyle.stage("decode/images").open(folder, ExecutionContext())
    (note,) = clip.notes
    assert note.text.startswith("the color profile Lab")
    assert read_still(folder / "1.png", 96).notes == (note,)
    _photo().save(folder / "1.png")
    assert vidstyle.stage("decode/images").open(folder, ExecutionContext()).notes == ()
