"""Reading what torch saved, of any vintage: weights only, so nothing in a file is ever run."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError

_SAVE_AGAIN = "in the program that made it, save the network's state_dict() alone"
_REFUSALS = {
    "legacy .tar": f"is in the tar format of the first versions of torch: {_SAVE_AGAIN}, today",
    "TorchScript": f"is a program (TorchScript), and only weights are read: {_SAVE_AGAIN}",
}
"""What is said, by what torch says."""


def read_content(path: Path) -> object:
    """The object that ``torch.save`` wrote, with its tensors on the CPU.

    Reads the zip format and the older one that is a row of pickles. Raises WeightsError where
    the file is missing or damaged, or holds more than tensors, numbers, text and containers of
    them.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is not there, or is not a file")
    try:
        with warnings.catch_warnings():
            # Of what the file is; here that is read, or refused in one line.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    # What a damaged or hostile file makes the unpickler raise can be nearly anything.
    except Exception as error:
        raise WeightsError(f"{path} {_refusal(error)}") from error


def _refusal(error: Exception) -> str:
    said = str(error)
    for sign, words in _REFUSALS.items():
        if sign in said:
            return words
    # Cut short: the name comes from the file.
    if named := re.search(r"GLOBAL ([\w.]{1,60})", said):
        return f"holds more than weights ({named[1]}), which may be code, not run: {_SAVE_AGAIN}"
    return (
        f"is damaged, not a file of torch, or holds more than weights ({type(error).__name__}): "
        f"fetch it again, or {_SAVE_AGAIN}"
    )
