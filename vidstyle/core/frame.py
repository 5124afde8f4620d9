"""One frame: its place in time and its layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.lazy_layers import LazyLayer, LazyLayers, lazy_layers

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Frame:
    """An immutable frame: whoever holds it may keep it, nobody may write to it.

    The same type everywhere: a source makes it, the runner numbers it and adds what stages write,
    and a stage is shown it with the layers that it declares. A new field is added here, and set
    by whoever knows its value; windows, queues and checkpoints carry it without change.

    Raises:
        ValueError: An index or a duration is negative.
    """

    index: int
    """Counted from 0 in the source, whichever part of it is being worked on."""
    pts: int
    """Presentation time in the clip's time base."""
    duration: int
    """How long it is shown, in the clip's time base."""
    layers: Mapping[str, Layer]
    """The images by name, as numpy arrays or tensors; see ``vidstyle.core.layers``.

    A layer is converted when a stage with another home first looks it up.
    """
    shot: int = 0
    """Number of the shot, counted by the runner."""
    chunk: int = 0
    """Number of the chunk, the unit of work that is saved whole."""
    time: Fraction = Fraction(0)
    """Seconds since the first frame of the run."""
    checkpoint: bool = False
    """Whether every stage's state before this frame is gathered, so that a run may resume here.

    True for each frame until the runner numbers chunks and decides which are worth it.
    """

    def __post_init__(self) -> None:
        if self.index < 0 or self.duration < 0:
            raise ValueError(
                f"a frame's index and duration are at least 0, got {self.index} and {self.duration}"
            )
        if not isinstance(self.layers, LazyLayers):
            object.__setattr__(self, "layers", lazy_layers(self.layers))

    def host(self, name: str) -> HostArray:
        """Return a layer as a numpy array, for stages whose home is the host.

        Args:
            name: One of the layers that the stage declares.

        Returns:
            A read-only array of shape (H, W) or (H, W, C), float32.

        Raises:
            KeyError: The frame has no such layer; the message lists those that it has.
            TypeError: The stage's home is a device.
        """
        layers = self.layers
        assert isinstance(layers, LazyLayers)
        try:
            return layers.host(name)
        except KeyError:
            raise self._missing(name) from None

    def tensor(self, name: str) -> torch.Tensor:
        """Return a layer as a torch tensor, for stages whose home is the device.

        Args:
            name: One of the layers that the stage declares.

        Returns:
            A tensor of shape (C, H, W), float32, on the stage's device; nobody may write to it.

        Raises:
            KeyError: The frame has no such layer; the message lists those that it has.
            TypeError: The stage's home is the host.
        """
        layers = self.layers
        assert isinstance(layers, LazyLayers)
        try:
            return layers.tensor(name)
        except KeyError:
            raise self._missing(name) from None

    def restrict(self, names: Iterable[str], home: str | None = None) -> Frame:
        """Return the frame as a stage sees it: with these layers alone, where it has them.

        Args:
            names: Layers to keep.
            home: Where the stage reads them: ``host``, or the name of a device. None leaves both
                open.

        Returns:
            A frame of the same index and times.
        """
        layers = self.layers
        assert isinstance(layers, LazyLayers)
        return replace(self, layers=layers.restrict(names, home))

    def write(self, layers: Mapping[str, Layer], keeps: Iterable[str]) -> Frame:
        """Return the frame with layers added or replaced, and without those nobody reads.

        Args:
            layers: What a stage has written.
            keeps: Names of all layers that stay, where they are there.

        Returns:
            A frame of the same index and times.
        """
        present = self.layers
        assert isinstance(present, LazyLayers)
        return replace(self, layers=present.write(layers, keeps))

    def lazy_layer(self, name: str) -> LazyLayer:
        """Return a layer with all forms that it has been converted to.

        Args:
            name: Of the layer.

        Returns:
            The layer.

        Raises:
            KeyError: The frame has no such layer.
        """
        layers = self.layers
        assert isinstance(layers, LazyLayers)
        return layers.lazy[name]

    def _missing(self, name: str) -> KeyError:
        there = ", ".join(sorted(self.layers)) or "none"
        return KeyError(f"frame {self.index} has no layer {name}; it has: {there}")

    def __repr__(self) -> str:
        shapes = ", ".join(
            f"{name}{tuple(self.lazy_layer(name).values.shape)}" for name in self.layers
        )
        return f"Frame({self.index}, pts={self.pts}, shot={self.shot}, {shapes})"
