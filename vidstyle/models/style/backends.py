"""What a network of a style is computed by, and in which precision: fixed rules, never timing."""

from __future__ import annotations

from typing import Literal

from vidstyle.core.context import Precision
from vidstyle.core.errors import PipelineError

Backend = Literal["torch", "compile", "openvino"]
"""``torch`` layer by layer, ``torch.compile``, or OpenVINO, which runs on processors alone."""
BackendChoice = Literal["auto", "torch", "compile", "openvino"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]


def resolve_backend(choice: BackendChoice, device: str) -> Backend:
    """Replace ``auto``: OpenVINO on a processor, torch on a GPU.

    Args:
        choice: As the options have it.
        device: As torch names it.

    Returns:
        The backend.

    Raises:
        PipelineError: OpenVINO is chosen on a GPU.
    """
    if choice == "auto":
        return "openvino" if device == "cpu" else "torch"
    if choice == "openvino" and device != "cpu":
        raise PipelineError(
            f"backend openvino runs on processors and not on {device}: choose --device cpu, or"
            " backend auto, torch or compile"
        )
    return choice


def resolve_precision(choice: PrecisionChoice, backend: Backend, device: str) -> Precision:
    """Replace ``auto``: float16 on a GPU; on a processor bfloat16 if it has it, else float32.

    Args:
        choice: As the options have it.
        backend: From ``resolve_backend``.
        device: As torch names it.

    Returns:
        The precision of the convolutions.

    Raises:
        PipelineError: float16 is chosen on a processor, or bfloat16 in OpenVINO on one that lacks
            it.
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
