"""Reading and writing safetensors files: whole or not at all, and never a pickle."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safetensors import SafetensorError, safe_open

from vidstyle.core.errors import OutputError, WeightsError
from vidstyle.core.paths import is_file

if TYPE_CHECKING:
    import torch


LARGEST_FILE: Final = 2 << 30
"""Bytes of a file of weights; those of the largest network that is read are a quarter."""
# Takes many times its size as objects; ours have some kilobytes.
_LARGEST_HEADER: Final = 4 << 20


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a file, from its header alone and without torch.

    Args:
        path: A ``.safetensors`` file.

    Returns:
        Texts by name.

    Raises:
        WeightsError: The file is missing, damaged, cut short or of another kind.
    """
    with _explained(path), safe_open(path, framework="numpy") as file:
        return dict(file.metadata() or {})


def read_shapes(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Read the shape of each array by its key, and the metadata, from a file's header.

    Args:
        path: A ``.safetensors`` file.

    Returns:
        Shapes by key, and the metadata.

    Raises:
        WeightsError: As ``read_metadata`` does.
    """
    with _explained(path), safe_open(path, framework="numpy") as file:
        keys = list(file.keys())
        return {key: tuple(file.get_slice(key).get_shape()) for key in keys}, dict(
            file.metadata() or {}
        )


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read all tensors of a file.

    Args:
        path: A ``.safetensors`` file.

    Returns:
        Tensors by key, on the CPU.

    Raises:
        WeightsError: As ``read_metadata`` raises it.
    """
    from safetensors.torch import load_file

    with _explained(path):
        tensors: dict[str, torch.Tensor] = load_file(path)
    return tensors


def write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write a file beside its place and rename it, so that it is never seen half written.

    Raises OutputError where the folder cannot be written.

    Args:
        path: The file.
        tensors: By key.
        metadata: Texts by name.

    Raises:
        OutputError: The folder cannot be written.
    """
    from safetensors.torch import save

    content = save({name: value.contiguous() for name, value in tensors.items()}, dict(metadata))
    try:
        replace_file(path, content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def check_keys(path: Path, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Check that a file has the wanted keys.

    Args:
        path: The file, for messages.
        found: Keys that it has.
        wanted: Keys that it must have.

    Raises:
        WeightsError: Keys are missing or too many; the message names the first few.
    """
    missing, unknown = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    complaints = [
        f"{text} {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
        for text, names in (("lacks", missing), ("has unknown", unknown))
        if names
    ]
    if complaints:
        raise WeightsError(f"{path} {' and '.join(complaints)}: it is of another layout")


def check_file(path: Path) -> None:
    """Check that a file may hold weights.

    Args:
        path: The file.

    Raises:
        WeightsError: There is no regular file, or one too large to be weights.
    """
    # Path.is_file raises for a name that is too long.
    if not is_file(path):
        raise WeightsError(f"{path} is not there, or is not a file")
    if path.stat().st_size > LARGEST_FILE:
        raise WeightsError(
            f"{path} is larger than {LARGEST_FILE >> 30} GiB, so it is no file of weights"
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    check_file(path)
    try:
        _check_header(path)
        yield
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{path} is damaged or not a safetensors file ({reason}): fetch or train it again"
        ) from error


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _LARGEST_HEADER:
        raise WeightsError(
            f"{path} is damaged or not a safetensors file (a header of {length} bytes): "
            "fetch or train it again"
        )


def replace_file(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it, so that it is there whole or not at all.

    Args:
        path: The file.
        content: All of its bytes.

    Raises:
        OSError: The folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads.
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
