"""One frame: its place in time, and its layers, converted when read: between homes, and to RGB."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.planes import Planes
from vidstyle.core.transfer import device_to_host, host_to_device, record_ready

if TYPE_CHECKING:
    import torch

HOST = "host"
"""Name of the home of stages that read numpy arrays; other homes are named by their device."""


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

    A layer is converted when a stage with another home first looks it up, and becomes RGB when a
    stage first reads it, where a source or a stage has given its ``Planes``.
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
            lazy = {name: LazyLayer(values) for name, values in self.layers.items()}
            object.__setattr__(self, "layers", LazyLayers(lazy))

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
        layer = layers.lazy.get(name)
        if layer is None:
            raise self._missing(name)
        if layers.home not in (None, HOST):
            raise TypeError(f"layer {name} lies on a device; the stage's home is not host")
        return layer.host()

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
        layer = layers.lazy.get(name)
        if layer is None:
            raise self._missing(name)
        if layers.home == HOST:
            raise TypeError(f"layer {name} lies on the host; the stage's home is not device")
        return layer.tensor(layers.home or "cpu")

    def planes(self, name: str) -> Planes | None:
        """Return a layer as the planes that it was decoded to or composed of.

        Whether it has any depends on the clip and the stages alone, never on who reads it when.

        Args:
            name: One of the layers that the stage declares.

        Returns:
            The planes; None where the layer is RGB alone.

        Raises:
            KeyError: The frame has no such layer; the message lists those that it has.
        """
        layers = self.layers
        assert isinstance(layers, LazyLayers)
        layer = layers.lazy.get(name)
        if layer is None:
            raise self._missing(name)
        return layer.planes

    def decoded(self, name: str) -> HostArray | Planes:
        """Return a layer as planes where it has them, for stages that work on either.

        Args:
            name: One of the layers that the stage declares.

        Returns:
            Its planes, or its array as ``host`` gives it.

        Raises:
            KeyError: The frame has no such layer; the message lists those that it has.
            TypeError: The layer has no planes, and the stage's home is a device.
        """
        planes = self.planes(name)
        return self.host(name) if planes is None else planes

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
        kept = {}
        for name in names:
            if name in layers.lazy:
                kept[name] = layers.lazy[name]
        return replace(self, layers=LazyLayers(kept, home))

    def write(
        self, layers: Mapping[str, Layer | Planes | LazyLayer], keeps: Iterable[str]
    ) -> Frame:
        """Return the frame with layers added or replaced, and without those nobody reads.

        Args:
            layers: What a stage has written, or layers of another frame as they are.
            keeps: Names of all layers that stay, where they are there.

        Returns:
            A frame of the same index and times.
        """
        present = self.layers
        assert isinstance(present, LazyLayers)
        kept = {}
        # What a stage writes under two names is converted once for both.
        wrapped: dict[int, LazyLayer] = {}
        for name in keeps:
            if name in layers:
                layer = layers[name]
                if not isinstance(layer, LazyLayer):
                    layer = wrapped.setdefault(id(layer), LazyLayer(layer))
                kept[name] = layer
            elif name in present.lazy:
                kept[name] = present.lazy[name]
        return replace(self, layers=LazyLayers(kept))

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
        shapes = ", ".join(f"{name}{self.lazy_layer(name).shape}" for name in self.layers)
        return f"Frame({self.index}, pts={self.pts}, shot={self.shot}, {shapes})"


@dataclass(frozen=True, slots=True, eq=False)
class LazyLayers(Mapping[str, Layer]):
    """The layers of a frame by name, as numpy arrays or tensors, as its reader wants them."""

    lazy: Mapping[str, LazyLayer]
    """The layers themselves; never changed."""
    home: str | None = None
    """Where they are read: ``host``, a device, or None for wherever they lie."""

    def __getitem__(self, name: str) -> Layer:
        layer = self.lazy[name]
        if self.home is None:
            return layer.values
        return layer.host() if self.home == HOST else layer.tensor(self.home)

    def __contains__(self, name: object) -> bool:
        return name in self.lazy

    def __iter__(self) -> Iterator[str]:
        return iter(self.lazy)

    def __len__(self) -> int:
        return len(self.lazy)


class LazyLayer:
    """One layer of a frame, converted once to each form that somebody reads.

    Threads may share it. torch is not imported unless a tensor is asked for.
    """

    __slots__ = ("_digest", "_host", "_lock", "_ready", "_tensor", "planes")

    def __init__(self, values: Layer | Planes, *, planes: Planes | None = None) -> None:
        """Take a layer where it lies.

        Args:
            values: An array or a tensor; a tensor on a GPU from the thread that has computed it.
                Or planes, which become an array when somebody reads that.
            planes: Those that ``values`` were made of, where it is an array.
        """
        self._host: HostArray | None = None
        self._tensor: torch.Tensor | None = None
        self._ready: torch.cuda.Event | None = None
        self._digest: bytes | None = None
        self.planes = planes
        """Those that it was decoded to or composed of; None where it is RGB alone."""
        self._lock = threading.Lock()
        if isinstance(values, Planes):
            self.planes = values
        elif isinstance(values, np.ndarray):
            self._host = values.view()
            self._host.flags.writeable = False
        else:
            self._tensor, self._ready = values, record_ready(values)

    @property
    def values(self) -> Layer:
        """The layer as it lies: the tensor, where it is on the device and on the host."""
        return self.host() if self._tensor is None else self._tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of ``values``, which is not computed for that."""
        return tuple(self.values.shape) if self.planes is None else self.planes.shape

    def host(self) -> HostArray:
        """The layer as a read-only numpy array."""
        if self._host is None:
            with self._lock:
                if self._host is None and self._tensor is not None:
                    self._host = device_to_host(self._tensor, self._ready)
                elif self._host is None:
                    assert self.planes is not None
                    self._host = self.planes.to_rgb()
                    self._host.flags.writeable = False
        return self._host

    def tensor(self, device: str) -> torch.Tensor:
        """Return the layer on a device; it is copied there once.

        Args:
            device: As torch names it.

        Returns:
            (C, H, W).
        """
        if self._tensor is None:
            values = self.host()
            with self._lock:
                if self._tensor is None:
                    self._tensor = host_to_device(values, device)
        return self._tensor

    def digest(self) -> bytes:
        """Hash of the layer's values and shape, and of its planes; computed once."""
        if self._digest is None:
            array = np.ascontiguousarray(self.host())
            state = hashlib.sha256(str(array.shape).encode())
            state.update(array.data)
            if self.planes is not None:
                # Images of clipped colors are equal where planes are not, and some read planes.
                state.update(str(self.planes.format).encode())
                for samples in self.planes.samples:
                    state.update(np.ascontiguousarray(samples).data)
            self._digest = state.digest()
        return self._digest
