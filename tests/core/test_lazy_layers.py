"""Layers are converted when they are asked for, once, whoever asks."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.core import lazy_layers
from vidstyle.core.lazy_layers import LazyLayer, LazyLayers

IMAGE = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


def test_a_layer_is_converted_once_for_all_who_hold_it() -> None:
    layer = LazyLayer(IMAGE)
    here, there = (LazyLayers({"image": layer}, "cpu") for _ in range(2))
    assert here["image"] is there["image"]
    written = LazyLayer(torch.rand(3, 2, 4))
    assert written.host() is written.host()


@pytest.mark.parametrize("given", [IMAGE, torch.from_numpy(IMAGE).permute(2, 0, 1)])
def test_two_threads_that_ask_at_once_share_one_conversion(
    given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "host_to_device" if isinstance(given, np.ndarray) else "device_to_host"
    original, calls, begun = getattr(lazy_layers, name), [0], threading.Barrier(4)

    def slow(*arguments: Any) -> Any:
        calls[0] += 1
        threading.Event().wait(0.05)
        return original(*arguments)

    monkeypatch.setattr(lazy_layers, name, slow)
    layer, found = LazyLayer(given), list[Any]()

    def ask() -> None:
        begun.wait()
        found.append(layer.tensor("cpu") if name == "host_to_device" else layer.host())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]
    assert all(one is found[0] for one in found)


def test_a_layer_lies_as_it_was_given_until_it_is_asked_for() -> None:
    layers = LazyLayers({"image": LazyLayer(IMAGE), "own": LazyLayer(torch.zeros(1, 2, 4))})
    assert isinstance(layers["image"], np.ndarray)
    assert isinstance(layers["own"], torch.Tensor)
    assert "image" in layers
    assert "flow" not in layers


def test_the_digest_is_of_values_and_shape_wherever_they_lie() -> None:
    tensor = torch.from_numpy(IMAGE.copy()).permute(2, 0, 1)
    assert LazyLayer(IMAGE).digest() == LazyLayer(tensor).digest()
    assert LazyLayer(IMAGE).digest() != LazyLayer(IMAGE.reshape(4, 2, 3)).digest()
    assert LazyLayer(IMAGE).digest() != LazyLayer(IMAGE + 1).digest()


def test_torch_is_imported_only_where_a_tensor_is_asked_for() -> None:
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from vidstyle.core import Frame\n"
        "frame = Frame(0, 0, 1, {'image': np.zeros((2, 4, 3), np.float32)})\n"
        "frame.restrict(['image'], 'host').host('image')\n"
        "print(frame, 'torch' in sys.modules)\n"
        "frame.restrict(['image'], 'cpu').tensor('image')\n"
        "print('torch' in sys.modules)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split()[-2:] == ["False", "True"]
