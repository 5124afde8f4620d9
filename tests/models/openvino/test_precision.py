"""What is in bfloat16, and what stays exact."""

from __future__ import annotations

import numpy as np
import pytest
from ml_dtypes import bfloat16

from vidstyle.models.openvino.network import sized_model
from vidstyle.models.openvino.precision import to_bfloat16
from vidstyle.models.style.architectures import ARCHITECTURES, ArchitectureName
from vidstyle.models.style.graph_export import export_graph


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_convolutions_are_in_bfloat16_and_images_and_statistics_are_not(
    architecture: ArchitectureName,
) -> None:
    model = sized_model(export_graph(architecture, 2), (16, 24), "bfloat16")
    kinds: dict[str, set[str]] = {}
    for node in model.get_ordered_ops():
        if node.get_output_size() and node.get_output_element_type(0).is_real():
            name = node.get_output_element_type(0).get_type_name()
            kinds.setdefault(node.get_type_name(), set()).add(name)
    for convolution in ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MVN"):
        assert kinds.get(convolution, {"bf16"}) == {"bf16"}
    assert kinds.get("ReduceMean", {"f32"}) == {"f32"}
    assert kinds["Parameter"] == {"f32"}
    assert {part.get_element_type().get_type_name() for part in model.outputs} == {"f32"}


def test_arrays_are_rounded_to_the_nearest() -> None:
    values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    tensor = to_bfloat16(values)
    expected = values.astype(bfloat16).view(np.uint16)
    assert np.array_equal(tensor.data.view(np.uint16), expected)
