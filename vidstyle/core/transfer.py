"""Copies layers between the host and a GPU: pinned memory, and copies beside the computing.

Every stage computes on its device's default stream, whichever thread it runs on, so that what is
queued later sees what was queued earlier and nobody has to wait for anybody. Copies alone have
streams of their own, one each way: the next frame comes and the last one leaves while this one is
computed. torch pools pinned memory, and gives a block out again only when the copies that were
queued on it are done.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.errors import DeviceError, NoMemoryError, is_device_lost, is_out_of_memory
from vidstyle.core.layers import HostArray

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
    """Copy (H, W, C), (H, W) or 0-d on the host to (C, H, W), (1, H, W) or 0-d; free on the CPU.

    Args:
        array: float32 in OpenCV's layout.
        device: ``cpu`` or ``cuda:N``.

    Returns:
        A tensor that nobody may write to. On a GPU it is complete for all work that is queued on
        the default stream from now on.

    Raises:
        NoMemoryError: It does not fit there.
        DeviceError: The GPU is lost.
    """
    import torch

    tensor = torch.from_numpy(np.asarray(_Writable(array)))
    if device != "cpu":
        with _copying(f"to {device}"):
            tensor = _uploaded(tensor, device)
    if array.ndim == 2:
        return tensor[None]
    return tensor.permute(2, 0, 1) if array.ndim == 3 else tensor


def device_to_host(tensor: torch.Tensor, ready: torch.cuda.Event | None) -> HostArray:
    """Copy (C, H, W) on a device to (H, W, C) on the host; (1, H, W) to (H, W); free on the CPU.

    Args:
        tensor: On any device.
        ready: What ``record_ready`` gave for the tensor. Only work that was queued before it is
            waited for.

    Returns:
        A read-only array.

    Raises:
        NoMemoryError: There is no room for it.
        DeviceError: The GPU is lost. A GPU reports late that an earlier stage has failed.
    """
    tensor = tensor.detach()
    if tensor.ndim == 3:
        tensor = tensor[0] if tensor.shape[0] == 1 else tensor.permute(1, 2, 0)
    if ready is not None:
        with _copying(f"from {tensor.device}"):
            tensor = _downloaded(tensor, ready)
    return read_only(np.ascontiguousarray(tensor.numpy()))


def record_ready(tensor: torch.Tensor) -> torch.cuda.Event | None:
    """Record the point at which all work is queued that computes a tensor.

    Called by the thread that has queued the work.

    Args:
        tensor: On any device.

    Returns:
        The event, or None on the CPU.
    """
    if not tensor.is_cuda:
        return None
    import torch

    ready: torch.cuda.Event = torch.cuda.current_stream(tensor.device).record_event()
    return ready


def read_only(array: HostArray) -> HostArray:
    """View an array's memory, not to be written through this view.

    Args:
        array: Any array.

    Returns:
        The view.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def _uploaded(tensor: torch.Tensor, device: str) -> torch.Tensor:
    import torch

    upload, _ = _streams(device)
    with torch.cuda.stream(upload):
        moved = tensor.pin_memory().to(device, non_blocking=True)
    compute = torch.cuda.default_stream(device)
    compute.wait_stream(upload)
    # It belongs to the upload stream, which would otherwise fill its memory again when it is
    # dropped here, and perhaps still read there.
    moved.record_stream(compute)
    return moved


def _downloaded(tensor: torch.Tensor, ready: torch.cuda.Event) -> torch.Tensor:
    """In pinned memory, which goes back to torch's pool with its last array."""
    import torch

    _, download = _streams(str(tensor.device))
    with torch.cuda.stream(download):
        download.wait_event(ready)
        pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        pinned.copy_(tensor, non_blocking=True)
        # Blocking: the thread sleeps, and leaves its core to the others.
        done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]  # as torch has it
        done.record(download)
    # The caller holds the tensor until then, so that nobody is given its memory.
    done.synchronize()
    return pinned


@functools.cache
def _streams(device: str) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """For copies to a device and from it, in all threads."""
    import torch

    there, back = (torch.cuda.Stream(device) for _ in range(2))  # type: ignore[no-untyped-call]  # as torch has it
    return there, back


@contextmanager
def _copying(where: str) -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise NoMemoryError(
                f"copying a layer {where}: out of memory; use a smaller image or another --device"
            ) from error
        if is_device_lost(error):
            text = " ".join(str(error).split())
            raise DeviceError(
                f"copying a layer {where}: the device is lost ({text}); run again, or with"
                " --device cpu"
            ) from error
        raise
