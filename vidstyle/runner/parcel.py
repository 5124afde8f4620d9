"""A frame on its way through the pipeline, each layer moved between host and device once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.frame import Frame
from vidstyle.core.layers import Home, HostArray, Layer
from vidstyle.runner.edge import Edge

if TYPE_CHECKING:
    import torch


class _Writable:
    """Presents a read-only array as a writable one, without a copy.

    torch warns of read-only arrays, since it cannot mark its tensors so. The contract
    that nobody writes to a layer holds on both sides.
    """

    def __init__(self, array: HostArray) -> None:
        self._array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__: dict[str, Any] = interface


def host_to_device(array: HostArray, device: str) -> torch.Tensor:
    """(H, W, C), (H, W) or 0-d on the host to (C, H, W), (1, H, W) or 0-d; free on the CPU."""
    import torch

    tensor = torch.from_numpy(np.asarray(_Writable(array)))
    if array.ndim == 2:
        tensor = tensor[None]
    elif array.ndim == 3:
        tensor = tensor.permute(2, 0, 1)
    return tensor.to(device, non_blocking=True)


def device_to_host(tensor: torch.Tensor) -> HostArray:
    """(C, H, W) on a device to (H, W, C) on the host, (1, H, W) to (H, W)."""
    array = tensor.detach().cpu()
    if array.ndim == 3:
        array = array[0] if array.shape[0] == 1 else array.permute(1, 2, 0)
    return read_only(np.ascontiguousarray(array.numpy()))


def read_only(array: HostArray) -> HostArray:
    """The same memory, not to be written through this array."""
    view = array.view()
    view.flags.writeable = False
    return view


class Cell:
    """One layer of one frame, wherever it is wanted."""

    __slots__ = ("_device", "_digest", "_host")

    def __init__(self, layer: Layer) -> None:
        on_host = isinstance(layer, np.ndarray)
        self._host: HostArray | None = read_only(layer) if on_host else None  # type: ignore[arg-type]  # narrowed above
        self._device: torch.Tensor | None = None if on_host else layer  # type: ignore[assignment]  # narrowed above
        self._digest: bytes | None = None

    @property
    def nbytes(self) -> int:
        """Size of the layer where it lies now."""
        return self.stored().nbytes

    def stored(self) -> Layer:
        """The layer as it lies; where it lies twice, as on the device."""
        there = self._host if self._device is None else self._device
        assert there is not None
        return there

    def digest(self) -> bytes:
        """Hash of the layer's values and shape; computed once."""
        if self._digest is None:
            array = np.ascontiguousarray(self.at("host", "cpu"))
            state = hashlib.sha256(str(array.shape).encode())
            state.update(array.data)
            self._digest = state.digest()
        return self._digest

    def at(self, home: Home, device: str) -> Layer:
        """The layer where it is read. Two threads may both move it; the result is the same."""
        if home == "host":
            if self._host is None:
                assert self._device is not None
                self._host = device_to_host(self._device)
            return self._host
        if self._device is None:
            assert self._host is not None
            self._device = host_to_device(self._host, device)
        return self._device


@dataclass(frozen=True, slots=True)
class Parcel:
    """A frame's place in time with its cells; what travels between stages."""

    index: int
    pts: int
    duration: int
    time: Fraction
    """Seconds since the first frame of the run."""
    cells: Mapping[str, Cell]
    shot: int = 0
    chunk: int = 0
    edge: Edge | None = None
    """Where a checkpoint before this frame is gathered."""

    def show(self, names: Iterable[str], home: Home, device: str) -> Frame:
        """The frame as a stage sees it: these layers and no others."""
        layers = {name: self.cells[name].at(home, device) for name in names}
        return Frame(self.index, self.pts, self.duration, layers, self.shot, self.chunk)

    def written(self, layers: Mapping[str, Layer], keeps: Iterable[str]) -> Parcel:
        """With new layers, and without those that nobody reads any more."""
        cells = {**self.cells, **{name: Cell(layer) for name, layer in layers.items()}}
        return replace(self, cells={name: cells[name] for name in keeps if name in cells})

    def remembered(self, keeps: Iterable[str]) -> Parcel:
        """With these layers, for who looks back at it: no edge, which would hold all before it."""
        return replace(self.only(keeps), edge=None)

    def only(self, keeps: Iterable[str]) -> Parcel:
        """With these layers alone."""
        return replace(self, cells={name: self.cells[name] for name in keeps if name in self.cells})
