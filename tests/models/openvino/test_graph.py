"""Graphs from strangers are refused before they are compiled; the others get their weights."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from vidstyle.models.openvino.graph import fix_size, fix_weights, read_graph, weight_shapes
from vidstyle.models.openvino.runtime import compile_model

FREE = ["n", 3, "h", "w"]


def graph(
    *nodes: onnx.NodeProto,
    shape: list[str | int] = FREE,
    initializers: tuple[onnx.TensorProto, ...] = (),
) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("scale", TensorProto.FLOAT, [1, 3, 1, 1]),
    ]
    outputs = [helper.make_tensor_value_info("style_image", TensorProto.FLOAT, None)]
    made = helper.make_graph(list(nodes), "g", inputs, outputs, list(initializers))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


SCALED = helper.make_node("Mul", ["image", "scale"], ["style_image"])


def test_weights_become_constants_and_sides_are_fixed() -> None:
    model = read_graph(graph(SCALED).SerializeToString())
    assert weight_shapes(model) == {"scale": (1, 3, 1, 1)}
    fix_weights(model, {"scale": np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1)})
    compiled = compile_model(fix_size(model, 4, 5), threads=1)
    image = np.random.default_rng(0).random((1, 4, 5, 3), np.float32)
    np.testing.assert_allclose(compiled(image)[0], image * [1, 2, 3], rtol=1e-6)


def test_a_graph_that_reads_another_file_is_refused(tmp_path: pytest.TempPathFactory) -> None:
    outside = TensorProto(name="more", data_type=TensorProto.FLOAT, dims=[1, 3, 1, 1])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="/etc/passwd")
    node = helper.make_node("Mul", ["image", "more"], ["style_image"])
    content = graph(node, initializers=(outside,)).SerializeToString()
    with pytest.raises(ValueError, match="reads another file"):
        read_graph(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its graph"),
        (b"no graph", "cannot be read"),
        (bytes(1 << 19), "has 524288 bytes; at most"),
        (graph(SCALED).SerializeToString()[:-20], "its graph"),
        (
            graph(
                helper.make_node("NonZero", ["image"], ["which"]),
                helper.make_node("Cast", ["which"], ["style_image"], to=TensorProto.FLOAT),
            ).SerializeToString(),
            "operations of no image network: NonZero",
        ),
        (graph(SCALED, shape=["n", 4, "h", "w"]).SerializeToString(), "its graph"),
    ],
)
def test_what_is_no_graph_of_an_image_network_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model = read_graph(content)
        fix_size(model, 8, 8)
        pytest.fail(f"read {model}")
