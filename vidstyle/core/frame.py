"""One frame: its place in time and its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.layers import HostArray, Layer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frame:
    """An immutable frame; whoever holds it may keep it, nobody may write to it."""

    index: int
    """Counted from 0 in the source, whichever part of it is being worked on."""
    pts: int
    """Presentation time in the clip's time base."""
    duration: int
    """How long it is shown, in the clip's time base."""
    layers: Mapping[str, Layer]
    """The images, by name. See ``vidstyle.core.layers``."""
    shot: int = 0
    """Number of the shot, counted by the runner."""
    chunk: int = 0
    """Number of the chunk, the unit of work that is saved whole."""

    def __post_init__(self) -> None:
        if self.index < 0:
            raise ValueError(f"a frame's index is at least 0, got {self.index}")
        if self.duration < 0:
            raise ValueError(f"a frame's duration is at least 0, got {self.duration}")
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def host(self, name: str) -> HostArray:
        """The layer as a numpy array; only in stages whose home is the host."""
        layer = self._layer(name)
        if not isinstance(layer, np.ndarray):
            raise TypeError(f"layer {name} lies on a device; the stage's home is not host")
        return layer

    def tensor(self, name: str) -> torch.Tensor:
        """The layer as a (C, H, W) torch tensor; only in stages whose home is the device."""
        layer = self._layer(name)
        if isinstance(layer, np.ndarray):
            raise TypeError(f"layer {name} lies on the host; the stage's home is not device")
        return layer

    def _layer(self, name: str) -> Layer:
        if name not in self.layers:
            there = ", ".join(sorted(self.layers)) or "none"
            raise KeyError(f"frame {self.index} has no layer {name}; it has: {there}")
        return self.layers[name]

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}{tuple(layer.shape)}" for name, layer in self.layers.items())
        return f"Frame({self.index}, pts={self.pts}, shot={self.shot}, {shapes})"
