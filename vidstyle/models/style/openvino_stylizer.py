"""Stylizing in a style or a mix of styles by OpenVINO, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.core.errors import WeightsError
from vidstyle.models.openvino.network import OpenVinoNetwork
from vidstyle.models.style.architectures import SMALLEST_SIDE
from vidstyle.models.style.style_weights import StyleWeights, load_style_weights, mix_weights


class OpenVinoStylizer:
    """Stylizes images (H, W, 3), RGB in [0, 1], in one of some styles or a mix of them.

    In float32 within 1e-3 of torch, in bfloat16 and int8 within 2/255 on average. Where the mix
    changes, the network is compiled again: 0.1 to 0.2 seconds.

    Args:
        styles: Style files by name.
        precision: Of the convolutions; ``int8`` for one style that has ranges.
        threads: Of the processor.

    Raises:
        WeightsError: As ``load_style_weights`` raises it; or 8 bits are wanted of a style without
            ranges.
    """

    def __init__(self, styles: Mapping[str, Path], *, precision: Precision, threads: int) -> None:
        self._weights = {name: load_style_weights(path) for name, path in styles.items()}
        if precision == "int8":
            _check_ranges(styles, self._weights)
        self._precision: Precision = precision
        self._threads = threads
        self._mix: Mapping[str, float] = {}
        self._network: OpenVinoNetwork | None = None

    def stylize(self, image: HostArray, mix: Mapping[str, float]) -> HostArray:
        """Stylize an image.

        Args:
            image: (H, W, 3) RGB in [0, 1].
            mix: Weights of the styles by name; they sum to 1.

        Returns:
            A new image of that shape.
        """
        return self.network(mix).run(image)

    def network(self, mix: Mapping[str, float]) -> OpenVinoNetwork:
        """Return the network of a mix; it is valid until the next call.

        Args:
            mix: Weights of the styles by name; they sum to 1.

        Returns:
            The network.
        """
        used = {name: weight for name, weight in mix.items() if weight}
        if self._network is None or used != self._mix:
            weights = mix_weights(self._weights, used)
            self._network = OpenVinoNetwork(
                weights.graph,
                weights.arrays,
                precision=self._precision,
                threads=self._threads,
                smallest_side=SMALLEST_SIDE,
                ranges=weights.ranges,
            )
            self._mix = used
        return self._network


def _check_ranges(styles: Mapping[str, Path], weights: Mapping[str, StyleWeights]) -> None:
    for name, path in styles.items():
        if not weights[name].ranges:
            raise WeightsError(
                f"{path} has no ranges for 8 bits: train it again, or choose precision auto"
            )
