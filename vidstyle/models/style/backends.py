"""What a network of a style is computed by, and in which precision: fixed rules, never timing."""

from __future__ import annotations

from typing import Literal

from vidstyle.core.context import Precision
from vidstyle.core.errors import PipelineError

Backend = Literal["torch", "compile", "openvino"]
"""``torch`` layer by layer, ``torch.compile``, or OpenVINO, which runs on processors alone."""
BackendChoice = Literal["auto", "torch", "compile", "openvino"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]
StylePrecisionChoice = Literal["auto", "float32", "bfloat16", "float16", "int8"]
"""``int8`` has the convolutions that have ranges in 8 bits, and the rest in bfloat16."""

LARGEST_INT8_ERROR = 2 / 255
"""Mean difference to float32 up to which ``auto`` takes 8 bits, images being in [0, 1]."""


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


def resolve_precision(
    choice: StylePrecisionChoice,
    backend: Backend,
    device: str,
    *,
    int8_error: float | None = None,
) -> Precision:
    """Replace ``auto``: float16 on a GPU; on a processor the fastest that is near enough.

    In OpenVINO that is int8 where the processor has VNNI and the style has ranges by which images
    are within ``LARGEST_INT8_ERROR`` of float32; then bfloat16, if the processor has it; else
    float32.

    Args:
        choice: As the options have it.
        backend: From ``resolve_backend``.
        device: As torch names it.
        int8_error: Of the style, as its file states it; None without ranges, and for mixes.

    Returns:
        The precision of the convolutions.

    Raises:
        PipelineError: float16 is chosen on a processor, int8 elsewhere than in OpenVINO or for what
            has no ranges, or bfloat16 or int8 on a processor that lacks it.
    """
    if choice == "int8":
        _check_int8(backend, device, int8_error)
        return choice
    if device != "cpu":
        return "float16" if choice == "auto" else choice
    if choice == "float16":
        raise PipelineError(
            "precision float16 is for GPUs: on the cpu choose auto, bfloat16 or float32"
        )
    if choice == "float32":
        return choice
    from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni

    near = int8_error is not None and int8_error <= LARGEST_INT8_ERROR
    if choice == "auto" and backend == "openvino" and near and has_native_bfloat16() and has_vnni():
        return "int8"
    if has_native_bfloat16():
        return "bfloat16"
    if choice == "bfloat16" and backend == "openvino":
        raise PipelineError(
            "precision bfloat16: this processor computes in no bfloat16: choose auto or float32"
        )
    return "float32" if choice == "auto" else choice


def _check_int8(backend: Backend, device: str, int8_error: float | None) -> None:
    if device != "cpu" or backend != "openvino":
        raise PipelineError(
            f"precision int8 is for backend openvino and not for {backend} on {device}: choose auto"
        )
    from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni

    if not (has_vnni() and has_native_bfloat16()):
        raise PipelineError(
            "precision int8: this processor has no VNNI with bfloat16: choose auto or float32"
        )
    if int8_error is None:
        raise PipelineError(
            "precision int8 is for one style that has ranges for it, and not for mixes: choose"
            " auto, or train the style again"
        )
