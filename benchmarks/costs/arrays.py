"""Count the arrays that numpy allocates; OpenCV's results are arrays of numpy, too."""

from __future__ import annotations

import ctypes
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# numpy has no Python function for it. Its table of C functions has had these places since 1.22.
from numpy._core import _multiarray_umath as _core  # type: ignore[attr-defined]  # not typed

_SET_HANDLER, _GET_HANDLER = 304, 305
_CAPSULE = b"mem_handler"
# Bytes; what is smaller costs less than the call that makes it.
_LARGE = 2**16

_Allocate = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_AllocateZeros = ctypes.PYFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t
)


class _Allocator(ctypes.Structure):
    _fields_ = (
        ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p),
        ("calloc", ctypes.c_void_p),
        ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )


class _Handler(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("allocator", _Allocator),
    )


@dataclass(slots=True)
class Arrays:
    """How many arrays of 64 KiB or more were allocated, and their bytes."""

    number: int = 0
    size: int = 0

    def add(self, size: int) -> None:
        if size >= _LARGE:
            self.number += 1
            self.size += size


@contextmanager
def counting(arrays: Arrays) -> Generator[None, None, None]:
    """Count what this thread allocates."""
    set_handler, current = _handlers()
    before = ctypes.cast(_pointer(current), ctypes.POINTER(_Handler)).contents.allocator
    allocate, allocate_zeros = _Allocate(before.malloc), _AllocateZeros(before.calloc)

    def malloc(context: int, size: int) -> Any:
        arrays.add(size)
        return allocate(context, size)

    def calloc(context: int, number: int, size: int) -> Any:
        arrays.add(number * size)
        return allocate_zeros(context, number, size)

    # They have to live as long as numpy may call them.
    functions = _Allocate(malloc), _AllocateZeros(calloc)
    first, second = (ctypes.cast(function, ctypes.c_void_p) for function in functions)
    allocator = _Allocator(before.context, first, second, before.realloc, before.free)
    counted = _Handler(b"counting", 1, allocator)
    _KEPT.append((counted, functions))
    set_handler(_new_capsule(ctypes.addressof(counted), _CAPSULE, None))
    try:
        yield
    finally:
        set_handler(current)


# Arrays outlive the counting, and name the handler that made them when they are freed.
_KEPT: list[Any] = []

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def _pointer(capsule: object) -> int:
    return int(_pointer_of(capsule, _CAPSULE))


def _handlers() -> tuple[Any, object]:
    """The function that sets numpy's memory handler, and the handler of now."""
    address = _pointer_of(_core._ARRAY_API, None)
    table = ctypes.cast(address, ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER])
    get_handler = ctypes.PYFUNCTYPE(ctypes.py_object)(table[_GET_HANDLER])
    return set_handler, get_handler()
