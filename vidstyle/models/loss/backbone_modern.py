"""Loss networks that torchvision builds: their trunks as rows of layers, without a classifier.

torchvision is imported when one is asked for: it takes seconds.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from vidstyle.models.loss.backbone_blueprint import Layer, Pooling, averaging


def inception_layers(pooling: Pooling) -> list[Layer]:
    """Inception V3 (Szegedy et al. 2015), without its second classifier."""
    from torchvision.models import inception  # type: ignore[import-untyped]  # has no types

    blocks = [
        inception.BasicConv2d,
        inception.InceptionA,
        _averaging_reduction(inception.InceptionB, ("branch3x3",), _DOUBLE),
        inception.InceptionC,
        _averaging_reduction(inception.InceptionD, _SHORT, _LONG),
        inception.InceptionE,
        inception.InceptionAux,
    ]
    network = inception.Inception3(
        aux_logits=False,
        init_weights=False,
        inception_blocks=blocks if pooling == "average" else None,
    )
    names = [name for name, _ in network.named_children()]
    trunk = names[: names.index("avgpool")]
    return _pooled([(name, network.get_submodule(name)) for name in trunk], pooling)


def densenet_layers(pooling: Pooling) -> list[Layer]:
    """DenseNet-121 (Huang et al. 2016)."""
    from torchvision.models import densenet121

    features = densenet121(weights=None).features
    layers = [(f"features.{name}", module) for name, module in features.named_children()]
    # torchvision has this one in the code of its network and not among the layers.
    return _pooled([*layers, ("features.relu5", nn.ReLU(inplace=True))], pooling)


def resnet_layers(pooling: Pooling) -> list[Layer]:
    """ResNet-50 (He et al. 2015)."""
    from torchvision.models import resnet50

    network = resnet50(weights=None)
    stem = [(name, network.get_submodule(name)) for name in ("conv1", "bn1", "relu", "maxpool")]
    return _pooled([*stem, *_blocks(network, ("layer1", "layer2", "layer3", "layer4"))], pooling)


def convnext_layers(pooling: Pooling) -> list[Layer]:
    """ConvNeXt Tiny (Liu et al. 2022); it pools by convolutions alone."""
    from torchvision.models import convnext_tiny

    network = convnext_tiny(weights=None)
    layers: list[Layer] = []
    for number, part in enumerate(network.features):
        name = f"features.{number}"
        # Even ones are a convolution and its norm; odd ones rows of blocks.
        layers += _blocks(network, (name,)) if number % 2 else [(name, part)]
    return layers


def _blocks(network: nn.Module, names: tuple[str, ...]) -> list[Layer]:
    """The blocks of rows of blocks."""
    return [
        (f"{name}.{number}", block)
        for name in names
        for number, block in network.get_submodule(name).named_children()
    ]


def _pooled(layers: list[Layer], pooling: Pooling) -> list[Layer]:
    if pooling == "max":
        return layers
    # As children of something, so that they can be changed for others.
    changed = averaging(nn.ModuleList(module for _, module in layers))
    feature_layers = (feature_layer for feature_layer, _ in layers)
    return list(zip(feature_layers, changed.children(), strict=True))


_DOUBLE = ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
_SHORT = ("branch3x3_1", "branch3x3_2")
_LONG = ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4")


def _averaging_reduction(
    block: type[nn.Module], short: tuple[str, ...], long: tuple[str, ...]
) -> type[nn.Module]:
    """A block of Inception that halves the image, whose maximum is a function of its code, with
    an average in its place."""

    class Averaging(block):  # type: ignore[misc,valid-type]  # a class that is a value
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            branches = [functional.avg_pool2d(features, 3, stride=2)]
            for names in (long, short):
                branch = features
                for name in names:
                    branch = self.get_submodule(name)(branch)
                branches.insert(0, branch)
            return torch.cat(branches, dim=1)

    return Averaging
