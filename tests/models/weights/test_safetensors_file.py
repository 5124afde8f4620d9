"""Headers of safetensors that lie are one error, before memory is taken by what they say."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights.safetensors_file import read_metadata, read_tensors, write

HUGE = 1 << 40


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


LIES: dict[str, dict[str, Any]] = {
    "overlapping": {"a": entry("F32", [4], 0, 16), "b": entry("F32", [4], 0, 16)},
    "partly overlapping": {"a": entry("F32", [4], 0, 16), "b": entry("F32", [3], 4, 16)},
    "a hole": {"a": entry("F32", [2], 0, 8), "b": entry("F32", [1], 12, 16)},
    "beyond the end": {"a": entry("F32", [8], 0, 32)},
    "backwards": {"a": entry("F32", [4], 16, 0)},
    "below 0": {"a": entry("F32", [4], -16, 0)},
    "a huge shape": {"a": entry("F32", [HUGE], 0, 16)},
    "a huge shape and place": {"a": entry("F32", [HUGE], 0, 4 * HUGE)},
    "a shape that overflows": {"a": entry("F32", [1 << 32, 1 << 32, 4], 0, 16)},
    "a side below 0": {"a": entry("F32", [-4], 0, 16)},
    "a wider type": {"a": entry("F64", [4], 0, 16)},
    "a narrower type": {"a": entry("F16", [4], 0, 16)},
    "an unknown type": {"a": entry("OBJECT", [4], 0, 16)},
    "no place": {"a": {"dtype": "F32", "shape": [4]}},
    "metadata that is no text": {"__metadata__": {"a": 1}, "a": entry("F32", [4], 0, 16)},
}


def put(path: Path, header: bytes, data: bytes = bytes(16), length: int | None = None) -> Path:
    size = len(header) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + header + data)
    return path


def refused(path: Path, read: Callable[[Path], object] = read_tensors) -> str:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, {"a": torch.arange(4.0)}, {"kind": "a"})
    assert read_tensors(path)["a"].tolist() == [0, 1, 2, 3]
    assert read_metadata(path) == {"kind": "a"}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_refused(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / "w.safetensors", json.dumps(LIES[name]).encode())
    assert "damaged or not a safetensors file" in refused(path)


@pytest.mark.parametrize(
    "header",
    [b"", b"{", b"[]", b"\xff" * 16, b"[" * 100_000, b'{"a":' * 100_000, b"null"],
    ids=["empty", "open", "list", "binary", "deep lists", "deep mappings", "null"],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, header: bytes) -> None:
    path = put(tmp_path / "w.safetensors", header)
    assert "damaged or not a safetensors file" in refused(path)
    refused(path, read_metadata)


@pytest.mark.parametrize("length", [100, 50 << 20, 1 << 40, (1 << 64) - 1])
def test_a_length_beyond_the_file_is_refused(tmp_path: Path, length: int) -> None:
    path = put(tmp_path / "w.safetensors", b"{}", length=length)
    refused(path)
    refused(path, read_metadata)


def test_a_long_header_is_refused_unread(tmp_path: Path) -> None:
    names = {f"{number:0200}": entry("F32", [0], 0, 0) for number in range(30_000)}
    path = put(tmp_path / "w.safetensors", json.dumps(names).encode(), b"")
    assert "a header of" in refused(path)


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write(path, {"a": torch.arange(4.0)}, {"kind": "a"})
    whole = path.read_bytes()
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        refused(path)


def test_a_file_too_large_for_weights_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert "larger than 2 GiB" in refused(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/proc/self/mem"])
def test_what_is_no_plain_file_is_refused(path: str) -> None:
    refused(Path(path))
