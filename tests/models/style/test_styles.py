"""Styles are found by name and by path, and a wrong name helps."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from vidstyle.core.errors import WeightsError
from vidstyle.models.style.styles import find_style, list_styles, shipped_styles


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of styles, and a weights folder with others."""
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path / "weights"))
    for name in ("own/candy", "own/mosaic", "weights/styles/candy", "weights/styles/udnie"):
        path = tmp_path / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "own" / "notes.md").touch()
    return tmp_path / "own"


def test_a_name_is_looked_for_in_the_folders_first(folder: Path, tmp_path: Path) -> None:
    assert find_style("candy", folder) == folder / "candy.safetensors"
    assert find_style("candy") == tmp_path / "weights" / "styles" / "candy.safetensors"


def test_all_places_are_listed_in_order(folder: Path) -> None:
    names = list(list_styles(folder))
    assert names == sorted(names)
    assert {"candy", "mosaic", "udnie"} <= set(names)
    assert "notes" not in names


def test_a_path_is_taken_as_it_is(folder: Path) -> None:
    path = folder / "mosaic.safetensors"
    assert find_style(path) == path
    assert find_style(str(path)) == path


def test_a_path_to_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no style file .*none\.safetensors"):
        find_style(folder / "none.safetensors")


@pytest.mark.parametrize("name", ["photo.jpg", "own/photo.PNG"])
def test_an_image_gets_a_hint_at_learning(folder: Path, name: str) -> None:
    (folder / "photo.PNG").write_bytes(b"an image")
    with pytest.raises(
        WeightsError, match=r"is an image, .*`vidstyle run --style` .*`vidstyle styles train`"
    ):
        find_style(name if name == "photo.jpg" else folder.parent / name)


@pytest.mark.parametrize("name", ["candy.pth", "own/candy.CKPT", "my candy.pt"])
def test_a_checkpoint_gets_the_command_that_imports_it(name: str) -> None:
    words = f"{name} is no style file: .* by `vidstyle styles import {shlex.quote(name)} -o NAME"
    with pytest.raises(WeightsError, match=words) as caught:
        find_style(name)
    assert "\n" not in str(caught.value)


def test_a_misspelt_name_gets_a_suggestion_and_the_list(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"no style mosiac, did you mean mosaic\?") as caught:
        find_style("mosiac", folder)
    assert "available: candy" in str(caught.value)


def test_an_unlike_name_gets_the_list(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"no style zzz; available: candy"):
        find_style("zzz", folder)


def test_without_a_weights_folder_the_shipped_ones_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    assert set(list_styles().values()) == set(shipped_styles().glob("*.safetensors"))
