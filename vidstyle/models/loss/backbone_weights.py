"""Reading a loss network's weights from files of any origin, and what images they take."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.loss.backbone_network import build_network, find_order
from vidstyle.models.loss.backbone_table import BackboneName
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import CATALOG, KNOWN_FILES, InputForm
from vidstyle.models.weights.torch_file import checked_array, read_arrays

__all__ = ["INPUT_FORMS", "KNOWN_FILES", "read_weights"]

BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
"""Subtracted from images of 0 to 255, as in the Caffe models."""


@dataclass(frozen=True)
class Standard:
    """How images are standardized: in terms of RGB in [0, 1], whatever the network's order."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    blue_first: bool = False

    def fold(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Fold the order and the deviation of the input into the first convolution.

        A convolution is linear and its padding of 0 is the mean: order and deviation can go into
        its weights, and cost nothing any more.

        Args:
            weight: (C, 3, h, w), the network's own.

        Returns:
            The mean (1, 3, 1, 1) to subtract, and the convolution's new weight.
        """
        ordered = weight.detach().flip(1) if self.blue_first else weight.detach()
        scale = 1.0 / torch.tensor(self.deviation, dtype=torch.float64).reshape(1, 3, 1, 1)
        mean = torch.tensor(self.mean, dtype=torch.float64).reshape(1, 3, 1, 1)
        return mean.to(weight.dtype), (ordered.double() * scale).to(weight.dtype)


_BLUE, _GREEN, _RED = (value / 255 for value in BLUE_GREEN_RED_MEAN)

INPUT_FORMS: Mapping[InputForm, Standard] = {
    "caffe-bgr": Standard((_RED, _GREEN, _BLUE), (1 / 255,) * 3, blue_first=True),
    "caffe-rgb": Standard((_RED, _GREEN, _BLUE), (1 / 255,) * 3),
    "torchvision-rgb": Standard((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # From -1 to 1: Inception, and what timm trained.
    "half-rgb": Standard((0.5,) * 3, (0.5,) * 3),
}
"""By the name that a file's metadata has under ``input``."""

_STATED: Mapping[str, InputForm] = {
    **{name: name for name in INPUT_FORMS},
    f"BGR, 0-255, minus ({','.join(map(str, BLUE_GREEN_RED_MEAN))})": "caffe-bgr",
}
"""How the ``input`` of a file's metadata may begin."""


_PASSED = re.compile(r"^(classifier|fc|last_linear|head\.fc|AuxLogits)\.|\bnum_batches_tracked$")
"""Keys of what is above the layers, and of what only training needs."""
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def read_weights(path: Path, name: BackboneName) -> tuple[dict[str, torch.Tensor], InputForm]:
    """Read a backbone's weights, and what images they take.

    Layers may be missing from the top; classifiers are passed over. Nothing in a file is run.

    Args:
        path: A ``.safetensors`` whose metadata has an ``input`` of ``INPUT_FORMS``, or a state dict
            that torch wrote. Such a one takes the input of the backbone's official weights, unless
            its name is known for another.
        name: Of the network.

    Returns:
        The weights by the network's own keys, float32, and the form of its input.

    Raises:
        WeightsError: The file is missing or damaged, or has other keys, shapes or input, or values
            that are not finite.
    """
    tensors = read_arrays(path)
    form = (
        _stated_form(path)
        if path.suffix == ".safetensors"
        else _known_form(path) or KNOWN_FILES[name][CATALOG[name].file]
    )
    found = {_renamed(key): value for key, value in tensors.items() if not _PASSED.search(key)}
    wanted = _shapes(name, found)
    safetensors_file.check_keys(path, found, wanted)
    return {key: checked_array(path, key, found[key], shape) for key, shape in wanted.items()}, form


def _stated_form(path: Path) -> InputForm:
    stated = safetensors_file.read_metadata(path).get("input")
    if stated is None:
        if known := _known_form(path):
            return known
        raise WeightsError(
            f"{path} does not say what images it takes: give its metadata an input of "
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


def _renamed(key: str) -> str:
    """DenseNet's official files are of before torch 0.4, when names could have dots."""
    return _OLD_DENSENET.sub(r"\1\2", key)


def _shapes(name: BackboneName, found: Collection[str]) -> dict[str, tuple[int, ...]]:
    """What there must be, up to the deepest layer that the file has anything of."""
    network = build_network(name)
    order, state = find_order(network), network.state_dict()
    steps = order.reach(found)
    return {
        key: tuple(state[key].shape)
        for key, place in order.positions.items()
        if place < steps and not key.endswith("num_batches_tracked")
    }
