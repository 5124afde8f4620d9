"""Layers that are converted between host and device when they are first read there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.transfer import device_to_host, host_to_device, record_ready

if TYPE_CHECKING:
    import torch

HOST = "host"
"""Name of the home of stages that read numpy arrays; other homes are named by their device."""


class LazyLayer:
    """One layer of a frame, converted once to each home that reads it.

    Threads may share it. torch is not imported unless a tensor is asked for.
    """

    __slots__ = ("_digest", "_host", "_lock", "_ready", "_tensor")

    def __init__(self, values: Layer) -> None:
        """Take a layer where it lies.

        Args:
            values: An array or a tensor; a tensor on a GPU from the thread that has computed it.
        """
        self._host: HostArray | None = None
        self._tensor: torch.Tensor | None = None
        self._ready: torch.cuda.Event | None = None
        self._digest: bytes | None = None
        self._lock = threading.Lock()
        if isinstance(values, np.ndarray):
            self._host = values.view()
            self._host.flags.writeable = False
        else:
            self._tensor, self._ready = values, record_ready(values)

    @property
    def values(self) -> Layer:
        """The layer as it lies: the tensor, where it is on the device and on the host."""
        values = self._host if self._tensor is None else self._tensor
        assert values is not None
        return values

    def host(self) -> HostArray:
        """The layer as a read-only numpy array."""
        if self._host is None:
            with self._lock:
                if self._host is None:
                    assert self._tensor is not None
                    self._host = device_to_host(self._tensor, self._ready)
        return self._host

    def tensor(self, device: str) -> torch.Tensor:
        """Return the layer on a device; it is copied there once.

        Args:
            device: As torch names it.

        Returns:
            (C, H, W).
        """
        if self._tensor is None:
            with self._lock:
                if self._tensor is None:
                    assert self._host is not None
                    self._tensor = host_to_device(self._host, device)
        return self._tensor

    def digest(self) -> bytes:
        """Hash of the layer's values and shape; computed once."""
        if self._digest is None:
            array = np.ascontiguousarray(self.host())
            state = hashlib.sha256(str(array.shape).encode())
            state.update(array.data)
            self._digest = state.digest()
        return self._digest


@dataclass(frozen=True, slots=True, eq=False)
class LazyLayers(Mapping[str, Layer]):
    """The layers of a frame by name, as numpy arrays or tensors, as its reader wants them."""

    lazy: Mapping[str, LazyLayer]
    """The layers themselves; never changed."""
    home: str | None = None
    """Where they are read: ``host``, a device, or None for wherever they lie."""

    def host(self, name: str) -> HostArray:
        """Return a layer as a numpy array.

        Args:
            name: Of the layer.

        Returns:
            The array, read-only.

        Raises:
            KeyError: There is no such layer.
            TypeError: The home is a device.
        """
        layer = self.lazy[name]
        if self.home is not None and self.home != HOST:
            raise TypeError(f"layer {name} lies on a device; the stage's home is not host")
        return layer.host() if layer._host is None else layer._host

    def tensor(self, name: str) -> torch.Tensor:
        """Return a layer as a tensor on the home's device.

        Args:
            name: Of the layer.

        Returns:
            (C, H, W).

        Raises:
            KeyError: There is no such layer.
            TypeError: The home is the host.
        """
        layer = self.lazy[name]
        if self.home == HOST:
            raise TypeError(f"layer {name} lies on the host; the stage's home is not device")
        return layer.tensor(self.home or "cpu")

    def restrict(self, names: Iterable[str], home: str | None) -> LazyLayers:
        """Return some layers alone, for a reader of a home.

        Args:
            names: Layers to keep, where they are there.
            home: ``host``, the name of a device, or None for either.

        Returns:
            The layers.
        """
        kept = {}
        for name in names:
            if name in self.lazy:
                kept[name] = self.lazy[name]
        return LazyLayers(kept, home)

    def write(self, layers: Mapping[str, Layer], keeps: Iterable[str]) -> LazyLayers:
        """Return the layers with some added or replaced, and without those nobody reads.

        Args:
            layers: What a stage has written.
            keeps: Names of all layers that stay, where they are there.

        Returns:
            The layers.
        """
        kept = {}
        for name in keeps:
            if name in layers:
                kept[name] = LazyLayer(layers[name])
            elif name in self.lazy:
                kept[name] = self.lazy[name]
        return LazyLayers(kept)

    def __getitem__(self, name: str) -> Layer:
        if self.home is None:
            return self.lazy[name].values
        return self.host(name) if self.home == HOST else self.tensor(name)

    def __contains__(self, name: object) -> bool:
        return name in self.lazy

    def __iter__(self) -> Iterator[str]:
        return iter(self.lazy)

    def __len__(self) -> int:
        return len(self.lazy)


def lazy_layers(layers: Mapping[str, Layer]) -> LazyLayers:
    """Wrap layers, each where it lies; layers that are lazy already stay as they are.

    Args:
        layers: Arrays and tensors by name.

    Returns:
        The layers.
    """
    if isinstance(layers, LazyLayers):
        return layers
    return LazyLayers({name: LazyLayer(values) for name, values in layers.items()})
