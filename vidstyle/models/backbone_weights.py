"""Where a loss network's weights lie, and reading them from files of any origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models import safetensors_file
from vidstyle.models.backbone_layers import PREFIX, empty_layers, reached_layers
from vidstyle.models.input_form import BLUE_GREEN_RED_MEAN, INPUT_FORMS, InputForm
from vidstyle.models.weight_arrays import checked_array, read_arrays
from vidstyle.models.weight_places import OFFICIAL, find_file

OFFICIAL_FILES: Mapping[str, str] = {
    "vgg16": "vgg16-397923af.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "squeezenet": "squeezenet1_1-b8a52dc0.pth",
}

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
}
"""Files that are looked for, by backbone, with the pictures that they take.

The deepest-reaching ones come first; among equals those that the published styles used.
"""

_STATED: Mapping[str, InputForm] = {
    **{name: name for name in INPUT_FORMS},
    f"BGR, 0-255, minus ({','.join(map(str, BLUE_GREEN_RED_MEAN))})": "caffe-bgr",
}
"""How the ``input`` of a file's metadata may begin."""


def find_weights(name: str, *, folder: Path | None, offline: bool) -> Path:
    """The file of a backbone's weights: see ``backbones.load_backbone`` for where it is sought.

    Raises WeightsError where there is none and it is not, or cannot be, downloaded, and where
    the folder is not there.
    """
    return find_file(
        name, KNOWN_FILES[name], OFFICIAL + OFFICIAL_FILES[name], folder=folder, offline=offline
    )


def read_weights(path: Path, name: str) -> tuple[dict[str, torch.Tensor], InputForm]:
    """A backbone's weights by torchvision's keys, float32, and what pictures they take.

    ``path`` is a ``.safetensors`` whose metadata has an ``input`` of ``INPUT_FORMS``, or a state
    dict that torch wrote, of torchvision's input unless its name is known for another. Layers
    may be missing from the top, and a classifier is passed over. Nothing in a file is run.

    Raises WeightsError where the file is missing or damaged, or has other keys, shapes or
    input, or values that are not finite.
    """
    tensors = read_arrays(path)
    form = (
        _stated_form(path)
        if path.suffix == ".safetensors"
        else _known_form(path) or "torchvision-rgb"
    )
    found = {key: value for key, value in tensors.items() if not key.startswith("classifier.")}
    wanted = _shapes(name, found)
    safetensors_file.check_keys(path, found, wanted)
    return {key: checked_array(path, key, found[key], shape) for key, shape in wanted.items()}, form


def _stated_form(path: Path) -> InputForm:
    stated = safetensors_file.read_metadata(path).get("input")
    if stated is None:
        if known := _known_form(path):
            return known
        raise WeightsError(
            f"{path} does not say what pictures it takes: give its metadata an input of "
            f"{' or '.join(INPUT_FORMS)}"
        )
    for begin, form in _STATED.items():
        if stated.startswith(begin):
            return form
    raise WeightsError(f"{path} takes {stated!r}; wanted {' or '.join(INPUT_FORMS)}")


def _known_form(path: Path) -> InputForm | None:
    for files in KNOWN_FILES.values():
        if path.name in files:
            return files[path.name]
    return "caffe-bgr" if "caffe_bgr" in path.stem else None


def _shapes(name: str, found: Mapping[str, object]) -> dict[str, tuple[int, ...]]:
    """What there must be, up to the deepest layer that the file has anything of."""
    layers = reached_layers(empty_layers(name, "max"), found)
    return {
        f"{PREFIX}{number}.{part}": tuple(value.shape)
        for number, (_, module) in enumerate(layers)
        for part, value in module.state_dict().items()
    }
