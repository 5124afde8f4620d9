"""Where files of weights are sought, in the order that all networks share."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file, is_folder
from vidstyle.models.weights.catalog import CATALOG, WeightFile, known_names
from vidstyle.models.weights.download import ReportBytes, fetch_file, user_cache
from vidstyle.models.weights.headers import WeightHeader, list_headers

logger = logging.getLogger(__name__)


def find_weights(
    entry: WeightFile,
    *,
    folder: Path | None = None,
    offline: bool = False,
    report: ReportBytes | None = None,
) -> Path:
    """Find the file of a network's weights, or download the official one.

    Args:
        entry: The network's entry in the catalog.
        folder: Sought first; by default the folder that ``VIDSTYLE_WEIGHTS`` names. Then comes
            the user's cache.
        offline: Whether not to download the official file, to the cache, where there is none.
        report: Called with the progress of a download.

    Returns:
        The first file of a known name in the first folder that has one, or else a file whose keys
        are the network's, whatever its name.

    Raises:
        WeightsError: There is no file and it is not, or cannot be, downloaded, or ``folder`` does
            not exist.
    """
    if path := locate_weights(entry, folder=folder):
        return path
    cache = user_cache("weights")
    if offline:
        places = [position for position in (_chosen_folder(folder), cache) if position]
        raise WeightsError(
            f"there are no weights of {entry.name} in {' or '.join(map(str, places))}, and nothing"
            f" is downloaded while offline: fetch {entry.address} ({_size(entry)}) and put it into"
            f" {places[0]}" + _name_to_use(entry)
        )
    try:
        return fetch_file(
            entry.address, cache, name=entry.file, checked=entry.checked, report=report
        )
    except WeightsError as error:
        raise WeightsError(
            f"there are no weights of {entry.name} ({_size(entry)}): {error}"
        ) from error


def find_backbone(name: str, *, folder: Path | None, offline: bool) -> Path:
    """Find the weights of a loss network, as ``find_weights`` does.

    Args:
        name: A key of ``CATALOG``.
        folder: Looked into first.
        offline: Whether not to download weights that are missing.

    Returns:
        The file.

    Raises:
        WeightsError: As ``find_weights`` raises it.
    """
    return find_weights(CATALOG[name], folder=folder, offline=offline)


def locate_weights(entry: WeightFile, *, folder: Path | None = None) -> Path | None:
    """Find the file as ``find_weights`` does, or return None; nothing is downloaded.

    Args:
        entry: Of the catalog.
        folder: Looked into first.

    Returns:
        The file, or None.

    Raises:
        WeightsError: ``folder`` does not exist.
    """
    chosen = _chosen_folder(folder)
    if chosen and (path := _locate_in(chosen, entry)):
        return path
    # Not before: with a folder of their own, users need no home.
    return _locate_in(user_cache("weights"), entry)


def _size(entry: WeightFile) -> str:
    return f"{entry.mebibytes:.0f} MiB"


def _name_to_use(entry: WeightFile) -> str:
    same = entry.address.endswith(f"/{entry.file}")
    return "" if same else f" as {entry.file}"


def _chosen_folder(folder: Path | None) -> Path | None:
    variable = os.environ.get("VIDSTYLE_WEIGHTS")
    chosen = folder or (Path(variable) if variable else None)
    if chosen and not is_folder(chosen):
        raise WeightsError(f"the folder of weights {chosen} is not there: name another, or make it")
    return chosen


def _locate_in(folder: Path, entry: WeightFile) -> Path | None:
    known = (folder / name for name in known_names(entry))
    path = next(filter(is_file, known), None) or _recognize_in(folder, entry)
    if path:
        logger.info("weights of %s: %s", entry.name, path)
    return path


def _recognize_in(folder: Path, entry: WeightFile) -> Path | None:
    """The file that reaches deepest among those that have the network's keys."""
    found = [header for header in list_headers(folder) if entry.recognizes(header)]
    return max(found, key=_arrays).path if found else None


def _arrays(header: WeightHeader) -> int:
    return len(header.shapes)
