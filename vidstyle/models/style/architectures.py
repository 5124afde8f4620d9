"""The networks that a style file may hold, by name."""

from __future__ import annotations

import torch

from vidstyle.models.style.fast import FastNet
from vidstyle.models.style.johnson import FractionalNet, TransformerNet
from vidstyle.models.style.network import StyleNetwork

_CLASSES: dict[str, type[StyleNetwork]] = {
    made.architecture: made for made in (FastNet, TransformerNet, FractionalNet)
}


def empty_network(architecture: str, width: int) -> StyleNetwork:
    """A network whose weights are yet to be filled; draws no random numbers.

    Raises KeyError for an unknown architecture.
    """
    with torch.device("meta"):
        network = _CLASSES[architecture](width)
    return network.to_empty(device="cpu")
