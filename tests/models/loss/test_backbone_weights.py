"""Weights are found in the promised order, and files of any origin are checked."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.models.weights.file_server import serve_files
from vidstyle.core.errors import WeightsError
from vidstyle.models.loss import backbone_weights
from vidstyle.models.loss.backbone import load_backbone
from vidstyle.models.loss.backbone_network import build_network, find_order
from vidstyle.models.loss.backbone_weights import INPUT_FORMS, KNOWN_FILES, read_weights
from vidstyle.models.weights import catalog as weight_catalog
from vidstyle.models.weights import places as weight_places
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import CATALOG, InputForm, WeightFile
from vidstyle.models.weights.places import find_backbone

Tensors = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, of the test's own; it does not exist yet."""
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


@pytest.fixture
def tensors() -> Tensors:
    """Random weights of VGG19 up to conv2_1, in torchvision's layout."""
    return random_weights("vgg19", "features.5.bias")


def random_weights(name: str, deepest: str) -> Tensors:
    generator = torch.Generator().manual_seed(0)
    network = build_network(name)
    order = find_order(network)
    return {
        key: torch.randn(empty.shape, generator=generator)
        for key, empty in network.state_dict().items()
        if order.positions[key] < order.reach({deepest})
    }


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"")
    return folder / name


def test_known_files_come_deepest_first() -> None:
    assert list(KNOWN_FILES["vgg19"])[-1] == "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    for name, files in KNOWN_FILES.items():
        assert CATALOG[name].file in files


def test_a_folder_counts_before_the_variable_and_that_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, complete = list(KNOWN_FILES["vgg19"])[-1], CATALOG["vgg19"].file
    in_cache = put(cache, complete)
    assert find_backbone("vgg19", folder=None, offline=True) == in_cache
    in_variable = put(tmp_path / "variable", partial)
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path / "variable"))
    assert find_backbone("vgg19", folder=None, offline=True) == in_variable
    in_folder = put(tmp_path / "folder", partial)
    assert find_backbone("vgg19", folder=tmp_path / "folder", offline=True) == in_folder
    # What the chosen folder lacks may still be in the cache.
    in_cache = put(cache, CATALOG["vgg16"].file)
    assert find_backbone("vgg16", folder=tmp_path / "folder", offline=True) == in_cache


def test_the_deepest_reaching_file_of_a_folder_counts(tmp_path: Path) -> None:
    put(tmp_path, "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors")
    complete = put(tmp_path, "vgg19-dcbb9e9d.pth")
    assert find_backbone("vgg19", folder=tmp_path, offline=True) == complete


def test_weights_that_are_missing_offline_name_address_and_place(
    tmp_path: Path, cache: Path
) -> None:
    address = "https://download.pytorch.org/models/vgg16-397923af.pth"
    with pytest.raises(WeightsError, match=f"fetch {address} .528 MiB. and put it into {cache}$"):
        load_backbone("vgg16", offline=True)
    words = f"no weights of vgg16 in {tmp_path} or {cache}, .* put it into {tmp_path}$"
    with pytest.raises(WeightsError, match=words):
        load_backbone("vgg16", folder=tmp_path, offline=True)
    assert not cache.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"weights {tmp_path}/none is not there: name"):
        find_backbone("vgg19", folder=tmp_path / "none", offline=False)


@pytest.fixture
def official(tensors: Tensors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server with a small file in the place of torchvision's VGG19; the file's path there."""
    made = tmp_path / "made.pth"
    torch.save(tensors, made)
    content = made.read_bytes()
    name = f"vgg19-{hashlib.sha256(content).hexdigest()[:8]}.pth"

    with serve_files(monkeypatch) as server:
        server.files[name] = content
        entry = WeightFile("vgg19", server.address + name, name, 0.0, "")
        for module in (backbone_weights, weight_catalog):
            monkeypatch.setattr(module, "KNOWN_FILES", {"vgg19": {name: "torchvision-rgb"}})
        for module in (backbone_weights, weight_places):
            monkeypatch.setattr(module, "CATALOG", {"vgg19": entry})
        yield Path(name)


def test_official_weights_are_downloaded_once_and_then_there_offline(
    official: Path, cache: Path, tensors: Tensors
) -> None:
    with pytest.raises(WeightsError, match="nothing is downloaded while offline"):
        load_backbone("vgg19", offline=True)
    assert load_backbone("vgg19").feature_layers == ("relu1_1", "relu1_2", "relu2_1")
    assert load_backbone("vgg19", offline=True).feature_layers[-1] == "relu2_1"
    read, form = read_weights(cache / official, "vgg19")
    assert form == "torchvision-rgb"
    torch.testing.assert_close(read, tensors, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("file_name", "metadata", "form"),
    [
        ("any.safetensors", {"input": "caffe-bgr"}, "caffe-bgr"),
        ("any.safetensors", {"input": "torchvision-rgb"}, "torchvision-rgb"),
        (
            "any.safetensors",
            {"input": "BGR, 0-255, minus (103.939,116.779,123.68); and more words"},
            "caffe-bgr",
        ),
        ("my_caffe_bgr.safetensors", {"input": "torchvision-rgb"}, "torchvision-rgb"),
        ("squeezenet1_1_features_caffe_bgr.safetensors", {}, "caffe-bgr"),
        ("any.pth", None, "torchvision-rgb"),
        ("vgg19-d01eb7cb.pth", None, "caffe-bgr"),
        ("vgg16_features-amdegroot-88682ab5.pth", None, "caffe-rgb"),
        ("mine_caffe_bgr.pth", None, "caffe-bgr"),
    ],
)
def test_the_input_is_what_the_file_states_or_is_known_for(
    tmp_path: Path, tensors: Tensors, file_name: str, metadata: dict[str, str] | None, form: str
) -> None:
    path = tmp_path / file_name
    if metadata is None:
        torch.save(tensors, path)
    else:
        safetensors_file.write(path, tensors, metadata)
    read, found = read_weights(path, "vgg19")
    assert found == form
    torch.testing.assert_close(read, tensors, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "does not say what images it takes: give its metadata an input of caffe-bgr or"),
        ({"input": "RGB, 0-1"}, "takes 'RGB, 0-1'; wanted caffe-bgr or caffe-rgb or torchvision"),
    ],
)
def test_an_unknown_input_is_refused(
    tmp_path: Path, tensors: Tensors, metadata: dict[str, str], words: str
) -> None:
    path = tmp_path / "any.safetensors"
    safetensors_file.write(path, tensors, metadata)
    with pytest.raises(WeightsError, match=words):
        read_weights(path, "vgg19")


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_of_both_vintages_are_read_without_their_classifier(
    tmp_path: Path, tensors: Tensors, zipped: bool
) -> None:
    path = tmp_path / "weights.pth"
    # The features of a classifier that is not to be had are still good.
    classifier = {"classifier.0.weight": torch.full((2, 2), torch.nan)}
    torch.save(tensors | classifier, path, _use_new_zipfile_serialization=zipped)
    read, _ = read_weights(path, "vgg19")
    torch.testing.assert_close(read, tensors, rtol=0, atol=0)


def test_halves_are_read_as_float32(tmp_path: Path, tensors: Tensors) -> None:
    path = tmp_path / "half_caffe_bgr.safetensors"
    safetensors_file.write(path, {key: value.half() for key, value in tensors.items()}, {})
    read, _ = read_weights(path, "vgg19")
    assert {value.dtype for value in read.values()} == {torch.float32}


Change = Callable[[Tensors], object]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("features.2.bias"), r"lacks features\.2\.bias: it is of another layout"),
        (lambda t: t.pop("features.0.weight"), r"lacks features\.0\.weight"),
        (lambda t: t.update({"head.bias": torch.zeros(1)}), r"has unknown head\.bias"),
        (lambda t: t.update({"features.17.bias": torch.zeros(1)}), r"unknown features\.17\.bias"),
        (
            lambda t: t.update({"features.5.bias": torch.zeros(3)}),
            r"features\.5\.bias is \(3,\); wanted \(128,\)",
        ),
        (
            lambda t: t["features.2.weight"].view(-1)[7].fill_(torch.inf),
            r"features\.2\.weight has values that are not finite",
        ),
        (
            lambda t: t.update({"features.0.bias": torch.zeros(64, dtype=torch.int32)}),
            r"features\.0\.bias is not a plain array",
        ),
    ],
)
def test_files_of_another_layout_are_refused(
    tmp_path: Path, tensors: Tensors, suffix: str, change: Change, words: str
) -> None:
    change(tensors)
    path = tmp_path / f"changed_caffe_bgr{suffix}"
    if suffix == ".pth":
        torch.save(tensors, path)
    else:
        safetensors_file.write(path, tensors, {})
    with pytest.raises(WeightsError, match=f"^{path}.*{words}"):
        read_weights(path, "vgg19")


def test_weights_of_another_backbone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vgg16.pth"
    torch.save(random_weights("vgg16", "features.17.bias"), path)
    with pytest.raises(WeightsError, match=r"has unknown features\.17\.bias"):
        read_weights(path, "vgg19")
    with pytest.raises(WeightsError, match=r"unknown features\.10\.bias, .* and others"):
        read_weights(path, "squeezenet")


class Attack:
    """Makes a folder when it is unpickled by the letter."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("vintage", ["zip", "legacy", "pickle"])
def test_nothing_in_a_file_is_run(tmp_path: Path, tensors: Tensors, vintage: str) -> None:
    mark, path = tmp_path / "mark", tmp_path / "weights.pth"
    hostile = {**tensors, "extra": Attack(mark)}
    if vintage == "pickle":
        path.write_bytes(pickle.dumps(hostile))
    else:
        torch.save(hostile, path, _use_new_zipfile_serialization=vintage == "zip")
    with pytest.raises(WeightsError, match="holds more than weights"):
        read_weights(path, "vgg19")
    assert not mark.exists()
    # It would have been run by a loader that trusts files.
    if vintage == "zip":
        torch.load(path, weights_only=False)
        assert mark.is_dir()


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"PK\x03\x04 no more", b"<html>404</html>", bytes(range(256)) * 9]
)
def test_files_that_are_not_weights_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"^{path} is damaged, .*: fetch it again, or"):
        read_weights(path, "vgg19")


def test_a_state_dict_cut_short_is_refused(tmp_path: Path, tensors: Tensors) -> None:
    path = tmp_path / "weights.pth"
    for zipped in (True, False):
        torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
        whole = path.read_bytes()
        for share in (0.02, 0.5, 0.99):
            path.write_bytes(whole[: int(share * len(whole))])
            with pytest.raises(WeightsError, match="is damaged, not a file of torch, or"):
                read_weights(path, "vgg19")


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
def test_other_things_that_torch_saves_are_refused(tmp_path: Path, tensors: Tensors) -> None:
    path = tmp_path / "weights.pth"
    for content, words in (
        ([1, 2], "holds a list; wanted weights by name"),
        ({0: torch.zeros(1)}, "holds a dict; wanted weights by name"),
        ({}, r"lacks features\.0\.bias, features\.0\.weight: it is of another layout"),
        ({"state_dict": tensors}, r"lacks features\.0\.bias.* and has unknown state_dict"),
        (tensors | {"features.0.bias": "text"}, r"features\.0\.bias is not a plain array"),
        (
            tensors | {"features.0.bias": torch.zeros(64).to_sparse()},
            r"features\.0\.bias is not a plain array",
        ),
    ):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=words):
            read_weights(path, "vgg19")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"none{suffix}"
    with pytest.raises(WeightsError, match=f"{path} is not there, or is not a file"):
        load_backbone("vgg19", file=path)


def own_images(form: InputForm, images: torch.Tensor) -> torch.Tensor:
    """RGB in [0, 1] as the network wants it, written down plainly."""
    red, green, blue = images.unbind(1)
    if form == "caffe-bgr":
        channels = [blue * 255 - 103.939, green * 255 - 116.779, red * 255 - 123.68]
    elif form == "caffe-rgb":
        channels = [red * 255 - 123.68, green * 255 - 116.779, blue * 255 - 103.939]
    elif form == "half-rgb":
        channels = [2 * channel - 1 for channel in (red, green, blue)]
    else:
        channels = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    return torch.stack(channels, dim=1)


@pytest.mark.parametrize("form", list(INPUT_FORMS))
def test_folding_changes_nothing_borders_included(form: InputForm) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 5, 6, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64)
    kept = weight.clone()

    mean, folded = INPUT_FORMS[form].fold(weight)

    wanted = functional.conv2d(own_images(form, images), weight, padding=1)
    torch.testing.assert_close(functional.conv2d(images - mean, folded, padding=1), wanted)
    torch.testing.assert_close(weight, kept, rtol=0, atol=0)
    assert folded.dtype == mean.dtype == torch.float64
