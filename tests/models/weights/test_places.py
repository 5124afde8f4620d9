"""Weights are recognized by their keys, whatever their name, and known names come first."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.headers import Shape, WeightHeader
from vidstyle.models.weights.places import find_weights, locate_weights

SHARED = Path(__file__).parents[4] / "shared" / "data" / "weights"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


def write(path: Path, name: str, *, arrays: int = 0) -> Path:
    """A file with the keys that identify a network, and some more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {key: torch.zeros(shape).half() for key, shape in CATALOG[name].keys.items()}
    tensors |= {f"more.{index}": torch.zeros(1) for index in range(arrays)}
    if path.suffix == ".safetensors":
        safetensors_file.write(path, tensors, {})
    else:
        torch.save(tensors, path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("name", CATALOG)
def test_a_file_of_any_name_is_found_by_its_keys(tmp_path: Path, name: str, suffix: str) -> None:
    for other in CATALOG:
        if other != name:
            write(tmp_path / f"{other}{suffix}", other)
    assert locate_weights(CATALOG[name], folder=tmp_path) is None
    path = write(tmp_path / f"mine{suffix}", name)
    assert find_weights(CATALOG[name], folder=tmp_path, offline=True) == path


def test_known_names_come_first_and_then_the_deepest(tmp_path: Path) -> None:
    entry = CATALOG["vgg16"]
    write(tmp_path / "a.safetensors", "vgg16")
    deepest = write(tmp_path / "b.safetensors", "vgg16", arrays=2)
    write(tmp_path / "c.pth", "vgg16", arrays=1)
    assert locate_weights(entry, folder=tmp_path) == deepest
    official = write(tmp_path / entry.file, "vgg16")
    assert locate_weights(entry, folder=tmp_path) == official


def test_the_folder_comes_before_the_cache(tmp_path: Path, cache: Path) -> None:
    in_cache = write(cache / CATALOG["vgg16"].file, "vgg16")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert locate_weights(CATALOG["vgg16"], folder=folder) == in_cache
    renamed = write(folder / "renamed.pth", "vgg16")
    assert locate_weights(CATALOG["vgg16"], folder=folder) == renamed


def networks() -> Mapping[str, Mapping[str, Shape]]:
    """Networks of torchvision and timm: those of the catalog, and their relatives."""
    timm = pytest.importorskip("timm")
    from torchvision import models
    from torchvision.models import optical_flow

    plain = ("vgg11", "vgg13", "vgg16", "vgg16_bn", "vgg19", "alexnet")
    plain += ("squeezenet1_0", "squeezenet1_1", "densenet121", "densenet169")
    plain += ("resnet18", "resnet50", "resnet101", "wide_resnet50_2")
    plain += ("convnext_tiny", "convnext_small")
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {name: getattr(models, name)(weights=None) for name in plain}
        made["inception"] = models.inception_v3(weights=None, init_weights=False)
        made["googlenet"] = models.googlenet(weights=None, init_weights=False)
        made["raft-small"] = optical_flow.raft_small(weights=None)
        made["raft-large"] = optical_flow.raft_large(weights=None)
        for name in ("legacy_xception", "resnetv2_50", "resnetv2_101", "resnetv2_50d"):
            made[name] = timm.create_model(name, pretrained=False)
    return {
        name: {key: tuple(value.shape) for key, value in network.state_dict().items()}
        for name, network in made.items()
    }


@pytest.mark.slow
def test_each_network_is_recognized_and_its_relatives_are_not() -> None:
    names = {
        "squeezenet1_1": "squeezenet",
        "densenet121": "densenet",
        "resnet50": "resnet",
        "convnext_tiny": "convnext",
        "legacy_xception": "xception",
        "resnetv2_50": "resnet-v2",
    }
    names |= {name: name for name in CATALOG if name not in names.values()}
    for name, shapes in networks().items():
        header = WeightHeader(Path(name), shapes, {})
        found = [entry.name for entry in CATALOG.values() if entry.recognizes(header)]
        assert found == ([names[name]] if name in names else []), name


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/weights")
def test_weights_of_a_layout_of_others_are_found() -> None:
    path = find_weights(CATALOG["vgg16"], folder=SHARED, offline=True)
    assert path.name == "vgg16_features_edges_caffe_bgr_fp16.safetensors"


def test_a_missing_file_names_the_address(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights of vgg16 in .*fetch https://"):
        find_weights(CATALOG["vgg16"], folder=tmp_path, offline=True)
