"""The evaluator of images: tables, ratios to peers, JSON and a sheet, from beginning to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vidstyle.evaluation.image_distances import EvaluatorLayers, ImageEvaluator
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.backbone_network import build_network

Load = Callable[[str], ModuleType]
MakeStyle = Callable[..., Path]
CASCADE = Path(__file__).parents[1] / "evaluation" / "lbpcascade_frontalface_improved.xml"
LAYERS = EvaluatorLayers(("relu1", "fire2"), ("fire2",))


@pytest.fixture
def images(benchmark: Load, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark, with an evaluator that was never trained."""
    generator = torch.Generator().manual_seed(0)
    weights = {
        key: 0.2 * torch.randn(value.shape, generator=generator)
        for key, value in build_network("squeezenet").state_dict().items()
        if key.startswith("features.") and int(key.split(".")[1]) <= 3
    }
    evaluator = ImageEvaluator(Backbone("squeezenet", weights), LAYERS)
    module = benchmark("images")
    monkeypatch.setattr(module, "load_evaluator_network", lambda *_, **__: evaluator)
    return module


@pytest.fixture
def given(style: MakeStyle, photos: Path, style_images: Path) -> list[object]:
    """Two networks of one style image, of which the other one is the peer."""
    day, other = style("day"), style("other", seed=1)
    return [photos, "--styles", day, "--peers", f"day={other}", "--style-images", style_images]


def run(module: ModuleType, *arguments: object) -> None:
    module.main([str(argument) for argument in arguments])


def numbers(line: str) -> list[float]:
    return [float(word.removeprefix("x")) for word in line[30:].split()]


def test_tables_have_ratios_to_the_peer(
    images: ModuleType, given: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    run(images, *given, "--lattice", "--time")
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    blocks = [block.splitlines() for block in out.strip().split("\n\n")]
    assert [block[0].split()[:2] for block in blocks] == [
        ["squeezenet,", "8"],
        ["vgg16,", "8"],
        ["other", "measures"],
    ]
    assert blocks[0][0].split()[3:] == ["style", "deep", "content"]
    assert blocks[2][0].split()[2:] == ["lattice", "flat", "blobs", "specks", "ms"]
    for block in blocks:
        assert [line[:30].strip() for line in block[1:]] == ["day", "/ peer", "peer other"]
    own, ratio, peer = map(numbers, blocks[0][1:])
    assert ratio == pytest.approx([a / b for a, b in zip(own, peer, strict=True)], abs=0.01)


def test_json_has_every_number(
    images: ModuleType, given: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    run(images, *given, "--evaluators", "squeezenet", "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["photos"], found["side"]) == (8, 480)
    day, peer = found["networks"]
    assert (day["style_image"], day["network"], day["peer"]) == ("day", "day", False)
    assert (peer["style_image"], peer["network"], peer["peer"]) == ("day", "other", True)
    names = {"style_image", "network", "peer", "blobs", "specks"}
    distances = {f"squeezenet {name}" for name in ("style", "style_deep", "content")}
    assert day.keys() == peer.keys() == names | distances
    assert day["squeezenet style"] != peer["squeezenet style"]


def test_a_sheet_shows_all_networks(
    images: ModuleType, given: list[object], tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    run(images, *given, "--evaluators", "squeezenet", "--sheet", sheet)
    image = cv2.imread(str(sheet))
    assert image is not None
    # A photo and two results, 96 pixels wide at least, and eight rows of 36 pixels.
    assert image.shape[1] > 3 * 96
    assert image.shape[0] > 8 * 36


def test_faces_are_measured(
    images: ModuleType,
    given: list[object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Finder:
        """Finds a face in every photo, and in what ``day`` made of it."""

        def __init__(self, cascade: Path) -> None:
            assert cascade == CASCADE
            self.count = 0

        def find(self, image: np.ndarray) -> list[Any]:
            from vidstyle.evaluation.face_retention import FaceBox

            self.count += 1
            return [FaceBox(2, 2, 20, 20)] if self.count % 3 else []

    monkeypatch.setattr(images, "FaceFinder", Finder)
    run(images, *given, "--evaluators", "squeezenet", "--faces", given[0], "--cascade", CASCADE)
    block = capsys.readouterr().out.strip().split("\n\n")[1].splitlines()
    assert block[0].split()[2:] == ["faces", "inside", "blobs", "specks"]
    own, ratio, peer = block[1:]
    assert numbers(own)[0] == 1
    assert numbers(peer)[0] == 0
    assert ratio[30:].split()[0] == "-"
    assert numbers(own)[1] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--faces", "x"], 2, "--faces and --cascade belong together"),
        (["--evaluators", "resnet"], 2, "no evaluator resnet: there are squeezenet, vgg16"),
        (["--peers", "night=x.pth"], 2, "belongs to none of the styles day"),
    ],
)
def test_what_cannot_be_is_one_line(
    images: ModuleType,
    given: list[object],
    arguments: list[str],
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(images, *given, *arguments)
    assert ended.value.code == code
    assert words in capsys.readouterr().err
