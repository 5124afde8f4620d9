"""An exported style gives in another program what it gives here."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from vidstyle.core.errors import OutputError
from vidstyle.models.style import graph_export
from vidstyle.models.style.architectures import SMALLEST_SIDE, ArchitectureName, empty_network
from vidstyle.models.style.graph_export import export_graph, write_onnx
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, Style, StyleInfo

CREDIT = Credit("A wave", "Nobody, Ölbild, 1900", "public domain")
ARCHITECTURES: tuple[ArchitectureName, ...] = get_args(ArchitectureName)


def small_style(architecture: ArchitectureName) -> Style:
    network = empty_network(architecture, 2)
    network.initialize(torch.Generator().manual_seed(0))
    info = StyleInfo(name="wave", credit=CREDIT, architecture=architecture, width=2)
    return Style(info, network.requires_grad_(False).eval())


@pytest.fixture(
    scope="module",
    params=[
        "fast",
        "johnson",
        pytest.param("johnson-fractional", marks=pytest.mark.slow),
        "johnson-tanh",
    ],
)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Style, Path]:
    style = small_style(request.param)
    path = tmp_path_factory.mktemp("exported") / "wave.onnx"
    write_onnx(style, path)
    return style, path


@pytest.fixture
def elsewhere(exported: tuple[Style, Path]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # More threads would take the cores of other tests' processes, and spin there.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        exported[1], sess_options=options, providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("shape", [(1, 3, 47, 90), (3, 3, 64, 48), (1, 3, 29, 21), (2, 3, 20, 20)])
def test_another_program_gives_the_same_at_every_size(
    exported: tuple[Style, Path],
    elsewhere: onnxruntime.InferenceSession,
    shape: tuple[int, ...],
) -> None:
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    (there,) = elsewhere.run(["style_image"], {"image": images.numpy()})
    here = stylize(exported[0].module, images).numpy()
    assert there.shape == here.shape
    assert np.abs(there - here).max() < 1e-4
    assert here.std() > 0.01


def test_the_smallest_image_that_is_promised_is_stylized(
    exported: tuple[Style, Path], elsewhere: onnxruntime.InferenceSession
) -> None:
    side = SMALLEST_SIDE
    images = torch.rand(1, 3, side, side + 1, generator=torch.Generator().manual_seed(2))
    (there,) = elsewhere.run(["style_image"], {"image": images.numpy()})
    assert np.abs(there - stylize(exported[0].module, images).numpy()).max() < 1e-4


def test_the_file_is_valid_and_says_what_it_is(exported: tuple[Style, Path]) -> None:
    style, path = exported
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties == {
        "name": "wave",
        "title": "A wave",
        "style_image": "Nobody, Ölbild, 1900",
        "license": "public domain",
        "architecture": f"{style.info.architecture}-2",
        "smallest_side": str(SMALLEST_SIDE),
    }
    assert model.producer_name == "vidstyle"
    assert "RGB in [0, 1]" in model.doc_string


def test_the_free_sides_are_named_and_the_others_fixed(exported: tuple[Style, Path]) -> None:
    graph = onnx.load(exported[1]).graph
    for value in (*graph.input, *graph.output):
        kind = value.type.tensor_type
        assert kind.elem_type == onnx.TensorProto.FLOAT
        sides = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        assert sides == ["batch", 3, "height", "width"]
    assert [value.name for value in (*graph.input, *graph.output)] == ["image", "style_image"]


def test_the_file_names_no_folder_of_this_machine(exported: tuple[Style, Path]) -> None:
    content = exported[1].read_bytes()
    for position in (Path(__file__).parents[3], Path(torch.__file__).parent, Path.home()):
        assert str(position).encode() not in content


def test_nothing_but_the_file_comes_out_of_an_export(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    style = small_style("fast")
    write_onnx(style, tmp_path / "wave.onnx")
    assert list(tmp_path.iterdir()) == [tmp_path / "wave.onnx"]
    assert capfd.readouterr() == ("", "")
    assert not style.module.training


@pytest.mark.parametrize("architecture", ["fast", "johnson"])
def test_a_graph_has_the_weights_as_inputs_and_not_in_it(architecture: ArchitectureName) -> None:
    graph = onnx.load_model_from_string(graph_export.export_graph(architecture, 2)).graph
    state = empty_network(architecture, 2).state_dict()
    shapes = {
        value.name: tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
        for value in graph.input[1:]
    }
    assert shapes == {name: tuple(value.shape) for name, value in state.items()}
    # What is constant are sizes, single numbers, and a binomial filter for each of six channels.
    assert max(np.prod(value.dims) for value in graph.initializer) <= 54
    assert len(graph_export.export_graph(architecture, 2)) < 30_000


@pytest.mark.parametrize(
    "architecture",
    ["fast", *(pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES[1:])],
)
def test_an_export_is_the_same_every_time(architecture: ArchitectureName) -> None:
    # Of an earlier run, or else of this one.
    kept = graph_export.export_graph(architecture, 2)
    export_graph.cache_clear()
    assert export_graph(architecture, 2) == kept


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    exported: tuple[Style, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = tmp_path / "wave.onnx"
    path.write_text("old")
    with pytest.raises(OutputError, match=r"cannot write .*wave\.onnx: No space left"):
        write_onnx(exported[0], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
