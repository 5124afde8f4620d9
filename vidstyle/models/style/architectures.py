"""The registry of style networks: one row for each; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vidstyle.models.style.network import StyleNetwork

ArchitectureName = Literal["fast", "johnson", "johnson-fractional", "johnson-tanh"]
"""Of the network that a style file holds; each has a row in ``ARCHITECTURES``."""

SMALLEST_SIDE = 8
"""Pixels of the shortest sides that a style network takes."""


@dataclass(frozen=True, slots=True)
class ArchitectureRow:
    """A network that styles can be trained with."""

    module: str
    """Below ``vidstyle.models.style``; imported when the first network is built."""
    network: str
    """The class there, a ``StyleNetwork``."""
    width: int
    """Default number of channels of its finest layers."""
    summary: str
    """One line for people."""


ARCHITECTURES: Mapping[ArchitectureName, ArchitectureRow] = {
    "fast": ArchitectureRow("fast", "FastNet", 16, "for real time on a processor"),
    "johnson": ArchitectureRow(
        "johnson", "TransformerNet", 16, "Johnson et al., enlarging by repeated pixels"
    ),
    "johnson-fractional": ArchitectureRow(
        "johnson", "FractionalNet", 16, "Johnson et al., enlarging by transposed convolutions"
    ),
    "johnson-tanh": ArchitectureRow(
        "johnson_tanh", "TanhNet", 16, "Johnson et al., padded by zeros, bounded by a tanh"
    ),
}


def empty_network(architecture: ArchitectureName, width: int | None = None) -> StyleNetwork:
    """Build a network whose weights are not filled yet; draws no random numbers.

    Args:
        architecture: A key of ``ARCHITECTURES``.
        width: Channels of its finest layers; by default the row's.

    Returns:
        The network, on the CPU.

    Raises:
        KeyError: There is no such architecture.
        ValueError: The width is below 1.
    """
    import torch

    row = ARCHITECTURES[architecture]
    module = import_module(f"vidstyle.models.style.{row.module}")
    with torch.device("meta"):
        network: StyleNetwork = getattr(module, row.network)(row.width if width is None else width)
    return network.to_empty(device="cpu")
