"""What a file of torch would have made when it is read, found out without making it.

``torch.load(weights_only=True)`` runs no code, but makes byte arrays, tensors and storages of
any size that a file asks for, and unpacks archives. Weights need neither.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Final

_ARCHIVE_START: Final = b"PK\x03\x04"
_PICKLES_BEFORE_NUMBERS: Final = 5
# Magic number, version, system, content, keys of the storages; then come the numbers.
_NAMED_OTHERWISE: Final = frozenset(("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"))
_OF_WEIGHTS: Final = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|parameter|sparse_tensor|meta_tensor_no_storage)"
    r"|torch\.serialization _get_layout"
    r"|torch ([A-Za-z0-9]+Storage|Size|device|bool|u?int\d+|b?float\d+|complex\d+)"
)
"""Names in files that hold tensors, numbers, text and containers of them.

None of them takes memory by a number that a file gives: the storages' are held against what
is stored.
"""


class CompressedError(ValueError):
    """An archive stands for more bytes than it has. Torch writes none, but unpacks any."""


def foreign_name(path: Path) -> str | None:
    """The first name that the pickles of a file ask for and that weights do not need, or None.

    ``module.name``. Reads both of torch's formats. Raises CompressedError, and another
    ValueError, EOFError or zipfile.BadZipFile where the file is neither, or damaged.
    """
    for pickle in _archived(path) if _is_archive(path) else _in_a_row(path):
        for operation, argument, _ in pickletools.genops(pickle):
            if operation.name in _NAMED_OTHERWISE:
                raise ValueError(f"{operation.name} is in no file of torch")
            if operation.name == "GLOBAL" and not _OF_WEIGHTS.fullmatch(str(argument)):
                return str(argument).replace(" ", ".")
    return None


def _is_archive(path: Path) -> bool:
    # As torch tells them apart.
    with path.open("rb") as file:
        return file.read(len(_ARCHIVE_START)) == _ARCHIVE_START


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    return entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size


def _archived(path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        # Entries can lie over one another, too.
        stored = sum(entry.file_size for entry in entries)
        if stored > path.stat().st_size or not all(map(_is_plain, entries)):
            raise CompressedError(path.name)
        [pickle] = (entry for entry in entries if entry.filename.endswith(".pkl"))
        yield BytesIO(archive.read(pickle))


def _in_a_row(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        for _ in range(_PICKLES_BEFORE_NUMBERS):
            yield file
