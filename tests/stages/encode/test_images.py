from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.stages.encode.conftest import RATE
from tests.stages.encode.described_files import write_with_titles
from vidstyle.core import Clip, Color, FrameTime, LightLevels, Original, OtherStream
from vidstyle.core.errors import OutputError, PipelineError
from vidstyle.stages.encode.images import STAGE, EncodeImages
from vidstyle.testing import checks_for_sink


@pytest.fixture
def encode(encode):
    encode.sink = EncodeImages
    return encode


@pytest.mark.parametrize(("name", "check"), checks_for_sink(EncodeImages, ""))
def test_keeps_to_the_contract(name, check):
    check()


def _image(path: Path) -> np.ndarray:
    """RGB or RGBA codes by OpenCV."""
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(found, cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(("depth", "bits", "kind"), [(8, 8, "uint8"), (10, 16, "uint16")])
def test_images_hold_the_nearest_codes(encode, moving, depth, bits, kind):
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25), bit_depth=depth)
    made = encode("out", moving(4), clip=clip, chunks=[3, 1])
    for number, image in enumerate(moving(4)):
        found = _image(made.path / f"{number:06d}.png")
        assert found.dtype == kind
        assert np.abs(found - image.astype(np.float64) * (2**bits - 1)).max() <= 0.51


def test_the_list_names_our_files_and_their_times(encode, moving):
    times = [FrameTime(7, 3), FrameTime(10, 50)]
    made = encode("out", moving(2), clip=Clip(160, 128, Fraction(1, 90)), times=times)
    listed = json.loads((made.path / "vidstyle.json").read_text())
    assert listed == {
        "files": ["000000.png", "000001.png"],
        "time_base": "1/90",
        "frame_rate": None,
        "times": [[7, 3], [10, 50]],
    }
    assert {entry.name for entry in made.path.iterdir()} == {*listed["files"], "vidstyle.json"}


def test_opacity_is_kept_or_shown_on_black(encode, moving):
    alpha = np.linspace(0, 1, 160, dtype=np.float32)[None].repeat(128, 0)
    kept = encode("kept", moving(1), alphas=[alpha])
    found = _image(kept.path / "000000.png") / 255
    assert np.abs(found[..., 3] - alpha).max() <= 0.51 / 255
    assert np.abs(found[..., :3] - moving(1)[0]).max() <= 0.51 / 255
    dropped = encode("dropped", moving(1), alphas=[alpha], alpha="drop")
    found = _image(dropped.path / "000000.png") / 255
    assert np.abs(found - moving(1)[0] * alpha[..., None]).max() <= 0.51 / 255


def test_hashes_follow_the_image(encode, moving):
    made = encode("out", moving(3))
    assert len(set(made.digests)) == 3
    assert encode("again", moving(3), compression=9).digests == made.digests


def test_what_a_folder_cannot_store_is_noted(encode, moving):
    clip = Clip(160, 128, Fraction(1, 25), streams=(OtherStream(1, "audio", "aac"),))
    (note,) = encode("out", moving(1), clip=clip).notes
    assert "audio" in note.text


def test_bits_that_images_do_not_store_are_noted(encode, moving):
    clip = Clip(160, 128, 1 / RATE, RATE, bit_depth=10)
    assert encode("out", moving(1), clip=clip).notes == []
    (note,) = encode("out", moving(1), clip=clip, bits=8).notes
    assert note.text == "images store 8 of the clip's 10 bits; bits auto keeps more"


def test_square_pixels_light_levels_and_lost_titles_are_noted(encode, moving, tmp_path):
    color = Color(light_levels=LightLevels(1000, 400))
    clip = Clip(160, 128, 1 / RATE, RATE, sample_aspect=Fraction(4, 3), color=color)
    source = write_with_titles(tmp_path / "in.mp4", {"title": "Waves"}, {})
    notes = encode("out", moving(1), clip=clip, original=Original(source)).notes
    assert [note.text for note in notes] == [
        "images do not store the sample aspect 4/3: pixels are shown square",
        "images store no HDR10 metadata: left out",
        "a folder of images keeps no titles: title",
    ]


def test_the_name_of_a_video_is_refused():
    sink = STAGE(STAGE.Options())
    with pytest.raises(PipelineError, match="folder"):
        sink.check(Path("out.mp4"), Clip(160, 128, Fraction(1, 25)))
    assert sink.suffix == ""


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    sink = STAGE(STAGE.Options())
    with pytest.raises(OutputError, match="not a folder"):
        sink.check(tmp_path / "out", Clip(160, 128, Fraction(1, 25)))


def test_a_failing_disk_is_an_output_error(encode, moving, monkeypatch):
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"No space left.*-o"):
        encode("out", moving(2))


def test_the_name_of_an_image_writes_that_image_alone(encode, moving):
    made = encode("out.png", moving(1))
    assert made.path.is_file()
    whole = encode("out", moving(1))
    assert (whole.path / "000000.png").read_bytes() == made.path.read_bytes()


@pytest.mark.parametrize(
    ("name", "start", "bound"),
    [
        ("out.jpg", b"\xff\xd8", 6),
        ("out.JPEG", b"\xff\xd8", 6),
        ("out.webp", b"RIFF", 8),
        ("out.tiff", b"II*\0", 0.51),
        ("out.bmp", b"BM", 0.51),
    ],
)
def test_the_suffix_chooses_the_format(encode, moving, name, start, bound):
    made = encode(name, moving(1))
    assert made.path.read_bytes().startswith(start)
    assert np.abs(_image(made.path) - moving(1)[0] * 255.0).mean() <= bound


def test_lower_quality_makes_smaller_files_of_the_same_frames(encode, moving):
    fine, small = encode("a.jpg", moving(1)), encode("b.jpg", moving(1), quality=20)
    assert small.path.stat().st_size < fine.path.stat().st_size
    assert small.digests == fine.digests


def test_what_a_format_does_not_store_is_noted_and_shown_on_black(encode, moving):
    alpha = np.linspace(0, 1, 160, dtype=np.float32)[None].repeat(128, 0)
    clip = Clip(160, 128, 1 / RATE, RATE, bit_depth=10, alpha=True)
    made = encode("out.bmp", moving(1), clip=clip, alphas=[alpha])
    assert [note.text for note in made.notes] == [
        ".bmp stores 8 of 16 bits; .png and .tiff keep them",
        ".bmp stores no transparency: shown on black; .png keeps it",
    ]
    shown = moving(1)[0] * alpha[..., None] * 255.0
    assert np.abs(_image(made.path) - shown).max() <= 0.52
    kept = encode("out.tiff", moving(1), clip=clip, alphas=[alpha])
    assert kept.notes == []
    found = _image(kept.path)
    assert found.dtype == np.uint16
    assert np.abs(found[..., 3] / 65535 - alpha).max() <= 0.51 / 65535


def test_a_clip_of_several_frames_is_no_image(encode, moving):
    with pytest.raises(PipelineError, match=r"out.png is one image, and the clip has 2 frames"):
        encode("out.png", moving(2))
    sink = STAGE(STAGE.Options())
    with pytest.raises(PipelineError, match=r"--frames N:N\+1, or name a folder, as in -o out/"):
        sink.check(Path("out.png"), Clip(160, 128, 1 / RATE, RATE, frame_count=9))


def test_names_choose_the_format_in_a_folder(encode, moving):
    made = encode("out", moving(2), names="wave-%03d.jpg")
    names = sorted(path.name for path in made.path.iterdir())
    assert names == ["vidstyle.json", "wave-000.jpg", "wave-001.jpg"]
    assert (made.path / "wave-001.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "names",
    [
        "a.png",
        "%d%d.png",
        "%s%d.png",
        "%06d.mp4",
        "a/%d.png",
        "%d",
        ".%d.png",
        "../%d.png",
        "%d.png\n",
    ],
)
def test_names_that_are_no_pattern_are_refused(names):
    with pytest.raises(ValueError, match="names"):
        STAGE.Options(names=names)
