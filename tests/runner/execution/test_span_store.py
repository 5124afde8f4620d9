"""Layers in memory and on disk are the same, and nothing is left of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import OutputError
from vidstyle.core.frame import LazyLayer
from vidstyle.runner.execution.span_store import SpanStore

SIZE = 64 * 48 * 3 * 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def image(seed: int, shape: tuple[int, ...] = (48, 64, 3)) -> HostArray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def host(layer: LazyLayer) -> HostArray:
    return layer.host()


@pytest.mark.parametrize("budget", [0, SIZE, 2 * SIZE + 100, 10 * SIZE])
def test_what_was_put_comes_back_wherever_it_lies(folder: Path, budget: int) -> None:
    with closing(SpanStore(budget)) as store:
        for number in range(5):
            store.put(number, LazyLayer(image(number)))
        assert store.on_disk == max(0, 5 - budget // SIZE) * SIZE
        for number in (4, 0, 2, 2, 3, 1):
            np.testing.assert_array_equal(host(store.get(number)), image(number))


@pytest.mark.parametrize("shape", [(), (1,), (33, 31), (97, 65, 2), (1, 2000, 3)])
def test_any_shape_and_strides_come_back(folder: Path, shape: tuple[int, ...]) -> None:
    with closing(SpanStore(0)) as store:
        store.put("turned", LazyLayer(image(1, shape).T))
        store.put("after", LazyLayer(image(2)))
        np.testing.assert_array_equal(host(store.get("turned")), image(1, shape).T)
        np.testing.assert_array_equal(host(store.get("after")), image(2))


@pytest.mark.parametrize("budget", [0, SIZE])
def test_what_was_got_stays_what_it_was_when_its_key_is_put_again(
    folder: Path, budget: int
) -> None:
    with closing(SpanStore(budget)) as store:
        store.put("own", LazyLayer(image(1)))
        before = host(store.get("own"))
        for seed in range(2, 6):
            store.put("own", LazyLayer(image(seed)))
        np.testing.assert_array_equal(before, image(1))
        np.testing.assert_array_equal(host(store.get("own")), image(5))
        assert store.on_disk == (0 if budget else SIZE)


def test_a_larger_layer_under_the_same_key_disturbs_no_other(folder: Path) -> None:
    with closing(SpanStore(0)) as store:
        for key, shape in (("a", (48, 64)), ("b", (48, 64)), ("a", (96, 64)), ("a", (40, 64))):
            store.put(key, LazyLayer(image(len(key), shape)))
        np.testing.assert_array_equal(host(store.get("a")), image(1, (40, 64)))
        np.testing.assert_array_equal(host(store.get("b")), image(1, (48, 64)))


def test_what_is_read_from_disk_cannot_be_written_to_and_outlives_the_store(folder: Path) -> None:
    store = SpanStore(0)
    store.put("own", LazyLayer(image(1)))
    layer = host(store.get("own"))
    store.close()
    store.close()
    np.testing.assert_array_equal(layer, image(1))
    with pytest.raises(ValueError, match="read-only"):
        layer[0] = 0


def test_the_file_has_no_name_even_while_it_is_used(folder: Path) -> None:
    with closing(SpanStore(0)) as store:
        store.put("own", LazyLayer(image(1)))
        assert store.on_disk == SIZE
        assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_output_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    with (
        closing(SpanStore(0)) as store,
        pytest.raises(OutputError, match=r"/no/such/folder: No such file.*TMPDIR"),
    ):
        store.put("own", LazyLayer(image(1)))


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file of this process may grow beyond so many bytes."""
    resource = pytest.importorskip("resource", reason="Windows sets no such limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * SIZE, before[1]))
    yield 3 * SIZE
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_gets_full_is_an_output_error(folder: Path, small_files: int) -> None:
    with closing(SpanStore(0)) as store:
        for number in range(3):
            store.put(number, LazyLayer(image(number)))
        with pytest.raises(OutputError, match=f"{folder}: File too large; free some space"):
            store.put(3, LazyLayer(image(3)))
    assert list(folder.iterdir()) == []
