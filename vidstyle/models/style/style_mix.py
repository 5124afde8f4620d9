"""Several styles as one network: their weights, mixed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.errors import WeightsError

if TYPE_CHECKING:
    import torch

    from vidstyle.models.style.network import StyleNetwork
    from vidstyle.models.style.style_file import StyleInfo
    from vidstyle.models.style.style_weights import StyleWeights


class StyleMix:
    """Paints in a style between others: each weight is the mean of theirs, by shares.

    Linear interpolation of networks (Wang et al.: Deep Network Interpolation for Continuous
    Imagery Effect Transition, 2019). It gives a style in between where the networks were trained
    from one common start, as those that vidstyle trains by one setting and seed are. Networks of
    different starts have their features in different orders, and the middle of two paints mud.
    """

    def __init__(self, networks: Mapping[str, StyleNetwork]) -> None:
        """``networks``: alike as ``check_alike`` has it, where they are to paint."""
        self._networks = dict(networks)
        self._mixed: StyleNetwork | None = None
        self._shares: Mapping[str, float] = {}

    def network(self, shares: Mapping[str, float]) -> StyleNetwork:
        """The network of these shares, which sum to 1; until the next call.

        Where one share is all of them it is that style's own network.
        """
        used = {name: share for name, share in shares.items() if share}
        if len(used) == 1:
            return self._networks[next(iter(used))]
        if self._mixed is None:
            self._mixed = copy.deepcopy(next(iter(self._networks.values())))
        if used != self._shares:
            self._fill(self._mixed.state_dict(), used)
            self._shares = used
        return self._mixed

    def _fill(self, mixed: Mapping[str, torch.Tensor], shares: Mapping[str, float]) -> None:
        parts = [(self._networks[name].state_dict(), share) for name, share in shares.items()]
        for key, target in mixed.items():
            target.copy_(sum(weights[key] * share for weights, share in parts))


def mixed_weights(styles: Mapping[str, StyleWeights], shares: Mapping[str, float]) -> StyleWeights:
    """As ``StyleMix`` has it, for who builds networks without torch."""
    used = {name: share for name, share in shares.items() if share}
    first = styles[next(iter(used))]
    if len(used) == 1:
        return first
    arrays = {
        key: np.asarray(sum(styles[name].arrays[key] * share for name, share in used.items()))
        for key in first.arrays
    }
    return replace(first, arrays=arrays)


def check_alike(infos: Mapping[str, StyleInfo]) -> None:
    """Raise WeightsError where styles are not of one architecture and width, naming both."""
    (first, wanted), *others = infos.items()
    for name, info in others:
        if (info.architecture, info.width) != (wanted.architecture, wanted.width):
            raise WeightsError(
                f"styles of one mix have one architecture and width: {first} is {_form(wanted)},"
                f" {name} is {_form(info)}; choose others, or train one of them again"
            )


def _form(info: StyleInfo) -> str:
    return f"{info.architecture} with {info.width} channels"
