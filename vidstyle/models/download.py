"""Fetching files of weights from the internet: whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, cast

from filelock import FileLock

from vidstyle.core.errors import WeightsError

_PIECE = 1 << 20
_PATIENCE_SECONDS = 60.0
"""After which a server that says nothing counts as gone."""

logger = logging.getLogger(__name__)


def user_cache(kind: str) -> Path:
    """The user's folder for a kind of things that can be had again; it need not be there yet.

    It is ``kind`` in ``VIDSTYLE_CACHE``, or else in ``vidstyle`` of the cache folder after the
    XDG Base Directory Specification. Raises WeightsError for a user without a home.
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


def fetched(address: str, folder: Path) -> Path:
    """The file of an address in ``folder``, downloaded unless it is there.

    Its name ends in a hyphen and the first digits of its SHA-256, after torchvision's custom:
    ``vgg16-397923af.pth``. Who wants the same file meanwhile waits for it. Raises ValueError for
    another name, and WeightsError where the file cannot be had or is not the right one; then
    nothing is left in its place.
    """
    path = folder / address.rpartition("/")[2]
    digits = _stated_digits(path.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{path.name}.lock"):
            if not path.is_file():
                _download(address, path, digits)
    except (OSError, HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(
            f"cannot fetch {address} to {folder} ({reason}): try again, or put the file there"
        ) from error
    return path


def _stated_digits(name: str) -> str:
    stated = re.search(r"-([0-9a-f]{8,64})\.[^.]+$", name)
    if stated is None:
        raise ValueError(f"the name {name} does not end in the digits of its SHA-256")
    return stated[1]


def _download(address: str, path: Path, digits: str) -> None:
    # One name for all attempts, under the lock: what a killed one leaves is written over.
    part = path.with_name(f".{path.name}.part")
    try:
        with (
            urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS) as opened,
            part.open("wb") as file,
        ):
            response = cast("HTTPResponse", opened)
            size = f"{response.length / 2**20:.0f} MiB" if response.length else "size unknown"
            # A warning, since hundreds of MiB are not to be taken in silence.
            logger.warning("fetching %s (%s) to %s, once", address, size, path.parent)
            found = _copied(response, file)
        if not found.startswith(digits):
            raise WeightsError(
                f"{address} gave another file: its SHA-256 begins with {found[: len(digits)]}, "
                f"wanted {digits}; try again, or look for a proxy that changes files"
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _copied(response: HTTPResponse, file: IO[bytes]) -> str:
    """Copy the body to the file; its SHA-256. Raises WeightsError where it is cut short."""
    expected, received, digest = response.length, 0, hashlib.sha256()
    while piece := response.read(_PIECE):
        file.write(piece)
        digest.update(piece)
        received += len(piece)
    if expected is not None and received != expected:
        raise WeightsError(
            f"the connection was cut after {received} of {expected} bytes of {response.url}: "
            "try again"
        )
    # A power cut after the rename must not leave an empty file under the final name.
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()
