"""Reading what torch saved, of any vintage: weights only, so nothing in a file is ever run."""

from __future__ import annotations

import re
import tarfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.headers import CompressedError, foreign_name
from vidstyle.models.weights.safetensors_file import check_file

_SAVE_AGAIN = "in the program that made it, save the network's state_dict() alone"


def read_arrays(path: Path) -> Mapping[str, object]:
    """Read what a ``.safetensors`` file, or else a state dict that torch wrote, holds.

    Args:
        path: The file.

    Returns:
        Values by key. Those of a state dict are not checked: ``checked_array`` does that.

    Raises:
        WeightsError: The file is missing or damaged, or no state dict.
    """
    if path.suffix == ".safetensors":
        return safetensors_file.read_tensors(path)
    content = read_content(path)
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise WeightsError(f"{path} holds a {type(content).__name__}; wanted weights by name")
    return dict(content)


def checked_array(path: Path, key: str, value: object, shape: tuple[int, ...]) -> torch.Tensor:
    """Check the value of a key, and convert it to float32.

    Args:
        path: The file, for messages.
        key: Of the value.
        value: What the file has there.
        shape: That it must have.

    Returns:
        The array.

    Raises:
        WeightsError: It is not a plain array of finite numbers of that shape.
    """
    if not isinstance(value, torch.Tensor) or not value.is_floating_point() or value.is_sparse:
        raise WeightsError(f"{path}: {key} is not a plain array of floating-point numbers")
    if tuple(value.shape) != shape:
        raise WeightsError(f"{path}: {key} is {tuple(value.shape)}; wanted {shape}")
    if not value.isfinite().all():
        raise WeightsError(f"{path}: {key} has values that are not finite: fetch it again")
    return value.detach().float()


def read_content(path: Path) -> object:
    """Read the object that ``torch.save`` wrote, with its tensors on the CPU.

    Both formats are read: the zip archive, and the older one that is a row of pickles.

    Args:
        path: A file of torch.

    Returns:
        The object.

    Raises:
        WeightsError: The file is missing, damaged or too large, it holds more than tensors,
            numbers, text and containers of them, or a tensor has more elements than are stored.
    """
    check_file(path)
    try:
        named = foreign_name(path)
        content = None if named else _load(path)
    # What a damaged or hostile file makes the readers raise can be nearly anything.
    except Exception as error:
        raise WeightsError(f"{path} {_refusal(path, error)}") from error
    if named:
        # Cut short: the name comes from the file.
        what = re.sub(r"[^\w.]", "?", named[:60])
        raise WeightsError(
            f"{path} holds more than weights ({what}), which may be code, not run: {_SAVE_AGAIN}"
        )
    if _is_spread(content):
        raise WeightsError(f"{path} has arrays that are larger than what is stored: {_SAVE_AGAIN}")
    return content


def _load(path: Path) -> object:
    with warnings.catch_warnings():
        # About what the file is; here that is read, or refused in one line.
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True)


def _is_spread(content: object) -> bool:
    """Whether a tensor in it stands for more elements than its storage has.

    Strides of 0 make a huge array of one number, which takes its memory when it is used.
    """
    waiting, seen = [content], set[int]()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, torch.Tensor):
            if _is_array(item) and item.nbytes > item.untyped_storage().nbytes():
                return True
        elif isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
    return False


def _is_array(tensor: torch.Tensor) -> bool:
    # The caller refuses all others.
    return tensor.layout == torch.strided and tensor.device.type == "cpu"


def _refusal(path: Path, error: Exception) -> str:
    if isinstance(error, CompressedError):
        return f"is a compressed archive, perhaps a program (TorchScript): {_SAVE_AGAIN}"
    if tarfile.is_tarfile(path):
        return f"is in the tar format of the first versions of torch: {_SAVE_AGAIN}, today"
    return (
        f"is damaged, not a file of torch, or holds more than weights ({type(error).__name__}): "
        f"fetch it again, or {_SAVE_AGAIN}"
    )
