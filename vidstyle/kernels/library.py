"""The compiled library: whether it is there, and how arrays are handed to it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from vidstyle.kernels.sources import digest_of_sources, library_path

AnyArray: TypeAlias = npt.NDArray[Any]
Argument: TypeAlias = AnyArray | ctypes.c_float | ctypes.c_void_p | int | None
NumberT = TypeVar("NumberT", bound=np.generic)

# Whether everything is done without, for the sake of comparison.
_unused = False


def has_kernels() -> bool:
    """Check whether the library was compiled from these sources, for this machine.

    Returns:
        True where kernels run.
    """
    return not _unused and _load() is not None


def can_run(height: int, width: int) -> bool:
    """Check whether the kernels take images of a size: both sides have to be even.

    Args:
        height: In pixels.
        width: In pixels.

    Returns:
        True where they do, and are there.
    """
    return height % 2 == 0 and width % 2 == 0 and has_kernels()


@contextmanager
def without_kernels() -> Iterator[None]:
    """Do everything with numpy and OpenCV for a while; process-wide."""
    global _unused
    before, _unused = _unused, True
    try:
        yield
    finally:
        _unused = before


def call(name: str, *arguments: Argument) -> None:
    """Call a kernel. Other threads go on meanwhile.

    Args:
        name: Of the function.
        arguments: Arrays, contiguous; ``ctypes.c_float`` for numbers, int for sizes; what
            ``sample_rows`` gives.

    Raises:
        MemoryError: There is none for a few rows.
    """
    library = _load()
    assert library is not None
    done = getattr(library, name)(*map(_address, arguments))
    if not done:
        raise MemoryError(f"no memory for {name}")


def readable(
    array: npt.NDArray[NumberT], *shape: int, kind: str = "float32"
) -> npt.NDArray[NumberT]:
    """Check what a kernel shall read.

    Args:
        array: Any.
        shape: That it has to have.
        kind: Of its numbers.

    Returns:
        The array, or a contiguous copy.

    Raises:
        ValueError: It has another shape, or numbers of another kind.
    """
    if array.shape != shape or array.dtype != kind:
        raise ValueError(f"a kernel takes {kind} {shape}, got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array)


def sample_rows(array: npt.NDArray[np.uint8], *shape: int) -> tuple[ctypes.c_void_p, int]:
    """Give what a kernel takes of 8-bit samples, whose rows may end in padding.

    Args:
        array: Its rows may lie anywhere. Whoever calls keeps it until the kernel has returned.
        shape: That it has to have.

    Returns:
        The address of the first sample, and the bytes from one row to the next.

    Raises:
        ValueError: It has another shape, numbers of another kind, or gaps between samples.
    """
    if array.shape != shape or array.dtype != "uint8" or array.strides[1] != 1:
        raise ValueError(
            f"a kernel takes rows of uint8 {shape}, got {array.dtype} {array.shape} "
            f"with strides {array.strides}"
        )
    return ctypes.c_void_p(array.ctypes.data), array.strides[0]


def _address(argument: Argument) -> Any:
    if not isinstance(argument, np.ndarray):
        return argument
    if not argument.flags.c_contiguous:
        raise ValueError("a kernel takes arrays that lie in one piece")
    return ctypes.c_void_p(argument.ctypes.data)


@cache
def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(library_path()))
        name = library.compiled_sources
    except (OSError, AttributeError):
        return None
    name.restype = ctypes.c_char_p
    # With other arguments than it takes a kernel would read and write anywhere.
    return library if name() == digest_of_sources().encode() else None
