"""The third-party weights that vidstyle can fetch: their origin, and how a file is recognized.

Usable without torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vidstyle.models.weights.headers import Shape, WeightHeader

OFFICIAL = "https://download.pytorch.org/models/"
"""Where torchvision's files are downloaded from."""
_HUB = "https://huggingface.co/timm/"
_TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/"

InputForm = Literal["caffe-bgr", "caffe-rgb", "torchvision-rgb", "half-rgb"]
"""What images a network was trained on; ``loss.backbone_weights`` has what that means."""

_STATED = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A network's official weights on its authors' server, and other files that serve as well."""

    name: str
    """Under which vidstyle knows it."""
    address: str
    file: str
    """Its name here; torchvision's end in a hyphen and the first digits of their SHA-256."""
    mebibytes: float
    license: str
    """Of the weights, as far as their authors state one."""
    checked: bool = True
    """Whether the digits in the file's name are those of its SHA-256."""
    others: tuple[str, ...] = ()
    """Names of files that serve as well; sought before the official one."""
    keys: Mapping[str, Shape] = field(default_factory=dict)
    """Keys, with their shapes, that files of this network have. Other networks lack at least one
    of them, or have it in another shape."""
    lacks: tuple[str, ...] = ()
    """Keys that only a relative of this network has, such as a deeper one."""

    @property
    def digits(self) -> str | None:
        """The first digits of its SHA-256, or None where they are not known."""
        return stated_digits(self.file) if self.checked else None

    def recognizes(self, header: WeightHeader) -> bool:
        """Return whether a file holds weights of this network, by its keys and shapes.

        Args:
            header: Of the file.

        Returns:
            Whether it does.
        """
        return (
            bool(self.keys)
            and all(header.shapes.get(key) == shape for key, shape in self.keys.items())
            and not any(key in header.shapes for key in self.lacks)
        )


def stated_digits(name: str) -> str | None:
    """Read the digits of a SHA-256 that a file's name ends in, after torchvision's custom.

    Args:
        name: Of the file.

    Returns:
        The digits; None where it has none.
    """
    stated = _STATED.search(name)
    return stated[1] if stated else None


def known_names(entry: WeightFile) -> tuple[str, ...]:
    """List the names of files with a network's weights.

    Args:
        entry: Of the catalog.

    Returns:
        Names, in the order in which they are looked for.
    """
    if entry.name in KNOWN_FILES:
        return tuple(KNOWN_FILES[entry.name])
    return (*entry.others, entry.file)


def _raft(size: str, file: str, mebibytes: float, channels: int) -> WeightFile:
    return WeightFile(
        f"raft-{size}",
        OFFICIAL + file,
        file,
        mebibytes,
        "BSD-3-Clause",
        others=(f"raft_{size}_torchvision.safetensors", f"raft_{size}_torchvision.pth"),
        keys={
            "feature_encoder.convnormrelu.0.weight": (channels, 3, 7, 7),
            "update_block.flow_head.conv1.bias": (4 * channels,),
        },
    )


def _torchvision(
    name: str, file: str, mebibytes: float, keys: Mapping[str, Shape], *lacks: str
) -> WeightFile:
    address = OFFICIAL + file
    return WeightFile(name, address, file, mebibytes, "BSD-3-Clause", keys=keys, lacks=lacks)


_ENTRIES = (
    _torchvision(
        "vgg16",
        "vgg16-397923af.pth",
        527.8,
        {"features.0.weight": (64, 3, 3, 3), "features.14.weight": (256, 256, 3, 3)},
        "features.16.weight",
    ),
    _torchvision(
        "vgg19",
        "vgg19-dcbb9e9d.pth",
        548.1,
        {"features.0.weight": (64, 3, 3, 3), "features.16.weight": (256, 256, 3, 3)},
    ),
    _torchvision(
        "squeezenet",
        "squeezenet1_1-b8a52dc0.pth",
        4.7,
        {"features.0.weight": (64, 3, 3, 3), "features.3.squeeze.weight": (16, 64, 1, 1)},
    ),
    _torchvision(
        "inception",
        "inception_v3_google-0cc3c7bd.pth",
        103.9,
        {"Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3)},
    ),
    _torchvision(
        "densenet",
        "densenet121-a639ec97.pth",
        30.8,
        {"features.conv0.weight": (64, 3, 7, 7)},
        # Of 169 and more layers, under the names of today and of torch before 0.4.
        "features.denseblock3.denselayer25.conv1.weight",
        "features.denseblock3.denselayer25.conv.1.weight",
    ),
    _torchvision(
        "resnet",
        "resnet50-0676ba61.pth",
        97.8,
        {"conv1.weight": (64, 3, 7, 7), "layer1.0.conv1.weight": (64, 64, 1, 1)},
        "layer3.6.conv1.weight",
    ),
    _torchvision(
        "convnext",
        "convnext_tiny-983f1562.pth",
        109.1,
        {"features.0.0.weight": (96, 3, 4, 4)},
        "features.5.9.block.0.weight",
    ),
    # The end of the name may not be digits of its SHA-256.
    WeightFile(
        "xception",
        _TIMM + "xception-43020ad28.pth",
        "xception-43020ad28.pth",
        87.4,
        "Apache-2.0",
        checked=False,
        keys={"conv1.weight": (32, 3, 3, 3), "block1.rep.0.conv1.weight": (64, 1, 3, 3)},
    ),
    WeightFile(
        "resnet-v2",
        _HUB + "resnetv2_50.a1h_in1k/resolve/main/model.safetensors",
        "resnetv2_50.a1h_in1k.safetensors",
        97.5,
        "Apache-2.0",
        checked=False,
        keys={
            "stem.conv.weight": (64, 3, 7, 7),
            "stages.0.blocks.0.norm1.weight": (64,),
            "stages.0.blocks.0.conv1.weight": (64, 64, 1, 1),
        },
        lacks=("stages.2.blocks.6.conv1.weight",),
    ),
    _raft("small", "raft_small_C_T_V2-01064c6d.pth", 3.8, 32),
    _raft("large", "raft_large_C_T_SKHT_V2-ff5fadd5.pth", 20.1, 64),
    _torchvision(
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        233.1,
        {"features.0.weight": (64, 3, 11, 11), "features.3.weight": (192, 64, 5, 5)},
    ),
)

CATALOG: Mapping[str, WeightFile] = {entry.name: entry for entry in _ENTRIES}
"""By name: the loss networks', RAFT's, and what `vidstyle evaluate` measures likeness by."""

KNOWN_FILES: Mapping[str, Mapping[str, InputForm]] = {
    "vgg16": {
        # The authors' weights as J. Johnson converted them, then as torchvision offers them.
        "vgg16-00b39a1b.pth": "caffe-bgr",
        "vgg16_features-amdegroot-88682ab5.pth": "caffe-rgb",
        "vgg16-397923af.pth": "torchvision-rgb",
    },
    "vgg19": {
        "vgg19-d01eb7cb.pth": "caffe-bgr",
        "vgg19-dcbb9e9d.pth": "torchvision-rgb",
        "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors": "caffe-bgr",
    },
    "squeezenet": {
        "squeezenet1_1_features_caffe_bgr.safetensors": "caffe-bgr",
        "squeezenet1_1-b8a52dc0.pth": "torchvision-rgb",
    },
    # Google's weights take -1 to 1; torchvision's own code converts its input to that.
    "inception": {"inception_v3_google-0cc3c7bd.pth": "half-rgb"},
    "densenet": {"densenet121-a639ec97.pth": "torchvision-rgb"},
    "resnet": {
        "resnet50-0676ba61.pth": "torchvision-rgb",
        "resnet50-11ad3fa6.pth": "torchvision-rgb",
    },
    "convnext": {"convnext_tiny-983f1562.pth": "torchvision-rgb"},
    "xception": {"xception-43020ad28.pth": "half-rgb"},
    "resnet-v2": {"resnetv2_50.a1h_in1k.safetensors": "half-rgb"},
}
"""Files of loss networks that are known by name, with the images that they take.

The deepest-reaching ones come first; among equals those that the published styles used.
"""
