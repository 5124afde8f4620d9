"""Layers that lie as planes: RGB when it is read, once; planes wherever the frame goes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from vidstyle.core import Frame, HostArray, PlaneFormat, Planes
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.core.planes import chroma_shape
from vidstyle.runner.execution.span_store import SpanStore, StoredFrames
from vidstyle.runner.storage.checkpoint import StageState, load_stage_state, save_stage_state

FORMAT = PlaneFormat((2, 2), "bt709", "limited", "left")
RGB = np.full((5, 7, 3), 0.25, np.float32)


def make_planes(
    to_rgb: Callable[[], HostArray] = RGB.copy, form: PlaneFormat = FORMAT, seed: int = 0
) -> Planes:
    random = np.random.default_rng(seed)
    small = chroma_shape((5, 7), form.chroma)
    return Planes(
        tuple(random.integers(0, 256, shape, np.uint8) for shape in ((5, 7), small, small)),
        form,
        to_rgb,
    )


def frame_of(layer: Planes) -> Frame:
    return Frame(2, 80, 40, LazyLayers({"image": LazyLayer(layer)}))


def test_planes_become_rgb_when_that_is_read_and_once() -> None:
    calls: list[int] = []

    def to_rgb() -> HostArray:
        calls.append(threading.get_ident())
        return RGB.copy()

    frame = frame_of(make_planes(to_rgb))
    assert "(5, 7, 3)" in repr(frame)
    shown = [frame.restrict(["image"], "host") for _ in range(8)]
    assert shown[0].planes("image") is frame.planes("image")
    assert not calls
    found: list[HostArray] = []
    threads = [threading.Thread(target=lambda f=f: found.append(f.host("image"))) for f in shown]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(found) == 8
    assert all(image is found[0] for image in found)
    np.testing.assert_array_equal(found[0], RGB)
    with pytest.raises(ValueError, match="read-only"):
        found[0][:] = 1


def test_a_device_sees_the_rgb() -> None:
    tensor = frame_of(make_planes()).restrict(["image"], "cpu").tensor("image")
    assert tuple(tensor.shape) == (3, 5, 7)
    assert float(tensor.max()) == 0.25


def test_a_layer_of_rgb_has_no_planes_and_a_missing_one_is_named() -> None:
    frame = Frame(0, 0, 1, {"image": RGB})
    assert frame.planes("image") is None
    with pytest.raises(KeyError, match="has no layer flow; it has: image"):
        frame.planes("flow")


def test_planes_of_another_size_than_the_format_says_are_refused() -> None:
    luma, blue, red = make_planes().samples
    for samples in ((luma, blue), (luma, blue, red[:1])):
        with pytest.raises(ValueError, match=r"chroma of luma \(5, 7\) is two planes \(3, 4\)"):
            Planes(samples, FORMAT, RGB.copy)


def test_planes_that_become_equal_rgb_have_other_digests() -> None:
    layers = [
        LazyLayer(RGB),
        LazyLayer(make_planes()),
        LazyLayer(make_planes(seed=1)),
        LazyLayer(make_planes(form=PlaneFormat((2, 2), "bt601", "limited", "left"))),
    ]
    assert len({layer.digest() for layer in layers}) == len(layers)
    assert LazyLayer(make_planes()).digest() == layers[1].digest()


def test_a_checkpoint_keeps_planes_and_rgb_of_the_frames_behind() -> None:
    planes = make_planes()
    frame = Frame(
        3, 1, 1, LazyLayers({"source": LazyLayer(planes), "flow": LazyLayer(RGB[..., :2].copy())})
    )
    saved = save_stage_state(StageState(None, 1, (frame,)))
    (back,) = load_stage_state(saved, "cpu").behind
    found = back.planes("source")
    assert found is not None
    assert found.format == planes.format
    for samples, wanted in zip(found.samples, planes.samples, strict=True):
        np.testing.assert_array_equal(samples, wanted)
    np.testing.assert_array_equal(back.host("source"), RGB)
    assert back.planes("flow") is None
    assert back.lazy_layer("source").digest() == frame.lazy_layer("source").digest()


@pytest.mark.parametrize("budget", [0, 2**20])
def test_frames_of_a_span_are_rgb_alone_in_memory_and_on_disk(budget: int) -> None:
    store = SpanStore(budget)
    large = np.full((64, 64, 3), 0.5, np.float32)
    samples = (np.zeros((64, 64), np.uint8), *(np.zeros((32, 32), np.uint8) for _ in range(2)))
    store.put((0, "image"), LazyLayer(Planes(samples, FORMAT, large.copy)))
    frame = StoredFrames(store, [Frame(0, 0, 1, {})], ("image",), "host")[0]
    assert frame.planes("image") is None
    assert store.get((0, "image")).planes is None
    np.testing.assert_array_equal(frame.host("image"), large)
    store.close()
