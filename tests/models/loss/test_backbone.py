"""Features equal those of torchvision's classifiers, and of layers written down in float64."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.loss.backbone import Backbone, Pooling, load_backbone
from vidstyle.models.loss.backbone_network import build_network, find_order
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import InputForm

Tensors = dict[str, torch.Tensor]
REACHES = {"relu2_1": "features.5.bias", "relu3_4": "features.16.bias"}


def random_weights(name: str, deepest: str) -> Tensors:
    """Up to the layer that has the key ``deepest``, in torchvision's layout."""
    generator = torch.Generator().manual_seed(0)
    network = build_network(name)
    order, tensors = find_order(network), {}
    for key, empty in network.state_dict().items():
        if order.positions[key] < order.reach({deepest}):
            spread = (2 / empty[0].numel()) ** 0.5 if empty.ndim == 4 else 1.0
            tensors[key] = spread * torch.randn(empty.shape, generator=generator)
    return tensors


def images(height: int, width: int) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def originals() -> dict[str, nn.Sequential]:
    """torchvision's own layers, with random weights."""
    from torchvision.models.squeezenet import squeezenet1_1
    from torchvision.models.vgg import cfgs, make_layers

    return {
        "vgg16": make_layers(cfgs["D"]),
        "vgg19": make_layers(cfgs["E"]),
        "squeezenet": squeezenet1_1(weights=None).features,
    }


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "squeezenet"])
@torch.no_grad()
def test_every_layer_equals_torchvisions(name: str, originals: dict[str, nn.Sequential]) -> None:
    original = originals[name].eval()
    shown = images(37, 33)
    weights = {f"features.{key}": value for key, value in original.state_dict().items()}
    backbone = Backbone(name, weights)
    found = backbone(shown, backbone.feature_layers)

    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    features = (shown - mean) / torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    wanted = []
    for layer in original:
        features = layer(features)
        if isinstance(layer, nn.ReLU) or type(layer).__name__ == "Fire":
            wanted.append(features.clone())
    assert len(wanted) == len(backbone.feature_layers)
    for feature_layer, features in zip(backbone.feature_layers, wanted, strict=True):
        torch.testing.assert_close(
            found[feature_layer], features, rtol=1e-4, atol=1e-5, msg=feature_layer
        )


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_caffe_input_and_pooling_equal_the_layers_written_down(pooling: Pooling) -> None:
    tensors = random_weights("vgg19", REACHES["relu2_1"])
    shown = images(15, 20)
    backbone = Backbone("vgg19", tensors, form="caffe-bgr", pooling=pooling)
    found = backbone(shown, ["relu1_2", "relu2_1"])

    red, green, blue = (255 * shown.double()).unbind(1)
    features = torch.stack([blue - 103.939, green - 116.779, red - 123.68], dim=1)
    for number in (0, 2):
        features = convolved(tensors, number, features)
    assert_equal(found["relu1_2"], features)
    windows = features[:, :, :14].unflatten(2, (7, 2)).unflatten(4, (10, 2))
    pooled = windows.amax((3, 5)) if pooling == "max" else windows.mean((3, 5))
    assert_equal(found["relu2_1"], convolved(tensors, 5, pooled))


def convolved(tensors: Tensors, number: int, features: torch.Tensor) -> torch.Tensor:
    weight, bias = (tensors[f"features.{number}.{part}"].double() for part in ("weight", "bias"))
    return functional.conv2d(features, weight, bias, padding=1).clamp_min(0)


def assert_equal(found: torch.Tensor, wanted: torch.Tensor) -> None:
    """Float32 against float64, relative to the largest value."""
    assert (found - wanted).abs().max() <= 2e-6 * wanted.max()


def test_the_given_weights_are_not_changed() -> None:
    tensors = random_weights("squeezenet", "features.3.expand3x3.bias")
    before = {key: value.clone() for key, value in tensors.items()}
    backbone = Backbone("squeezenet", tensors)
    backbone(images(9, 9), backbone.feature_layers)
    for key, value in before.items():
        torch.testing.assert_close(tensors[key], value, rtol=0, atol=0)


def test_features_are_not_changed_by_the_layers_above() -> None:
    backbone = Backbone("vgg16", random_weights("vgg16", REACHES["relu2_1"]))
    shown = images(8, 8)
    together = backbone(shown, backbone.feature_layers)
    for feature_layer in backbone.feature_layers:
        torch.testing.assert_close(
            backbone(shown, [feature_layer])[feature_layer], together[feature_layer], rtol=0, atol=0
        )


def test_weights_are_frozen_and_the_image_is_not() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu2_1"]))
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    shown = images(8, 8).requires_grad_()
    backbone(shown, ["relu2_1"])["relu2_1"].sum().backward()
    assert shown.grad is not None
    assert shown.grad.abs().min() > 0


def test_nothing_above_the_highest_layer_is_computed() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu2_1"]))
    ran: list[str] = []
    for name, layer in backbone.network.named_modules():
        if name and not list(layer.children()):
            layer.register_forward_hook(lambda *_, name=name: ran.append(name))
    assert list(backbone(images(8, 8), ["relu1_2", "relu1_1"])) == ["relu1_2", "relu1_1"]
    assert ran == [f"features.{number}" for number in range(4)]
    assert backbone(images(8, 8), []) == {}


def test_layers_beyond_the_weights_are_refused() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu2_1"]))
    assert backbone.feature_layers == ("relu1_1", "relu1_2", "relu2_1")
    words = r"vgg19 has no layer relu3_1; there are relu1_1, relu1_2, relu2_1$"
    with pytest.raises(ValueError, match=words):
        backbone(images(8, 8), ["relu1_1", "relu3_1"])


@torch.no_grad()
def test_vggs_convolutions_and_numbers_are_names_too() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu2_1"]))
    shown = images(12, 12)
    found = backbone(shown, ["conv1_2", "relu1_2", "features.2", "conv2_1"])
    assert found["conv1_2"].min() < 0
    torch.testing.assert_close(found["conv1_2"].clamp_min(0), found["relu1_2"], rtol=0, atol=0)
    torch.testing.assert_close(found["conv1_2"], found["features.2"], rtol=0, atol=0)
    assert (backbone.smallest_side(["conv2_1"]), backbone.smallest_side(["relu1_1"])) == (2, 1)


def test_images_that_cannot_pass_are_refused() -> None:
    backbone = Backbone("squeezenet", random_weights("squeezenet", "features.12.expand3x3.bias"))
    with pytest.raises(ValueError, match=r"^images are \(N, 3, H, W\), got \(2, 1, 40, 40\)$"):
        backbone(images(40, 40)[:, :1], ["relu1"])
    words = "images of 40x16 are too small for fire9 of squeezenet: wanted at least 17x17"
    with pytest.raises(ValueError, match=words):
        backbone(images(16, 40), ["relu1", "fire9"])
    assert backbone(images(17, 40), ["fire9"])["fire9"].shape == (2, 512, 1, 2)
    assert backbone(images(3, 3), ["relu1"])["relu1"].shape == (2, 64, 1, 1)


@pytest.mark.parametrize(
    ("name", "deepest", "style", "content"),
    [
        ("vgg16", "features.28.bias", "relu1_2 relu2_2 relu3_3 relu4_3", "relu2_2"),
        ("vgg16", "features.14.bias", "relu1_2 relu2_2 relu3_3", "relu2_2"),
        ("vgg19", "features.34.bias", "relu1_1 relu2_1 relu3_1 relu4_1 relu5_1", "relu4_2"),
        ("vgg19", "features.21.bias", "relu1_1 relu2_1 relu3_1 relu4_1", "relu4_2"),
        ("vgg19", "features.16.bias", "relu1_2 relu2_2 relu3_2 relu3_4", "relu3_2"),
        ("vgg19", "features.5.bias", "relu1_1 relu1_2 relu2_1", "relu2_1"),
        ("squeezenet", "features.12.expand3x3.bias", "relu1 fire3 fire4 fire5", "fire2"),
    ],
)
def test_default_layers_are_the_best_choice_within_reach(
    name: str, deepest: str, style: str, content: str
) -> None:
    network = build_network(name)
    order = find_order(network)
    blank = {
        key: torch.zeros(()).expand(value.shape)
        for key, value in network.state_dict().items()
        if order.positions[key] < order.reach({deepest})
    }
    backbone = Backbone(name, blank)
    assert backbone.default_style_layers == tuple(style.split())
    assert backbone.default_content_layer == content


def test_bfloat16_keeps_the_features_to_a_hundredth() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu3_4"]), form="caffe-bgr")
    backbone.to(memory_format=torch.channels_last)
    shown = images(32, 32).contiguous(memory_format=torch.channels_last)
    exact = backbone(shown, ["relu3_4"])["relu3_4"]
    with torch.autocast("cpu", torch.bfloat16):
        coarse = backbone(shown, ["relu3_4"])["relu3_4"]
    assert coarse.dtype == torch.bfloat16
    assert coarse.is_contiguous(memory_format=torch.channels_last)
    assert 0 < (coarse - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("form", ["caffe-bgr", "torchvision-rgb"])
def test_a_file_is_loaded_as_what_it_says_it_is(tmp_path: Path, form: InputForm) -> None:
    tensors = random_weights("vgg16", REACHES["relu2_1"])
    path = tmp_path / "mine.safetensors"
    safetensors_file.write(path, tensors, {"input": form})
    backbone = load_backbone("vgg16", file=path, pooling="average")
    wanted = Backbone("vgg16", tensors, form=form, pooling="average")
    assert (backbone.name, backbone.pooling) == ("vgg16", "average")
    shown = images(8, 8)
    found = backbone(shown, ["relu2_1"])["relu2_1"]
    torch.testing.assert_close(found, wanted(shown, ["relu2_1"])["relu2_1"], rtol=0, atol=0)


def test_an_unknown_name_is_refused_before_files_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no backbone vgg; there are vgg16, vgg19, squeezenet"):
        load_backbone("vgg", folder=tmp_path / "none", offline=True)


def test_a_backbone_survives_copying_to_another_process() -> None:
    backbone = Backbone("vgg19", random_weights("vgg19", REACHES["relu2_1"]))
    again = pickle.loads(pickle.dumps(backbone))
    shown = images(8, 8)
    found = again(shown, ["relu2_1"])["relu2_1"]
    torch.testing.assert_close(found, backbone(shown, ["relu2_1"])["relu2_1"], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "feature_layer", "count"), [("vgg19", "relu3_4", 8), ("squeezenet", "fire9", 9)]
)
def test_the_real_weights_are_trained(
    name: str, feature_layer: str, count: int, shared_data: Path
) -> None:
    backbone = load_backbone(name, folder=shared_data / "weights", offline=True)
    assert (backbone.feature_layers[-1], len(backbone.feature_layers)) == (feature_layer, count)
    photo = cv2.imread(str(shared_data / "photos" / "kodak" / "04.png"), cv2.IMREAD_COLOR_RGB)
    assert photo is not None
    photo = photo[:128, :128].astype(np.float32) / 255
    upright, flipped, fallen = (
        backbone(torch.from_numpy(each.copy()).permute(2, 0, 1)[None], [feature_layer])[
            feature_layer
        ].mean((2, 3))
        for each in (photo, photo[:, ::-1], photo[::-1])
    )
    # Photos have no handedness but do have an upside: trained filters see only the latter.
    assert (upright - flipped).norm() < (upright - fallen).norm()
