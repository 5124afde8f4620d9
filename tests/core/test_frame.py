"""Frames are immutable and say what they hold; layers are converted once, when asked for."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.core import Frame, frame
from vidstyle.core.frame import LazyLayer, LazyLayers

IMAGE = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


def frame_of(**layers: np.ndarray) -> Frame:
    return Frame(3, 120, 40, layers)


def test_layers_cannot_be_added_or_replaced() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(TypeError):
        frame.layers["image"] = np.ones((2, 2, 3), np.float32)  # type: ignore[index]  # the point of the test


def test_a_missing_layer_is_named_with_those_there() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(KeyError, match="has no layer flow; it has: image"):
        frame.host("flow")


@pytest.mark.parametrize(
    ("home", "wrong", "right", "words"),
    [("host", "tensor", "host", "lies on the host"), ("cpu", "host", "tensor", "lies on a device")],
)
def test_a_stage_reads_layers_in_its_own_home_alone(
    home: str, wrong: str, right: str, words: str
) -> None:
    shown = frame_of(image=np.zeros((2, 2, 3), np.float32)).restrict(["image"], home)
    with pytest.raises(TypeError, match=words):
        getattr(shown, wrong)("image")
    assert type(getattr(shown, right)("image")) is type(shown.layers["image"])


def test_a_stage_sees_the_layers_that_it_declares_and_no_others() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32), flow=np.zeros((2, 2, 2), np.float32))
    shown = frame.restrict(["flow", "mask"], "host")
    assert list(shown.layers) == ["flow"]
    with pytest.raises(KeyError, match="has no layer image; it has: flow"):
        shown.host("image")
    for field in fields(Frame):
        if field.name != "layers":
            assert getattr(shown, field.name) == getattr(frame, field.name)


def test_written_layers_replace_others_and_what_nobody_reads_goes() -> None:
    image, flow = np.zeros((2, 2, 3), np.float32), np.zeros((2, 2, 2), np.float32)
    frame = frame_of(image=image, flow=flow, mask=flow)
    written = frame.write({"image": image + 1, "own": flow}, ["image", "flow", "later"])
    assert sorted(written.layers) == ["flow", "image"]
    assert written.host("image").max() == 1
    assert frame.host("image").max() == 0


def test_layers_of_a_frame_cannot_be_written_to() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        frame.host("image")[:] = 1


def test_printing_shows_shapes_not_data() -> None:
    frame = frame_of(image=np.zeros((2, 5, 3), np.float32))
    assert repr(frame) == "Frame(3, pts=120, shot=0, image(2, 5, 3))"


@pytest.mark.parametrize(("index", "duration"), [(-1, 1), (0, -1)])
def test_impossible_values_are_refused(index: int, duration: int) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Frame(index, 0, duration, {})


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
    original, calls, begun = getattr(frame, name), [0], threading.Barrier(4)

    def slow(*arguments: Any) -> Any:
        calls[0] += 1
        threading.Event().wait(0.05)
        return original(*arguments)

    monkeypatch.setattr(frame, name, slow)
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
