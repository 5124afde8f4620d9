"""Painting in a style or a mix of styles by OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.network import OpenVinoNetwork
from vidstyle.models.style.style_mix import mixed_weights
from vidstyle.models.style.style_weights import load_style_weights


class OpenVinoStylizer:
    """Paints images (H, W, 3), RGB in [0, 1], in one of some styles or a mix of them.

    Where the mix changes, the network is compiled anew: 0.1 to 0.2 seconds.
    """

    def __init__(
        self,
        styles: Mapping[str, Path],
        *,
        precision: Precision,
        threads: int,
        tile: int | None = None,
    ) -> None:
        """``tile`` as ``OpenVinoNetwork`` has it. Raises WeightsError as ``load_style_weights``
        does."""
        self._weights = {name: load_style_weights(path) for name, path in styles.items()}
        self._precision = precision
        self._threads = threads
        self._tile = tile
        self._shares: Mapping[str, float] = {}
        self._network: OpenVinoNetwork | None = None

    def stylize(self, image: HostArray, shares: Mapping[str, float]) -> HostArray:
        """A new image of that shape. ``shares`` by name sum to 1."""
        return self.network(shares).stylize(image)

    def network(self, shares: Mapping[str, float]) -> OpenVinoNetwork:
        """The network of these shares, until the next call."""
        used = {name: share for name, share in shares.items() if share}
        if self._network is None or used != self._shares:
            weights = mixed_weights(self._weights, used)
            self._network = OpenVinoNetwork(
                weights, precision=self._precision, threads=self._threads, tile=self._tile
            )
            self._shares = used
        return self._network
