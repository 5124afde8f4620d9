"""Stages that change the size of a frame: of each of its layers alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self, TypeVar

from vidstyle.core.frame import LazyLayer
from vidstyle.core.layers import HostArray
from vidstyle.core.needs import NOW, Needs
from vidstyle.core.options import StageOptions
from vidstyle.core.stage import BaseStage, Layers
from vidstyle.core.state import State
from vidstyle.core.window import Window

OptionsT = TypeVar("OptionsT", bound=StageOptions)


class GeometryStage(BaseStage[OptionsT]):
    """Scales, crops or pads all layers of a frame: source, image, alpha, and side inputs.

    A subclass has ``describe``, which gives the new size, and ``reshape``, which brings one layer
    to it. The runner says which layers there are.

    Args:
        options: Of its class ``Options``.
        layers: Names of the layers.
    """

    def __init__(self, options: OptionsT, layers: Sequence[str] = ("source", "image")) -> None:
        super().__init__(options)
        self.needs = Needs(reads=dict.fromkeys(layers, NOW), writes=tuple(layers), geometry=True)

    def with_layers(self, layers: Sequence[str]) -> Self:
        """Make the same stage for other layers.

        Args:
            layers: Names of all layers that frames have there.

        Returns:
            The stage, not opened.
        """
        return type(self)(self.options, layers)

    @abstractmethod
    def reshape(self, layer: HostArray, options: OptionsT) -> HostArray:
        """Bring a layer to the new size.

        Args:
            layer: (H, W) or (H, W, 3), float32.
            options: As they are now.

        Returns:
            (H', W') or (H', W', 3), float32.
        """

    def step(self, window: Window[OptionsT], state: State) -> tuple[Layers, State]:
        made: dict[LazyLayer, HostArray] = {}
        for name in self.needs.writes:
            # The image is the source until a stage has changed it.
            layer = window.now.lazy_layer(name)
            if layer not in made:
                made[layer] = self.reshape(window.now.host(name), window.options)
        return {name: made[window.now.lazy_layer(name)] for name in self.needs.writes}, None
