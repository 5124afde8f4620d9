"""What weight files say about themselves: keys, shapes and metadata, read without torch.

None of a file's numbers is read and nothing in it is run. Files of torch are pickles: what they
would construct is checked by name first. ``torch.load(weights_only=True)`` runs no code either,
but it makes byte arrays, tensors and storages of any size that a file asks for, and unpacks
archives. Weights need neither, so ``foreign_name`` also guards that reader.
"""

from __future__ import annotations

import logging
import pickle
import pickletools
import re
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights.safetensors_file import check_file, read_shapes

logger = logging.getLogger(__name__)

Shape: TypeAlias = tuple[int, ...]

_SUFFIXES: Final = (".safetensors", ".pth", ".pt")
_ARCHIVE_START: Final = b"PK\x03\x04"
# Magic number, version, system, content, keys of the storages; then the numbers follow.
_PICKLES_BEFORE_NUMBERS: Final = 5
_CONTENT_PICKLE: Final = 3
# A state dict of thousands of tensors is pickled in some hundred kilobytes.
_LARGEST_PICKLE: Final = 16 << 20
_NAMED_OTHERWISE: Final = frozenset(("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"))
_MEMO_WRITES: Final = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_NAMES_OF_WEIGHTS: Final = re.compile(
    r"collections OrderedDict"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|parameter|sparse_tensor|meta_tensor_no_storage)"
    r"|torch\.serialization _get_layout"
    r"|torch ([A-Za-z0-9]+Storage|Size|device|bool|u?int\d+|b?float\d+|complex\d+)"
)
"""Names in files that hold tensors, numbers, text and containers of them.

None of them takes memory by a number that a file gives: the storages' sizes are compared with
what is stored.
"""


@dataclass(frozen=True, slots=True)
class WeightHeader:
    """The header of a weight file."""

    path: Path
    shapes: Mapping[str, Shape]
    """Of each array, by its key."""
    metadata: Mapping[str, str]
    """Of a safetensors file, such as ``input``; empty for files of torch."""


class CompressedError(ValueError):
    """An archive stands for more bytes than it has. Torch writes none, but unpacks any."""


def list_headers(folder: Path) -> Iterator[WeightHeader]:
    """The headers of all weight files of a folder, by file name.

    Args:
        folder: Its ``.safetensors``, ``.pth`` and ``.pt`` files are read, those of its
            sub-folders are not.

    Yields:
        A header for each file. Files that are damaged or hold no weights by name are passed over.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix not in _SUFFIXES:
            continue
        try:
            yield read_header(path)
        except WeightsError as error:
            logger.info("passed over: %s", error)


def read_header(path: Path) -> WeightHeader:
    """Read keys, shapes and metadata of a weight file.

    Args:
        path: A ``.safetensors`` file, or one of torch.

    Returns:
        Keys, shapes and metadata.

    Raises:
        WeightsError: The file is missing or damaged, or no state dict.
    """
    if path.suffix == ".safetensors":
        shapes, metadata = read_shapes(path)
        return WeightHeader(path, shapes, metadata)
    check_file(path)
    try:
        content = _unpickle_shapes(path)
    # What a damaged or hostile file makes the readers raise can be nearly anything.
    except Exception as error:
        raise WeightsError(f"{path} holds no weights by name ({error})") from error
    return WeightHeader(path, content, {})


def foreign_name(path: Path) -> str | None:
    """The first name that the pickles of a file ask for and that weights do not need.

    Args:
        path: A file in either of torch's formats.

    Returns:
        ``module.name``, or None where there is none.

    Raises:
        CompressedError: An entry of the archive is compressed, or entries overlap.
        ValueError, EOFError, zipfile.BadZipFile: The file has another format, or is damaged.
    """
    for content in _archived(path) if _is_archive(path) else _in_a_row(path):
        if name := _foreign_name(content):
            return name
    return None


def _foreign_name(content: IO[bytes]) -> str | None:
    for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
        if operation.name in _NAMED_OTHERWISE:
            raise ValueError(f"{operation.name} is in no file of torch")
        if operation.name == "GLOBAL" and not _NAMES_OF_WEIGHTS.fullmatch(str(argument)):
            return str(argument).replace(" ", ".")
        # The unpickler makes a table as long as the largest number.
        if operation.name in _MEMO_WRITES and isinstance(argument, int) and argument > count:
            raise ValueError(f"{operation.name} {argument} is in no file of torch")
    return None


def _is_archive(path: Path) -> bool:
    # The same test that torch makes.
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
        [content] = (entry for entry in entries if entry.filename.endswith(".pkl"))
        yield BytesIO(archive.read(content))


def _in_a_row(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        for _ in range(_PICKLES_BEFORE_NUMBERS):
            yield file


def _unpickle_shapes(path: Path) -> dict[str, Shape]:
    if name := foreign_name(path):
        raise ValueError(f"it names {name}")
    content = _content(path)
    if not isinstance(content, Mapping):
        raise ValueError(f"it is a {type(content).__name__}")
    return {
        key: value.shape
        for key, value in content.items()
        if isinstance(key, str) and isinstance(value, _Described)
    }


def _content(path: Path) -> object:
    if _is_archive(path):
        [file] = _archived(path)
        return _Shapes(file).load()
    with path.open("rb") as opened:
        start = BytesIO(opened.read(_LARGEST_PICKLE))
    for _ in range(_CONTENT_PICKLE):
        _Shapes(start).load()
    return _Shapes(start).load()


class _Described:
    """Stands for a tensor, or for anything else that a file has a function make."""

    shape: Shape = ()

    def __init__(self, *arguments: Any) -> None:
        # _rebuild_tensor and _rebuild_tensor_v2: storage, offset, shape, strides.
        if len(arguments) > 2 and isinstance(arguments[2], tuple):
            self.shape = tuple(int(side) for side in arguments[2])
        # _rebuild_parameter: the tensor, and whether it is trained.
        elif arguments and isinstance(arguments[0], _Described):
            self.shape = arguments[0].shape


class _Shapes(pickle.Unpickler):
    """Makes nothing but containers, numbers and text, and ``_Described`` for all else."""

    def find_class(self, module: str, name: str) -> type:
        return OrderedDict if (module, name) == ("collections", "OrderedDict") else _Described

    def persistent_load(self, _: object) -> None:
        return None
