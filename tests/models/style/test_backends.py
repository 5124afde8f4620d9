"""Backend and precision are chosen by rules on device and processor alone."""

from __future__ import annotations

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.models.style.backends import resolve_backend, resolve_precision

GPU = "cuda:0"
VNNI = "vidstyle.models.openvino.runtime.has_vnni"
NATIVE = "vidstyle.models.openvino.runtime.has_native_bfloat16"


@pytest.fixture(params=[True, False])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor computes in bfloat16."""
    has = bool(request.param)
    monkeypatch.setattr(NATIVE, lambda: has)
    return has


def test_auto_is_openvino_on_a_processor_and_torch_on_a_gpu() -> None:
    assert resolve_backend("auto", "cpu") == "openvino"
    assert resolve_backend("auto", GPU) == "torch"


@pytest.mark.parametrize("backend", ["torch", "compile"])
def test_torch_runs_anywhere(backend: str) -> None:
    assert resolve_backend(backend, "cpu") == backend  # type: ignore[arg-type]  # one of them
    assert resolve_backend(backend, GPU) == backend  # type: ignore[arg-type]  # one of them


def test_openvino_on_a_gpu_is_refused_in_a_line() -> None:
    with pytest.raises(PipelineError, match="runs on processors and not on cuda:0") as caught:
        resolve_backend("openvino", GPU)
    assert "\n" not in str(caught.value)


def test_auto_precision_on_a_gpu_is_float16() -> None:
    assert resolve_precision("auto", "torch", GPU) == "float16"
    assert resolve_precision("float32", "torch", GPU) == "float32"
    assert resolve_precision("bfloat16", "compile", GPU) == "bfloat16"


def test_auto_precision_on_a_processor_is_what_it_has(native: bool) -> None:
    wanted = "bfloat16" if native else "float32"
    assert resolve_precision("auto", "openvino", "cpu") == wanted
    assert resolve_precision("float32", "openvino", "cpu") == "float32"


def test_bfloat16_where_the_processor_has_it_not_is_for_torch_alone(native: bool) -> None:
    assert resolve_precision("bfloat16", "torch", "cpu") == "bfloat16"
    if native:
        assert resolve_precision("bfloat16", "openvino", "cpu") == "bfloat16"
    else:
        with pytest.raises(PipelineError, match="this processor"):
            resolve_precision("bfloat16", "openvino", "cpu")


@pytest.fixture(params=[True, False])
def vnni(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor computes in bytes and in bfloat16."""
    has = bool(request.param)
    monkeypatch.setattr(VNNI, lambda: has)
    monkeypatch.setattr(NATIVE, lambda: True)
    return has


@pytest.mark.parametrize(
    ("int8_error", "near"), [(1.9 / 255, True), (2.1 / 255, False), (None, False)]
)
def test_auto_is_8_bits_where_the_processor_has_them_and_the_style_is_near(
    vnni: bool, int8_error: float | None, near: bool
) -> None:
    found = resolve_precision("auto", "openvino", "cpu", int8_error=int8_error)
    assert found == ("int8" if vnni and near else "bfloat16")
    assert resolve_precision("auto", "torch", "cpu", int8_error=int8_error) == "bfloat16"
    assert resolve_precision("auto", "torch", GPU, int8_error=int8_error) == "float16"
    for choice in ("float32", "bfloat16"):
        assert resolve_precision(choice, "openvino", "cpu", int8_error=int8_error) == choice  # type: ignore[arg-type]  # one of them


def test_8_bits_may_be_chosen_for_a_style_that_is_farther_off(vnni: bool) -> None:
    if vnni:
        assert resolve_precision("int8", "openvino", "cpu", int8_error=0.1) == "int8"
        with pytest.raises(PipelineError, match="for one style that has ranges") as caught:
            resolve_precision("int8", "openvino", "cpu")
    else:
        with pytest.raises(PipelineError, match="no VNNI") as caught:
            resolve_precision("int8", "openvino", "cpu", int8_error=0.001)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("backend", "device"), [("torch", "cpu"), ("torch", GPU)])
def test_8_bits_are_for_openvino(backend: str, device: str) -> None:
    with pytest.raises(PipelineError, match=f"not for torch on {device}: choose auto"):
        resolve_precision("int8", backend, device, int8_error=0.001)  # type: ignore[arg-type]  # one of them


@pytest.mark.parametrize("backend", ["openvino", "torch", "compile"])
def test_float16_on_a_processor_is_refused(backend: str) -> None:
    with pytest.raises(PipelineError, match="precision float16 is for GPUs"):
        resolve_precision("float16", backend, "cpu")  # type: ignore[arg-type]  # one of them
