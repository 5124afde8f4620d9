"""A model is compiled once for clips of one size that come one after the other."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from vidstyle.models.openvino import kept
from vidstyle.models.openvino.kept import digest_of_network, keep_last_model, kept_or_compiled


class Model:
    """Stands for a compiled one."""


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_keeping", False)
    monkeypatch.setattr(kept, "_last", {})
    keep_last_model()


def test_the_same_again_is_not_compiled_again(keeping: None) -> None:
    first = kept_or_compiled("a", Model)
    assert kept_or_compiled("a", Model) is first
    assert kept_or_compiled("b", Model) is not first
    assert kept_or_compiled("a", Model) is not first


def test_the_last_one_is_gone_before_the_next_is_compiled(keeping: None) -> None:
    last = weakref.ref(kept_or_compiled("a", Model))

    def compile_it() -> Model:
        gc.collect()
        assert last() is None
        return Model()

    kept_or_compiled("b", compile_it)


def test_nothing_is_kept_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_keeping", False)
    assert kept_or_compiled("a", Model) is not kept_or_compiled("a", Model)


def test_networks_differ_by_graph_names_shapes_and_values() -> None:
    ones = np.ones((2, 3), np.float32)
    digests = {
        digest_of_network(b"g", {"a": ones}),
        digest_of_network(b"h", {"a": ones}),
        digest_of_network(b"g", {"b": ones}),
        digest_of_network(b"g", {"a": ones.reshape(3, 2)}),
        digest_of_network(b"g", {"a": 2 * ones}),
    }
    assert len(digests) == 5
    assert digest_of_network(b"g", {"a": ones.copy()}) in digests
