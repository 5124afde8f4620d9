"""Styles and peers are grouped by style image, and peers become styles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models.numbered_networks import numbered_weights
from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.evaluation.compared_styles import (
    ComparedStyle,
    find_style_images,
    list_compared_styles,
    name_within,
)
from vidstyle.models.style.style_file import read_style_info
from vidstyle.models.style.styles import find_style

OWN = Path(__file__).parents[2] / "samples" / "style_images"


@pytest.fixture(autouse=True)
def no_weights_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    path = tmp_path / "wave.pth"
    torch.save({"state_dict": numbered_weights()}, path)
    return path


def names(networks: list[ComparedStyle]) -> list[tuple[str, str, bool]]:
    return [(network.group, network.label, network.peer) for network in networks]


def test_styles_come_first_and_peers_become_styles(peer: Path, tmp_path: Path) -> None:
    found = list_compared_styles(["great-wave", "udnie"], [f"great-wave={peer}"], tmp_path)
    assert names(found) == [
        ("great-wave", "great-wave", False),
        ("great-wave", "wave", True),
        ("udnie", "udnie", False),
    ]
    assert read_style_info(found[1].file).architecture == "johnson-tanh"
    assert found[0].file == find_style("great-wave")


def test_a_style_file_belongs_to_the_style_image_that_is_named(tmp_path: Path) -> None:
    other = find_style("scream")
    found = list_compared_styles(
        ["udnie", f"udnie={other}"], [f"udnie={find_style('mosaic')}"], tmp_path
    )
    assert names(found) == [
        ("udnie", "udnie", False),
        ("udnie", "scream", False),
        ("udnie", "mosaic", True),
    ]
    assert list(tmp_path.iterdir()) == []


def test_without_names_all_that_ship_are_compared(tmp_path: Path) -> None:
    found = list_compared_styles(None, [], tmp_path)
    assert len(found) == 16
    assert not any(network.peer for network in found)


@pytest.mark.parametrize(
    ("styles", "peers", "error", "words"),
    [
        (
            ["udnie"],
            ["scream=x.pth"],
            UsageError,
            "scream=x.pth belongs to none of the styles udnie",
        ),
        (["udnie"], ["x.pth"], UsageError, "the peer x.pth belongs to none"),
        (["udnie", "udnie"], [], UsageError, "two networks of udnie are named udnie"),
        (["nowhere"], [], WeightsError, "there is no style nowhere"),
        (["udnie"], ["udnie=nowhere.pth"], WeightsError, "nowhere.pth is not there"),
    ],
)
def test_what_cannot_be_compared_is_an_error(
    tmp_path: Path, styles: list[str], peers: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        list_compared_styles(styles, peers, tmp_path)


def test_style_images_are_found_by_name_and_by_what_is_written(tmp_path: Path) -> None:
    for name in ("the_great_wave_hokusai.jpg", "other-mosaic.png", "notes.txt"):
        (tmp_path / name).touch()
    found = find_style_images(
        ["great-wave", "mosaic", "pen-hatching", "day"], ["day=d.png", str(tmp_path)], own=OWN
    )
    assert found == {
        "great-wave": tmp_path / "the_great_wave_hokusai.jpg",
        "mosaic": tmp_path / "other-mosaic.png",
        "pen-hatching": OWN / "pen-hatching.jpg",
        "day": Path("d.png"),
    }


def test_a_missing_style_image_is_an_error() -> None:
    with pytest.raises(UsageError, match="no style image for night: give --style-images NAME=FILE"):
        find_style_images(["night"], [], own=OWN)


def test_the_longest_name_within_a_files_counts() -> None:
    assert name_within("The_Great_Wave_1831", ["wave", "great-wave"]) == "great-wave"
    assert name_within("the_wave", ["wave", "great-wave"]) == "wave"
    assert name_within("heatwave", ["wave"]) == ""
