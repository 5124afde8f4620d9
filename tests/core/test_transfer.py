"""Layers between host and device: nothing is lost, copied in vain, or written over."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import DeviceError, NoMemoryError
from vidstyle.core.frame import LazyLayer
from vidstyle.core.transfer import device_to_host, host_to_device, record_ready

SHAPES = {
    (): (),
    (5, 7): (1, 5, 7),
    (5, 7, 3): (3, 5, 7),
    (5, 7, 2): (2, 5, 7),
    (5, 7, 1): (1, 5, 7),
}


def layer(shape: tuple[int, ...], seed: int = 0) -> HostArray:
    made = np.random.default_rng(seed).random(shape, dtype=np.float32)
    array: HostArray = np.asarray(made, np.float32)
    array.flags.writeable = False
    return array


def check_there_and_back(shape: tuple[int, ...], device: str) -> None:
    given = layer(shape)
    tensor = host_to_device(given, device)
    assert tuple(tensor.shape) == SHAPES[shape]
    planar = np.moveaxis(given, -1, 0) if len(shape) == 3 else given
    np.testing.assert_array_equal(tensor.cpu().numpy().ravel(), planar.ravel())
    back = device_to_host(tensor, record_ready(tensor))
    assert not back.flags.writeable
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back.ravel(), given.ravel())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_layer_comes_back_as_it_went(shape: tuple[int, ...]) -> None:
    check_there_and_back(shape, "cpu")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_layer_comes_back_from_a_gpu_as_it_went(shape: tuple[int, ...], gpu: str) -> None:
    check_there_and_back(shape, gpu)


def test_on_the_cpu_nothing_is_copied() -> None:
    given = layer((5, 7, 3))
    tensor = host_to_device(given, "cpu")
    assert tensor.data_ptr() == given.ctypes.data
    assert device_to_host(tensor, None).ctypes.data == given.ctypes.data


def test_a_planar_tensor_is_interleaved() -> None:
    tensor = torch.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(device_to_host(tensor, None)[1, 2], [6.0, 18.0])


def raised(name: str, text: str) -> RuntimeError:
    """As torch raises it where there is a GPU; known by its name."""
    return type(name, (RuntimeError,), {})(text)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (raised("OutOfMemoryError", "CUDA out of memory"), NoMemoryError, "to cuda:0: out of mem"),
        (
            raised("AcceleratorError", "CUDA error:\nlost"),
            DeviceError,
            r"lost \(CUDA error: lost\)",
        ),
        (ValueError("another"), ValueError, "another"),
    ],
)
def test_a_copy_that_fails_is_a_line_of_ours(
    error: Exception, kind: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("vidstyle.core.transfer._uploaded", fail)
    with pytest.raises(kind, match=words) as caught:
        host_to_device(layer((2, 2)), "cuda:0")
    assert "\n" not in str(caught.value)


def test_what_a_gpu_computes_arrives_complete(gpu: str) -> None:
    """Each is read by another thread while its own is far ahead, as between two stages."""
    given = [layer((270, 480, 3), seed) for seed in range(24)]
    found: list[HostArray] = []
    layers: list[LazyLayer] = []
    some = threading.Semaphore(0)

    def read() -> None:
        for number in range(len(given)):
            some.acquire()
            found.append(layers[number].host())

    reader = threading.Thread(target=read)
    reader.start()
    load = torch.ones(2048, 2048, device=gpu)
    for array in given:
        tensor = LazyLayer(array).tensor(gpu)
        for _ in range(8):
            load = load @ load / 2048
        # The input is dropped at once, and its memory taken by a later one if nobody holds it.
        layers.append(LazyLayer(tensor * 2 + load[0, 0] - load[0, 0]))
        del tensor
        some.release()
    reader.join()
    for array, result in zip(given, found, strict=True):
        np.testing.assert_allclose(result, array * 2, atol=1e-6)
