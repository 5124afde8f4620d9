"""``vidstyle styles preview``: a sheet of images in styles."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.cli.main import run_command
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style, save_style
from vidstyle.training.photos import read_photo, to_tensor
from vidstyle.training.watch import Image


@pytest.fixture
def style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A style of random weights in the user's folder, and its name is ``wild``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path))
    network = empty_network("fast", 2)
    network.initialize(torch.Generator().manual_seed(3))
    path = tmp_path / "styles" / "wild.safetensors"
    path.parent.mkdir()
    save_style(path, StyleInfo("wild", Credit(), "fast", 2), network)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """64x48."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 3))
    return path


def stylized(style: Path, image: Image, strength: float) -> Image:
    """What a column shows, in float64 from the style image on."""
    with torch.no_grad():
        network = load_style(style).module
        style_image = stylize(network, to_tensor(image))[0].permute(1, 2, 0).double().numpy()
    source = image / 255.0
    mixed: Image = np.rint(255 * (source + strength * (style_image - source))).astype(np.uint8)
    return mixed


def found(sheet: Image, image: Image) -> tuple[int, int]:
    """Row and column where the image stands, to the last bit but one."""
    difference = cv2.matchTemplate(sheet, image, cv2.TM_SQDIFF)
    row, column = map(int, np.unravel_index(difference.argmin(), difference.shape))
    there = sheet[row : row + image.shape[0], column : column + image.shape[1]]
    assert np.abs(there.astype(int) - image).max() <= 1
    return row, column


def test_a_row_has_the_image_and_each_style_at_each_strength(style: Path, photo: Path) -> None:
    command = ["styles", "preview", str(photo), "--styles", "wild", "--strengths", "0.5,1"]
    assert run_command([*command, "-o", "sheet.png"]) == 0
    sheet, source = read_photo(Path("sheet.png")), read_photo(photo)
    wanted = [source, stylized(style, source, 0.5), stylized(style, source, 1.0)]
    places = [found(sheet, image) for image in wanted]
    assert len({row for row, _ in places}) == 1
    assert places[0][1] < places[1][1] < places[2][1]


def test_a_sheet_is_no_wider_than_a_screen(style: Path, photo: Path) -> None:
    strengths = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1"
    large = Path("large.png")
    cv2.imwrite(str(large), cv2.resize(cv2.imread(str(photo)), (400, 300)))
    command = ["styles", "preview", str(large), str(photo), "--styles", "wild"]
    assert run_command([*command, "--strengths", strengths, "-o", "sheet.png"]) == 0
    sheet = read_photo(Path("sheet.png"))
    # Four columns of the 384 pixels that a large image is reduced to.
    assert sheet.shape[1] == 2 * 24 + 4 * 384 + 3 * 12
    small = read_photo(photo)
    places = [found(sheet, stylized(style, small, number / 10)) for number in range(11)]
    assert [row for row, _ in places] == sorted(row for row, _ in places)
    assert len({row for row, _ in places}) == 3
    assert [column for _, column in places[4:8]] == [column for _, column in places[:4]]


def test_each_image_has_a_row(style: Path, photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    cv2.imwrite(str(other), 255 - cv2.imread(str(photo)))
    command = ["styles", "preview", str(photo), str(other), "--styles", str(style)]
    assert run_command([*command, "-o", "sheet.png"]) == 0
    sheet = read_photo(Path("sheet.png"))
    first, second = (found(sheet, read_photo(path)) for path in (photo, other))
    assert second[0] >= first[0] + 48
    assert second[1] == first[1]


def test_images_are_reduced_to_the_size(style: Path, photo: Path) -> None:
    command = ["styles", "preview", str(photo), "--styles", "wild", "--size", "32"]
    assert run_command([*command, "-o", "sheet.png"]) == 0
    small = cv2.resize(read_photo(photo), (32, 24), interpolation=cv2.INTER_AREA)
    found(read_photo(Path("sheet.png")), small)


def test_without_names_all_styles_are_shown_but_broken_ones(
    style: Path, photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vidstyle.models.style.styles.shipped_styles", lambda: style.parent / "none"
    )
    (style.parent / "torn.safetensors").write_bytes(b"torn")
    assert run_command(["styles", "preview", str(photo)]) == 0
    output = capsys.readouterr().err
    assert "left out: " in output
    assert "torn.safetensors" in output
    source = read_photo(photo)
    found(read_photo(Path("preview.png")), stylized(style, source, 1.0))


def test_a_sheet_may_be_a_jpeg(style: Path, photo: Path) -> None:
    command = ["styles", "preview", str(photo), "--styles", "wild", "-o", "sheet.jpg"]
    assert run_command(command) == 0
    assert Path("sheet.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.png"], 3, "cannot read none.png"),
        (["styles/wild.safetensors"], 3, "is not an image that can be read"),
        (["photo.png", "--styles", "wlid"], 4, "no style wlid, did you mean wild?"),
        (["photo.png", "--strengths", "2"], 2, "--strengths '2': wanted numbers from 0 to 1"),
        (["photo.png", "--strengths", "0.5,nan"], 2, "wanted numbers from 0 to 1"),
        (["photo.png", "--strengths", "0.5,"], 2, "wanted numbers from 0 to 1"),
        (["photo.png", "-o", "sheet.gif"], 2, "a sheet ends in .png, .jpg, .jpeg: name sheet.gif"),
        (["photo.png", "-o", "photo.png"], 2, "the output is the input itself: photo.png"),
        (["photo.png", "-o", "none/x.png"], 6, "the folder none does not exist; make it first"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    style: Path,
    photo: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    before = photo.read_bytes()
    assert run_command(["styles", "preview", *arguments]) == code
    output = capsys.readouterr().err
    assert message in output
    assert len(output.splitlines()) == 1
    assert photo.read_bytes() == before


def test_a_sheet_is_replaced_where_that_is_asked_for(style: Path, photo: Path) -> None:
    Path("preview.png").write_bytes(b"old")
    command = ["styles", "preview", str(photo), "--styles", "wild", "--overwrite"]
    assert run_command(command) == 0
    assert Path("preview.png").read_bytes().startswith(b"\x89PNG")
