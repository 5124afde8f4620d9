"""A clip that was stylized elsewhere gets the frames that ``temporal`` gives."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import vidstyle
from vidstyle.cli.main import run_command
from vidstyle.core import HostArray

LOSSLESS = ["--codec", "ffv1", "--set", "encode.pixel_format=bgr0"]
COUNT = 10


@pytest.fixture
def stylized(folder: Path, write_clip) -> Path:  # type: ignore[no-untyped-def]  # a fixture
    """Frame by frame, without loss."""
    write_clip(folder / "in.mp4", count=COUNT)
    assert run_command(["run", "per-frame", "in.mp4", "-o", "stylized.mkv", *LOSSLESS]) == 0
    return folder / "stylized.mkv"


def images(path: Path) -> list[HostArray]:
    return [np.array(frame.host("image")) for frame in vidstyle.frames(path)]


def test_it_gives_what_temporal_gives(stylized: Path) -> None:
    assert run_command(["run", "temporal", "in.mp4", "-o", "wanted.mkv", *LOSSLESS]) == 0
    assert run_command(["stabilize", "in.mp4", str(stylized), "-o", "out.mkv", *LOSSLESS]) == 0
    ours, wanted, plain = images(Path("out.mkv")), images(Path("wanted.mkv")), images(stylized)
    assert len(ours) == COUNT
    assert 255 * np.mean(np.abs(np.subtract(ours, wanted))) < 0.5
    assert 255 * np.mean(np.abs(np.subtract(ours, plain))) > 1
    # Without consistency it is the stylized clip itself.
    none = ["--consistency", "0", *LOSSLESS]
    assert run_command(["stabilize", "in.mp4", str(stylized), "-o", "none.mkv", *none]) == 0
    assert 255 * np.mean(np.abs(np.subtract(images(Path("none.mkv")), plain))) < 0.5


def test_another_size_and_rate_are_met_by_time(stylized: Path) -> None:
    """Every other frame, twice as large: each is there for two frames of the original."""
    every_other = images(stylized)[::2]
    with av.open("other.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25, 2), width=320, height=256)
        stream.pix_fmt = "bgr0"
        for image in every_other:
            large = cv2.resize(image, (320, 256), interpolation=cv2.INTER_NEAREST)
            frame = av.VideoFrame.from_ndarray((255 * large).round().astype(np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    none = ["--consistency", "0", *LOSSLESS]
    still = ["--set", "filter.strength=0", *none]
    for name, given in {"held.mkv": still, "moved.mkv": none}.items():
        assert run_command(["stabilize", "in.mp4", "other.mkv", "-o", name, *given]) == 0
    held, moved, whole = images(Path("held.mkv")), images(Path("moved.mkv")), images(stylized)
    assert len(held) == len(moved) == COUNT
    for at, image in enumerate(held):
        assert 255 * np.abs(image - every_other[at // 2]).mean() < 0.5
    # Between them the image follows the motion: it comes nearer to the frame that is missing. The
    # last one is held with nothing behind it. Flow, network and the encoder of the clip give other
    # bits on another number of cores: on one core a single frame comes less near.
    np.testing.assert_array_equal(moved[::2], held[::2])
    between = slice(1, COUNT - 1, 2)
    errors = [np.mean(np.abs(np.subtract(made[between], whole[between]))) for made in (moved, held)]
    assert errors[0] < 0.96 * errors[1]


def test_a_folder_of_images_is_a_stylized_clip(stylized: Path) -> None:
    Path("frames").mkdir()
    for at, image in enumerate(images(stylized)):
        pixels = (255 * image[..., ::-1]).round().astype(np.uint8)
        cv2.imwrite(f"frames/{at:04}.png", pixels)
    assert run_command(["stabilize", "in.mp4", str(stylized), "-o", "a.mkv", *LOSSLESS]) == 0
    assert run_command(["stabilize", "in.mp4", "frames", "-o", "b.mkv", *LOSSLESS]) == 0
    assert 255 * np.mean(np.abs(np.subtract(images(Path("a.mkv")), images(Path("b.mkv"))))) < 0.5


def test_another_stylized_clip_is_another_output(stylized: Path) -> None:
    command = ["stabilize", "in.mp4", str(stylized), "-o", "out.mkv", *LOSSLESS]
    assert run_command(command) == 0
    assert run_command(command) == 0
    assert run_command(["stabilize", "in.mp4", "in.mp4", "-o", "out.mkv", *LOSSLESS]) == 6


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["in.mp4", "gone.mp4"], 3, "side input image: "),
        (["gone.mp4", "in.mp4"], 3, "gone.mp4: no such file"),
        (["in.mp4", "square.png"], 3, "another shape than the clip's 160x128"),
    ],
)
def test_what_cannot_be_is_one_line(  # type: ignore[no-untyped-def]  # fixtures
    folder: Path, write_clip, capfd, arguments, code, message
) -> None:
    write_clip(folder / "in.mp4", count=2)
    cv2.imwrite("square.png", np.zeros((64, 64, 3), np.uint8))
    assert run_command(["stabilize", *arguments, "-o", "out.mp4"]) == code
    [line] = capfd.readouterr().err.splitlines()
    assert message in line
    assert not Path("out.mp4").exists()


def test_transparency_of_the_stylized_clip_is_shown_on_black(  # type: ignore[no-untyped-def]  # fixtures
    folder: Path, write_clip, capfd
) -> None:
    write_clip(folder / "in.mp4", count=2)
    Path("clear").mkdir()
    for at in range(2):
        pixels = np.full((128, 160, 4), 200, np.uint8)
        pixels[:, :80, 3] = 0
        cv2.imwrite(f"clear/{at}.png", pixels)
    assert run_command(["stabilize", "in.mp4", "clear", "-o", "out.mkv", *LOSSLESS]) == 0
    assert "side input image: its transparency is shown on black" in capfd.readouterr().err
    assert images(Path("out.mkv"))[0][:, :80].max() == 0
