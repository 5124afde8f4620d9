"""LPIPS: where it is found, and that its weights are the right ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.evaluation.network_metrics import (
    WEIGHTS_FILE,
    find_alexnet,
    find_network_metrics,
    load_perceptual,
    read_backbone,
)

needs_lpips = pytest.mark.usefixtures("lpips")


@pytest.fixture
def lpips() -> Any:
    """The package, which vidstyle does without."""
    return pytest.importorskip("lpips", exc_type=ImportError)


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has fetched nothing."""
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def alexnet(folder: Path) -> dict[str, torch.Tensor]:
    """A file of random weights under the official name, of AlexNet's convolutions."""
    generator = torch.Generator().manual_seed(0)
    shapes = {
        0: (64, 3, 11),
        3: (192, 64, 5),
        6: (384, 192, 3),
        8: (256, 384, 3),
        10: (256, 256, 3),
    }
    weights = {}
    for number, (outputs, inputs, side) in shapes.items():
        kernel = torch.randn(outputs, inputs, side, side, generator=generator)
        weights[f"features.{number}.weight"] = kernel * (2 / (inputs * side**2)) ** 0.5
        weights[f"features.{number}.bias"] = torch.zeros(outputs)
    folder.mkdir(exist_ok=True)
    torch.save(weights, folder / WEIGHTS_FILE)
    return weights


@pytest.mark.filterwarnings("ignore::UserWarning")  # the package asks in a way out of date
def test_the_distance_is_the_packages(tmp_path: Path, lpips: Any) -> None:
    weights = alexnet(tmp_path)
    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    names = list(network.net.state_dict())
    named = {key: weights["features." + key.split(".", 1)[1]] for key in names}
    network.net.load_state_dict(named)
    first, second = np.random.default_rng(0).random((2, 72, 80, 3), dtype=np.float32)
    planes = [torch.from_numpy(p).permute(2, 0, 1)[None] * 2 - 1 for p in (first, second)]
    with torch.inference_mode():
        expected = float(network(*planes))
    perceptual = load_perceptual(tmp_path)
    assert perceptual(first, second) == pytest.approx(expected, rel=1e-4)
    assert expected > 0.01
    assert perceptual(first, first) == 0


@needs_lpips
def test_small_images_can_be_compared(tmp_path: Path) -> None:
    alexnet(tmp_path)
    first, second = np.random.default_rng(0).random((2, 20, 24, 3), dtype=np.float32)
    assert load_perceptual(tmp_path)(first, second) > 0


@needs_lpips
def test_weights_that_are_not_there_are_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match=r"no weights of alexnet .* fetch https://"):
        load_perceptual(tmp_path / "empty")


@needs_lpips
def test_kernels_of_another_size_are_an_error(tmp_path: Path) -> None:
    weights = alexnet(tmp_path)
    weights["features.3.weight"] = torch.zeros(192, 64, 3, 3)
    torch.save(weights, tmp_path / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match="no AlexNet"):
        load_perceptual(tmp_path)


class Runs:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (Path("pwned"),)


def test_the_backbone_is_read_by_the_package_s_names(tmp_path: Path) -> None:
    weights = alexnet(tmp_path)
    torch.save({**weights, "classifier.1.weight": torch.zeros(3)}, tmp_path / WEIGHTS_FILE)
    found = read_backbone(tmp_path / WEIGHTS_FILE)
    assert len(found) == 10
    assert torch.equal(found["slice5.10.bias"], weights["features.10.bias"])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: path.write_bytes(b"no weights"), "damaged"),
        (lambda path: path.write_bytes(pickle.dumps(Runs())), "damaged"),
        (lambda path: torch.save(Runs(), path), "more than weights"),
        (lambda path: torch.save([1, 2], path), "wanted weights by name"),
        (lambda path: torch.save({"features.0.weight": torch.zeros(1)}, path), "no AlexNet"),
        (lambda path: torch.save({"x": torch.zeros(1).expand(1 << 40)}, path), "larger than"),
    ],
    ids=["damaged", "code", "code of torch", "a list", "another network", "a bomb"],
)
def test_a_file_that_is_none_is_refused_and_nothing_in_it_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match=words):
        read_backbone(tmp_path / WEIGHTS_FILE)
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS_FILE]


def test_without_lpips_there_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    extras = find_network_metrics(weights=tmp_path / "empty")
    assert extras.perceptual is None
    assert "no LPIPS, SSIM only" in extras.notes[0]


def test_the_folder_comes_first_and_what_torch_has_fetched_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_torch, cache, folder = places = [
        tmp_path / "torch" / "hub" / "checkpoints" / WEIGHTS_FILE,
        tmp_path / "cache" / "weights" / WEIGHTS_FILE,
        tmp_path / "folder" / WEIGHTS_FILE,
    ]
    for path in places:
        path.parent.mkdir(parents=True)
    for path in places:
        path.touch()
        assert find_alexnet(folder.parent) == path
    assert find_alexnet() == cache
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder.parent))
    assert find_alexnet() == folder
    cache.unlink()
    monkeypatch.delenv("VIDSTYLE_WEIGHTS")
    assert find_alexnet() == of_torch
