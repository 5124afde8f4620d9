"""Weights as numpy arrays: what torch reads of a file, and refused where torch refuses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.style import graph_export
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import GRAPH, Credit, StyleInfo, load_style, save_style
from vidstyle.models.style.style_weights import load_style_weights, mix_weights, read_style_graph
from vidstyle.models.weights import safetensors_file

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    network = empty_network("fast", 2)
    network.initialize(torch.Generator().manual_seed(0))
    file = tmp_path / "small.safetensors"
    save_style(file, StyleInfo("small", Credit(), "fast", 2), network)
    return file


def rewrite(path: Path, change: Callable[[Tensors], Tensors]) -> None:
    metadata = safetensors_file.read_metadata(path)
    safetensors_file.write(path, change(safetensors_file.read_tensors(path)), metadata)


def test_the_graph_is_that_of_the_network(path: Path) -> None:
    assert (
        read_style_graph(path)
        == load_style_weights(path).graph
        == graph_export.export_graph("fast", 2)
    )


def test_a_file_without_a_graph_is_refused(path: Path) -> None:
    rewrite(path, lambda tensors: {k: v for k, v in tensors.items() if k != GRAPH})
    with pytest.raises(WeightsError, match="has no graph of its network: train or import it"):
        load_style_weights(path)
    # torch has a description of its own.
    load_style(path)


def test_a_checkpoint_of_another_project_gets_the_command_that_imports_it(path: Path) -> None:
    safetensors_file.write(path, {"weight": torch.zeros(2)}, {})
    for read in (read_style_graph, load_style_weights):
        with pytest.raises(WeightsError, match=f"by `vidstyle styles import {path} -o NAME"):
            read(path)


def test_a_graph_that_is_damaged_is_refused_in_one_line(path: Path) -> None:
    rewrite(path, lambda tensors: {**tensors, GRAPH: tensors[GRAPH][:500]})
    with pytest.raises(WeightsError, match=r"small\.safetensors is damaged: its graph") as caught:
        load_style_weights(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_every_type_is_read_as_torch_reads_it(path: Path, kind: torch.dtype) -> None:
    rewrite(path, lambda tensors: {k: v if k == GRAPH else v.to(kind) for k, v in tensors.items()})
    wanted, found = load_style(path), load_style_weights(path)
    assert found.info == wanted.info
    for key, value in wanted.module.state_dict().items():
        assert found.arrays[key].dtype == np.float32
        assert np.array_equal(found.arrays[key], value.numpy())


def without_a_weight(tensors: Tensors) -> Tensors:
    return {key: value for key, value in tensors.items() if key != "output.bias"}


def with_one_more(tensors: Tensors) -> Tensors:
    return {**tensors, "surplus": torch.zeros(2)}


def of_another_shape(tensors: Tensors) -> Tensors:
    return {**tensors, "output.bias": torch.zeros(13)}


def not_finite(tensors: Tensors) -> Tensors:
    return {**tensors, "output.bias": torch.full((12,), torch.inf)}


@pytest.mark.parametrize("change", [without_a_weight, with_one_more, of_another_shape, not_finite])
def test_what_torch_refuses_is_refused_in_the_same_words(
    path: Path, change: Callable[[Tensors], Tensors]
) -> None:
    rewrite(path, change)
    with pytest.raises(WeightsError) as wanted:
        load_style(path)
    with pytest.raises(WeightsError) as found:
        load_style_weights(path)
    assert str(found.value) == str(wanted.value)


RANGED = "ranges.transform.3.layers.1.0.weight"


@pytest.fixture
def ranged(tmp_path: Path) -> Path:
    """With ranges for one convolution, of 16 channels that it reads."""
    network = empty_network("fast", 6)
    network.initialize(torch.Generator().manual_seed(0))
    values = np.linspace(-1, 1, 3, dtype=np.float32)[[0, 2, 1], None].repeat(18, 1)
    file = tmp_path / "ranged.safetensors"
    info = StyleInfo("ranged", Credit(), "fast", 6, int8_error=0.002)
    save_style(file, info, network, {RANGED.removeprefix("ranges."): values})
    return file


def test_ranges_come_back_and_torch_does_without(ranged: Path) -> None:
    found = load_style_weights(ranged)
    assert found.info.int8_error == 0.002
    [(name, values)] = found.ranges.items()
    assert f"ranges.{name}" == RANGED
    assert np.array_equal(values[:, 7], np.float32([-1, 1, 0]))
    assert found.arrays.keys() == load_style(ranged).module.state_dict().keys()


def test_a_mix_has_no_ranges(ranged: Path) -> None:
    styles = {name: load_style_weights(ranged) for name in "ab"}
    assert mix_weights(styles, {"a": 1.0, "b": 0.0}).ranges
    assert not mix_weights(styles, {"a": 0.5, "b": 0.5}).ranges


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ranges: {RANGED: ranges[:2]}, r"is \(2, 18\); wanted \(3, 18\)"),
        (lambda ranges: {RANGED: ranges * torch.nan}, "values that are not finite"),
        (lambda ranges: {RANGED: ranges.flip(0)}, "is damaged: .* holds no ranges"),
        (lambda ranges: {RANGED: ranges.byte()}, "holds U8; wanted 16 or 32 bit floats"),
        (lambda ranges: {"ranges.color.weight": ranges}, r"has unknown ranges\.color"),
        (lambda ranges: {"ranges.nowhere": ranges}, r"has unknown ranges\.nowhere"),
    ],
)
def test_ranges_that_make_no_sense_are_refused_in_one_line(
    ranged: Path, change: Callable[[torch.Tensor], Tensors], words: str
) -> None:
    def damaged(tensors: Tensors) -> Tensors:
        values = tensors.pop(RANGED)
        return {**tensors, **change(values)}

    rewrite(ranged, damaged)
    with pytest.raises(WeightsError, match=words) as caught:
        load_style_weights(ranged)
    assert "\n" not in str(caught.value)


def test_other_numbers_are_refused(path: Path) -> None:
    rewrite(path, lambda tensors: {k: v if k == GRAPH else v.double() for k, v in tensors.items()})
    with pytest.raises(WeightsError, match="holds F64; wanted 16 or 32 bit floats"):
        load_style_weights(path)


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_file_cut_short_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="is damaged or not a safetensors file"):
        load_style_weights(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what is taken")
def test_a_large_file_of_another_layout_is_not_read(path: Path) -> None:
    size = 1 << 30
    header = {"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}
    header["__metadata__"] = safetensors_file.read_metadata(path)  # type: ignore[assignment]
    content = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(content).to_bytes(8, "little") + content)
        file.truncate(8 + len(content) + size)
    program = (
        "import re, sys; from pathlib import Path\n"
        "from vidstyle.models.style.style_weights import load_style_weights as load\n"
        "status = Path('/proc/self/status')\n"
        "most = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1])\n"
        "before = most()\n"
        "try: load(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "assert most() - before < 50 << 10\n"
        "assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "has no graph of its network" in printed
