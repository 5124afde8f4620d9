"""Loss networks that timm builds, an optional package: ``pip install 'vidstyle[timm]'``."""

from __future__ import annotations

import warnings

from torch import nn

from vidstyle.core.errors import UsageError
from vidstyle.models.loss.backbone_blueprint import Layer, Pooling, averaging


def xception_layers(pooling: Pooling) -> list[Layer]:
    """Xception (Chollet 2016), as the author's weights have it."""
    network = _network("legacy_xception", "xception", pooling)
    names = [name for name, _ in network.named_children()]
    trunk = names[: names.index("global_pool")]
    return [(name, network.get_submodule(name)) for name in trunk]


def resnet_v2_layers(pooling: Pooling) -> list[Layer]:
    """ResNet-50 V2: norm and activation come before each convolution (He et al. 2016)."""
    network = _network("resnetv2_50", "resnet-v2", pooling)
    stem = [(f"stem.{name}", part) for name, part in network.get_submodule("stem").named_children()]
    blocks = [
        (f"stages.{stage}.blocks.{number}", block)
        for stage, row in network.get_submodule("stages").named_children()
        for number, block in row.get_submodule("blocks").named_children()
    ]
    return [*stem, *blocks, ("norm", network.get_submodule("norm"))]


def _network(name: str, called: str, pooling: Pooling) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise UsageError(
            f"the backbone {called} needs timm: pip install 'vidstyle[timm]', or choose another"
        ) from error
    with warnings.catch_warnings():
        # Of names that it has given up in parts of itself.
        warnings.simplefilter("ignore")
        network = timm.create_model(name, pretrained=False)
    return averaging(network) if pooling == "average" else network
