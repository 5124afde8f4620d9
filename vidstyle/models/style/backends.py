"""What a network of a style is computed by, and in which precision: fixed rules, never timing."""

from __future__ import annotations

from typing import Literal

from vidstyle.core.context import Precision
from vidstyle.core.errors import PipelineError

Backend = Literal["torch", "compile", "openvino"]
"""``torch`` layer by layer, ``torch.compile``, or OpenVINO, which runs on processors alone."""
BackendChoice = Literal["auto", "torch", "compile", "openvino"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]


def resolved_backend(choice: BackendChoice, device: str) -> Backend:
    """``auto`` is OpenVINO on a processor and torch on a GPU.

    Raises PipelineError for OpenVINO on a GPU.
    """
    if choice == "auto":
        return "openvino" if device == "cpu" else "torch"
    if choice == "openvino" and device != "cpu":
        raise PipelineError(
            f"backend openvino runs on processors and not on {device}: choose --device cpu, or"
            " backend auto, torch or compile"
        )
    return choice


def resolved_precision(choice: PrecisionChoice, backend: Backend, device: str) -> Precision:
    """``auto`` is float16 on a GPU; on a processor bfloat16 where it has it, and else float32.

    Raises PipelineError for float16 on a processor, and for bfloat16 in OpenVINO on one that
    has it not.
    """
    if device != "cpu":
        return "float16" if choice == "auto" else choice
    if choice == "float16":
        raise PipelineError(
            "precision float16 is for GPUs: on the cpu choose auto, bfloat16 or float32"
        )
    if choice == "float32":
        return choice
    from vidstyle.models.openvino.runtime import has_native_bfloat16

    if has_native_bfloat16():
        return "bfloat16"
    if choice == "bfloat16" and backend == "openvino":
        raise PipelineError(
            "precision bfloat16: this processor computes in no bfloat16: choose auto or float32"
        )
    return "float32" if choice == "auto" else choice
