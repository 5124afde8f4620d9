"""Flow files of the Middlebury benchmark (``.flo``): exact float32, little endian.

Format: the float 202021.25, width and height as 32-bit integers, then u and v of each pixel, row by
row (Baker et al. 2011, and the readme of the benchmark's code).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vidstyle.core.errors import InputError, OutputError
from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import check_flow

KnownMask: TypeAlias = npt.NDArray[np.bool_]

UNKNOWN = 1e9
"""Components beyond this, or NaN, mean that the flow of a pixel is not known."""

_TAG = np.float32(202021.25).astype("<f4").tobytes()
_HEADER_BYTES = 12


def read_flow(path: Path) -> HostArray:
    """Read the flow of a file; ``known_flow`` marks which of it counts.

    Args:
        path: A ``.flo`` file.

    Returns:
        (H, W, 2) in pixels.

    Raises:
        InputError: The file cannot be read, is of another kind, or is not as long as its header
            says.

    References:
        Baker et al. 2011, A Database and Evaluation Methodology for Optical Flow.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) < _HEADER_BYTES or not content.startswith(_TAG):
        raise InputError(f"{path} is not a flow file: it begins in another way than .flo files do")
    # As Python's numbers: the product of two hostile ones does not wrap.
    width, height = (int(side) for side in np.frombuffer(content, "<i4", 2, offset=4))
    found, wanted = len(content) - _HEADER_BYTES, 8 * width * height
    if width < 1 or height < 1 or found != wanted:
        form = f"its header says {width}x{height} pixels, and {found} bytes follow"
        raise InputError(f"{path} is damaged: {form}; fetch it again")
    values = np.frombuffer(content, "<f4", offset=_HEADER_BYTES)
    return values.reshape(height, width, 2).astype(np.float32)


def write_flow(path: Path, flow: HostArray) -> None:
    """Write a flow under a temporary name and rename it.

    Args:
        path: The file; an existing one is replaced.
        flow: (H, W, 2) in pixels.

    Raises:
        ValueError: The flow has another shape.
        OutputError: The folder cannot be written.
    """
    check_flow(flow)
    height, width = flow.shape[:2]
    content = _TAG + np.array((width, height), "<i4").tobytes() + flow.astype("<f4").tobytes()
    try:
        _replace_file(path, content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def known_flow(flow: HostArray) -> KnownMask:
    """Mark where a flow is known.

    Args:
        flow: (H, W, 2) in pixels.

    Returns:
        (H, W), True where both components are numbers of at most 1e9.
    """
    return np.asarray((np.abs(flow) <= UNKNOWN).all(axis=2), np.bool_)


def end_point_error(found: HostArray, true: HostArray, where: HostArray | None = None) -> float:
    """Give the mean length of the difference between two flows.

    Args:
        found: (H, W, 2) in pixels.
        true: (H, W, 2) in pixels.
        where: (H, W), over 0.5 where it counts; None is where the true flow is known.

    Returns:
        Pixels.
    """
    counts = known_flow(true) if where is None else where > 0.5
    return float(np.linalg.norm(found - true, axis=2)[counts].mean())


def _replace_file(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files that only their owner reads.
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
