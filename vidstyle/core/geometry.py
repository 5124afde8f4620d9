"""Stages that change the size of a frame: of each of its layers alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Self, TypeVar

from vidstyle.core.frame import LazyLayer
from vidstyle.core.layers import HostArray
from vidstyle.core.needs import NOW, Needs
from vidstyle.core.options import StageOptions
from vidstyle.core.planes import Planes, Samples8
from vidstyle.core.stage import BaseStage, Layers
from vidstyle.core.state import State
from vidstyle.core.window import Window

OptionsT = TypeVar("OptionsT", bound=StageOptions)


class GeometryStage(BaseStage[OptionsT]):
    """Scales, crops or pads all layers of a frame: source, image, alpha, and side inputs.

    A subclass has ``describe``, which gives the new size, and ``reshape``, which brings one layer
    to it. The runner says which layers there are. With ``reshape_planes`` a layer that lies as
    planes stays so.

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

    def reshape_planes(self, planes: Planes, options: OptionsT) -> tuple[Samples8, ...] | None:
        """Bring the samples of a layer to the new size.

        Args:
            planes: As they were decoded.
            options: As they are now.

        Returns:
            Three planes of the same format; None where that takes more than moving samples. Then,
            and where somebody reads the RGB, ``reshape`` makes it.
        """
        return None

    def step(self, window: Window[OptionsT], state: State) -> tuple[Layers, State]:
        made: dict[LazyLayer, HostArray | Planes] = {}
        for name in self.needs.writes:
            # The image is the source until a stage has changed it.
            layer = window.now.lazy_layer(name)
            if layer not in made:
                made[layer] = self._reshape(layer, window.options)
        return {name: made[window.now.lazy_layer(name)] for name in self.needs.writes}, None

    def _reshape(self, layer: LazyLayer, options: OptionsT) -> HostArray | Planes:
        planes = layer.planes
        samples = None if planes is None else self.reshape_planes(planes, options)
        if planes is None or samples is None:
            return self.reshape(layer.host(), options)
        return Planes(samples, planes.format, partial(self._reshape_rgb, layer, options))

    def _reshape_rgb(self, layer: LazyLayer, options: OptionsT) -> HostArray:
        return self.reshape(layer.host(), options)
