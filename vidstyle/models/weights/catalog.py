"""The third-party weights that vidstyle can fetch: whose they are, from where, and what is known
of them. Usable without torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidstyle.models.style.input_form import InputForm

OFFICIAL = "https://download.pytorch.org/models/"
"""Where torchvision's files are downloaded from."""
_HUB = "https://huggingface.co/timm/"
_TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/"

_STATED = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file on somebody's server."""

    name: str
    """Under which vidstyle knows it."""
    address: str
    file: str
    """Its name here; torchvision's end in a hyphen and the first digits of their SHA-256."""
    mebibytes: float
    license: str
    """Of the weights, as far as their authors state one."""
    checked: bool = True
    """Whether the digits in the file's name are those of its SHA-256, which then is known."""

    @property
    def digits(self) -> str | None:
        """How its SHA-256 begins; None where nobody has said so."""
        return stated_digits(self.file) if self.checked else None


def stated_digits(name: str) -> str | None:
    """The digits of a SHA-256 that a file's name ends in, after torchvision's custom."""
    stated = _STATED.search(name)
    return stated[1] if stated else None


def _torchvision(
    name: str, file: str, mebibytes: float, license_name: str = "BSD-3-Clause"
) -> WeightFile:
    return WeightFile(name, OFFICIAL + file, file, mebibytes, license_name)


CATALOG: Mapping[str, WeightFile] = {
    entry.name: entry
    for entry in (
        _torchvision("vgg16", "vgg16-397923af.pth", 527.8),
        _torchvision("vgg19", "vgg19-dcbb9e9d.pth", 548.1),
        _torchvision("squeezenet", "squeezenet1_1-b8a52dc0.pth", 4.7),
        _torchvision("inception", "inception_v3_google-0cc3c7bd.pth", 103.9),
        _torchvision("densenet", "densenet121-a639ec97.pth", 30.8),
        _torchvision("resnet", "resnet50-0676ba61.pth", 97.8),
        _torchvision("convnext", "convnext_tiny-983f1562.pth", 109.1),
        # What its name ends in are not for sure digits of its SHA-256.
        WeightFile(
            "xception",
            _TIMM + "xception-43020ad28.pth",
            "xception-43020ad28.pth",
            87.4,
            "Apache-2.0",
            checked=False,
        ),
        WeightFile(
            "resnet-v2",
            _HUB + "resnetv2_50.a1h_in1k/resolve/main/model.safetensors",
            "resnetv2_50.a1h_in1k.safetensors",
            97.5,
            "Apache-2.0",
            checked=False,
        ),
        _torchvision("raft-small", "raft_small_C_T_V2-01064c6d.pth", 3.8),
        _torchvision("raft-large", "raft_large_C_T_SKHT_V2-ff5fadd5.pth", 20.1),
        _torchvision("alexnet", "alexnet-owt-7be5be79.pth", 233.1),
    )
}
"""By name: the backbones', RAFT's, and what `vidstyle evaluate` measures likeness by."""

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
"""Files that are looked for, by backbone, with the images that they take.

The deepest-reaching ones come first; among equals those that the published styles used.
"""
