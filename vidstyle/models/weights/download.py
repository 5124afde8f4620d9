"""Fetching files of weights from the internet: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, TypeAlias, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from filelock import FileLock

from vidstyle.core.errors import OutputError, WeightsError
from vidstyle.core.paths import is_file
from vidstyle.models.weights.catalog import stated_digits

_PIECE = 1 << 20
# After which a server that does not answer counts as gone.
_PATIENCE_SECONDS = 60.0
# Status of an answer to a request for a part of a file, and where there is no such part.
_PARTIAL, _BEYOND = 206, 416

ReportBytes: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of bytes that have come, and of all where that is known."""

logger = logging.getLogger(__name__)


def user_cache(kind: str) -> Path:
    """Return the user's folder for a kind of things that can be fetched or computed again.

    It is ``kind`` in ``VIDSTYLE_CACHE``, or else in ``vidstyle`` of the cache folder after the
    XDG Base Directory Specification. It may not exist yet.

    Args:
        kind: Name of the folder.

    Returns:
        The folder.

    Raises:
        WeightsError: The user has no home folder.
    """
    if chosen := os.environ.get("VIDSTYLE_CACHE"):
        return Path(chosen) / kind
    # The specification has relative paths ignored.
    if (shared := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return shared / "vidstyle" / kind
    try:
        return Path.home() / ".cache" / "vidstyle" / kind
    except RuntimeError as error:
        raise WeightsError(
            "there is no home folder to keep weights in: set VIDSTYLE_CACHE to a folder"
        ) from error


def fetch_file(
    address: str,
    folder: Path,
    *,
    name: str | None = None,
    checked: bool = True,
    report: ReportBytes | None = None,
    serves: Callable[[Path], bool] = is_file,
) -> Path:
    """Download the file of an address to a folder, unless it is there.

    Another process that wants the same file meanwhile waits for it. A download that was cut is
    resumed. A file of unknown SHA-256 is downloaded in one piece, and its SHA-256 is written
    beside it in the format of ``sha256sum -c``.

    Args:
        address: URL of the file.
        folder: It is created if needed.
        name: Of the file, by default the address's. It ends in a hyphen and the first digits of the
            file's SHA-256, after torchvision's custom: ``vgg16-397923af.pth``.
        checked: Whether to compare the SHA-256 with these digits.
        report: Called with the progress.
        serves: Whether a file that is there need not be downloaded again.

    Returns:
        The file.

    Raises:
        ValueError: The file is to be checked and its name has no digits.
        OutputError: The folder cannot be created.
        WeightsError: The file cannot be downloaded, or its SHA-256 differs. What was in its place
            stays, and nothing else is put there.
    """
    path = folder / (name or address.rpartition("/")[2])
    digits = stated_digits(path.name) if checked else None
    if checked and digits is None:
        raise ValueError(f"the name {path.name} does not end in the digits of its SHA-256")
    _create(folder)
    try:
        # The lock's file stays, after a failure too: were it removed, one process might wait for
        # the file that is gone while another locks a new one, and both would write the same part.
        with FileLock(folder / f".{path.name}.lock"):
            if not serves(path):
                _download(address, path, digits, report or _ignore)
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"cannot fetch {address} to {folder} ({_reason(error, address)}): try again, or put the"
            " file there" + (f" as {path.name}" if name else "")
        ) from error
    return path


def _reason(error: Exception, address: str) -> str:
    """Why a file cannot be fetched, without urllib's brackets around what the system says."""
    cause = getattr(error, "reason", None)
    if type(error) is URLError and isinstance(cause, OSError):
        stated = cause.strerror or str(cause)
        return f"no connection to {urlsplit(address).netloc}: {stated}"
    return " ".join(str(error).split()) or type(error).__name__


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        there = next(
            position for position in (folder, *folder.parents) if os.path.lexists(position)
        )
        reason = error.strerror if there.is_dir() else f"{there} is not a folder"
        raise OutputError(
            f"cannot create the folder {folder} for weights ({reason}): set VIDSTYLE_CACHE to a"
            " folder that can be written"
        ) from error


def checksum_file(path: Path) -> Path:
    """Return the file that holds another file's SHA-256, where its name does not.

    Args:
        path: The other file.

    Returns:
        A file beside it.
    """
    return path.with_name(f"{path.name}.sha256")


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file's content.

    Args:
        path: The file.

    Returns:
        Hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ignore(there: int, whole: int | None) -> None:
    return None


def _download(address: str, path: Path, digits: str | None, report: ReportBytes) -> None:
    # One name for all attempts, under the lock, so that each resumes the last one.
    part = path.with_name(f".{path.name}.part")
    if digits is None:
        # Nothing would show that the file on the server has changed since.
        part.unlink(missing_ok=True)
    with _opened(address, part) as response:
        there = part.stat().st_size if response.status == _PARTIAL else 0
        whole = None if response.length is None else there + response.length
        size = f"{whole / 2**20:.0f} MiB" if whole else "size unknown"
        # A warning, since hundreds of MiB are not to be taken in silence.
        begun = f", from {there / 2**20:.0f} MiB on" if there else ""
        logger.warning("fetching %s (%s%s) to %s, once", address, size, begun, path.parent)
        with part.open("ab" if there else "wb") as file:
            _copy(response, file, there, whole, report)
    found = sha256_of(part)
    if digits is None:
        checksum_file(path).write_text(f"{found}  {path.name}\n")
    elif not found.startswith(digits):
        part.unlink()
        raise WeightsError(
            f"{address} gave another file: its SHA-256 begins with {found[: len(digits)]}, "
            f"wanted {digits}; try again, or look for a proxy that changes files"
        )
    part.replace(path)


def _opened(address: str, part: Path) -> HTTPResponse:
    """The answer to a request for what is missing of a file, or for all of it."""
    there = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address)
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        response = urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS)
    except HTTPError as error:
        if error.code != _BEYOND or not there:
            raise
        # All of it is there, or more: it was stopped before the check, or is another file.
        error.close()
        part.unlink()
        return _opened(address, part)
    return cast("HTTPResponse", response)


def _copy(
    response: HTTPResponse, file: IO[bytes], there: int, whole: int | None, report: ReportBytes
) -> None:
    """Copy the body to the file. Raises WeightsError where it is cut short."""
    while piece := response.read(_PIECE):
        file.write(piece)
        there += len(piece)
        report(there, whole)
    if whole is not None and there != whole:
        raise WeightsError(
            f"the connection was cut after {there} of {whole} bytes of {response.url}: "
            "try again, it resumes there"
        )
    # A power cut after the rename must not leave an empty file under the final name.
    file.flush()
    os.fsync(file.fileno())
