"""Memory is counted from the graph: by hand for a small one, and as measured for real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from vidstyle.core.context import Precision
from vidstyle.models.openvino.memory import network_memory
from vidstyle.models.style import graph_export
from vidstyle.models.style.architectures import ARCHITECTURES

FREE = ["n", 3, "h", "w"]
GIB = 2**30


def chain() -> bytes:
    """An image, padded, squared, added to itself and rectified."""
    nodes = [
        helper.make_node("Pad", ["image", "pads"], ["padded"], mode="reflect"),
        helper.make_node("Mul", ["padded", "padded"], ["squared"]),
        helper.make_node("Add", ["squared", "padded"], ["added"]),
        helper.make_node("Relu", ["added"], ["style_image"]),
    ]
    pads = helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 8, 8, 0, 0, 8, 8])
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, FREE)]
    outputs = [helper.make_tensor_value_info("style_image", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [pads])
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return bytes(model.SerializeToString())


def test_results_that_are_needed_at_one_time_are_added_up() -> None:
    def counted(side: int, *, fused: bool) -> int:
        return network_memory(chain(), size=(side, side), precision="float32", fused=fused)

    images = 6 * 12 * (96**2 - 32**2)
    padded = 12 * (112**2 - 48**2)
    # Fused, the padded image and the result; otherwise the squared one and the sum beside it,
    # each with a copy.
    assert counted(96, fused=True) - counted(32, fused=True) == images + 2 * padded
    assert counted(96, fused=False) - counted(32, fused=False) == images + 2 * 3 * padded


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_memory_grows_with_the_image_and_with_precision(precision: Precision) -> None:
    graph = graph_export.export_graph("johnson", 16)
    small, large = (
        network_memory(graph, size=size, precision=precision) for size in ((540, 960), (1080, 1920))
    )
    fixed = network_memory(graph, size=(8, 8), precision=precision)
    assert large - fixed == pytest.approx(4 * (small - fixed), rel=0.02)
    assert network_memory(graph, size=(1080, 1920), precision="float32") >= large


def test_a_shipped_network_at_4k_takes_a_quarter_of_the_budget() -> None:
    graph = graph_export.export_graph("fast", 16)
    for precision in ("float32", "bfloat16"):
        assert network_memory(graph, size=(2160, 3840), precision=precision) < 2 * GIB


PROGRAM = """
import re, sys
import numpy as np
from pathlib import Path
from vidstyle.models.openvino.network import OpenVinoNetwork
from vidstyle.models.openvino.graph import read_graph, weight_shapes
graph, precision, *size = sys.argv[1:]
graph = Path(graph).read_bytes()
random = np.random.default_rng(0)
shapes = weight_shapes(read_graph(graph))
weights = {name: 0.1 * random.random(shape, np.float32) for name, shape in shapes.items()}
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
height, width = map(int, size)
# The network's own: the compiled code counts, libraries and weights do not.
before = peak()
network = OpenVinoNetwork(graph, weights, precision=precision, threads=1)
network.run(np.ones((height, width, 3), np.float32))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux reports it")
@pytest.mark.parametrize("size", [(540, 960), (1080, 1920)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_counted_is_what_is_taken(
    tmp_path: Path, architecture: str, precision: Precision, size: tuple[int, int]
) -> None:
    graph = graph_export.export_graph(architecture, 16)  # type: ignore[arg-type]  # one of the names
    (tmp_path / "graph.onnx").write_bytes(graph)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "graph.onnx"), precision]
    command += [str(side) for side in size]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    stated = network_memory(graph, size=size, precision=precision)
    assert stated / 2 < taken < stated, f"{taken >> 20} of {stated >> 20} MiB"
