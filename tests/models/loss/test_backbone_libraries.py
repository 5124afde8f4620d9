"""The loss networks of torchvision and timm equal the classifiers that they are cut from."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.backbone_network import build_network
from vidstyle.models.loss.backbone_weights import read_weights

MODERN = ("inception", "densenet", "resnet", "convnext", "xception", "resnet-v2")
pytestmark = pytest.mark.slow  # torchvision and timm take seconds to import


def original(name: str) -> nn.Module:
    """The whole classifier, as its makers build it, with random weights."""
    import timm
    from torchvision import models

    makers: dict[str, Callable[[], Any]] = {
        "inception": lambda: models.inception_v3(weights=None, init_weights=False),
        "densenet": lambda: models.densenet121(weights=None),
        "resnet": lambda: models.resnet50(weights=None),
        "convnext": lambda: models.convnext_tiny(weights=None),
        "xception": lambda: timm.create_model("legacy_xception"),
        "resnet-v2": lambda: timm.create_model("resnetv2_50"),
    }
    torch.manual_seed(0)
    network: nn.Module = makers[name]().eval()
    # Norms that do nothing would hide one that is left out.
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            module.running_mean.uniform_(-0.1, 0.1)
            nn.init.uniform_(module.weight, 0.8, 1.2)
    return network


FORMS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "half-rgb": ((0.5,) * 3, (0.5,) * 3),
    "torchvision-rgb": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


@pytest.mark.parametrize("name", MODERN)
@torch.no_grad()
def test_every_layer_equals_that_of_the_whole_classifier(name: str, tmp_path: Path) -> None:
    network = original(name)
    path = tmp_path / "whole.pth"
    torch.save(network.state_dict(), path)
    weights, form = read_weights(path, name)
    backbone = Backbone(name, weights, form=form)
    # Above its end Inception halves nothing any more at 96 pixels.
    shown = torch.rand(1, 3, 101, 96, generator=torch.Generator().manual_seed(1))

    wanted: dict[str, torch.Tensor] = {}
    for feature_layer in backbone.feature_layers:
        if feature_layer in dict(network.named_modules()):
            keep = _keeper(wanted, feature_layer)
            network.get_submodule(feature_layer).register_forward_hook(keep)
    mean, deviation = (torch.tensor(each).reshape(3, 1, 1) for each in FORMS[form])
    network((shown - mean) / deviation)
    found = backbone(shown, backbone.feature_layers)
    assert wanted.keys() == set(backbone.feature_layers)
    for feature_layer, features in wanted.items():
        error = (found[feature_layer] - features).norm() / features.norm()
        assert error < 1e-4, feature_layer


def _keeper(wanted: dict[str, torch.Tensor], feature_layer: str) -> Callable[..., None]:
    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        wanted[feature_layer] = output.clone()

    return keep


@pytest.mark.parametrize("name", MODERN)
def test_default_layers_pass_small_and_odd_images_with_a_gradient(name: str) -> None:
    backbone = random_backbone(name)
    feature_layers = {
        *backbone.default_style_layers,
        backbone.default_content_layer,
    }
    for height, width in ((32, 32), (33, 47), (100, 333)):
        shown = torch.rand(1, 3, height, width, requires_grad=True)
        found = backbone(shown, feature_layers)
        assert found.keys() == feature_layers
        sum(each.square().mean() for each in found.values()).backward()  # type: ignore[union-attr]  # no int: there are layers
        assert shown.grad is not None
        assert shown.grad.isfinite().all()
        assert shown.grad.abs().max() > 0


@pytest.mark.parametrize("name", MODERN)
def test_average_pooling_is_smoother(name: str) -> None:
    smooth, sharp = random_backbone(name, "average"), random_backbone(name)
    shown = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    layer = sharp.feature_layers[-1]
    same = torch.allclose(smooth(shown, [layer])[layer], sharp(shown, [layer])[layer])
    assert same == (name == "convnext")  # which pools by convolutions alone


def test_inceptions_reductions_average() -> None:
    shown = torch.rand(1, 3, 100, 100, generator=torch.Generator().manual_seed(2))
    backbone = random_backbone("inception", "average")
    before, after = backbone(shown, ["Mixed_5d", "Mixed_6a"]).values()
    wanted = nn.functional.avg_pool2d(before, 3, 2)
    torch.testing.assert_close(after[:, -wanted.shape[1] :], wanted)


def test_parts_of_layers_go_by_the_librarys_names() -> None:
    backbone = random_backbone("resnet")
    shown = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(3))
    found = backbone(shown, ["layer1.0.conv2", "bn1", "relu"])
    assert found["layer1.0.conv2"].shape == (1, 64, 10, 10)
    torch.testing.assert_close(found["relu"], found["bn1"].clamp_min(0))
    assert found["bn1"].min() < 0
    with pytest.raises(ValueError, match=r"resnet has no layer layer1\.0\.conv9; there are conv1"):
        backbone(shown, ["layer1.0.conv9"])
    with pytest.raises(ValueError, match=r"no layer features\.1\.0\.block\.3"):
        random_backbone("convnext")(shown, ["features.1.0.block.3"])


def test_densenets_old_names_are_read(tmp_path: Path) -> None:
    tensors = original("densenet").state_dict()
    old = {
        key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value
        for key, value in tensors.items()
    }
    assert old.keys() != tensors.keys()
    torch.save(old, path := tmp_path / "old.pth")
    weights, _ = read_weights(path, "densenet")
    assert "features.norm5" in Backbone("densenet", weights).feature_layers


def test_a_file_with_a_hole_is_refused_by_the_layers_name(tmp_path: Path) -> None:
    tensors = original("resnet").state_dict()
    del tensors["layer2.1.conv2.weight"]
    torch.save(tensors, path := tmp_path / "hole.pth")
    with pytest.raises(WeightsError, match=r"lacks layer2\.1\.conv2\.weight: it is of another"):
        read_weights(path, "resnet")


def test_a_file_that_ends_early_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    tensors = original("resnet").state_dict()
    kept = {key: value for key, value in tensors.items() if key.split(".")[0] < "layer2"}
    torch.save(kept, path := tmp_path / "early.pth")
    backbone = Backbone("resnet", read_weights(path, "resnet")[0])
    assert backbone.feature_layers[-1] == "layer1.2"
    with pytest.raises(ValueError, match=r"no layer layer2\.3; there are .*, layer1\.2$"):
        backbone(torch.rand(1, 3, 64, 64), ["layer2.3"])


def test_without_timm_its_networks_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *others: Any, **named: Any) -> Any:
        if name == "timm":
            raise ImportError(name)
        return plain(name, *others, **named)

    monkeypatch.delitem(sys.modules, "timm", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"xception needs timm: pip install 'vidstyle\[timm\]'"):
        build_network("xception")


def random_backbone(name: str, pooling: Any = "max") -> Backbone:
    network = original(name)
    trunk = {key: value for key, value in network.state_dict().items() if value.ndim}
    return Backbone(name, trunk, pooling=pooling)
