"""Where files of weights are sought, in the order that all networks share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file, is_folder
from vidstyle.models.weights.catalog import CATALOG, KNOWN_FILES, OFFICIAL, WeightFile
from vidstyle.models.weights.download import Watch, fetched, user_cache

__all__ = ["OFFICIAL", "find_backbone", "find_file", "find_official", "where_it_lies"]

logger = logging.getLogger(__name__)


def find_file(
    network: str,
    known: Iterable[str],
    address: str | WeightFile,
    *,
    folder: Path | None = None,
    offline: bool = False,
    watch: Watch | None = None,
) -> Path:
    """The file of a network's weights, by the first of the ``known`` names that is there.

    Sought in ``folder``, or without one in the folder that ``VIDSTYLE_WEIGHTS`` names, then in
    the user's cache; last, unless ``offline``, the file of ``address`` is fetched to the cache
    (``download.fetched``). ``network`` is what the error calls it.

    Raises WeightsError where there is none and it is not, or cannot be, downloaded, and where
    the folder is not there.
    """
    official = address if isinstance(address, WeightFile) else _unlisted(network, address)
    if path := where_it_lies(network, known, folder=folder):
        return path
    cache = user_cache("weights")
    if offline:
        places = [position for position in (_chosen_folder(folder), cache) if position]
        raise WeightsError(
            f"there are no weights of {network} in {' or '.join(map(str, places))}, and nothing is "
            f"downloaded while offline: fetch {official.address} and put it into {places[0]}"
            + _named(official)
        )
    return fetched(
        official.address, cache, name=official.file, checked=official.checked, watch=watch
    )


def find_backbone(name: str, *, folder: Path | None, offline: bool) -> Path:
    """The file of a loss network's weights; see ``find_file`` for where it is sought."""
    return find_file(name, KNOWN_FILES[name], CATALOG[name], folder=folder, offline=offline)


def find_official(
    official: WeightFile, *, offline: bool = False, watch: Watch | None = None
) -> Path:
    """The file of the catalog itself; see ``find_file`` for where it is sought."""
    return find_file(official.name, [official.file], official, offline=offline, watch=watch)


def where_it_lies(network: str, known: Iterable[str], *, folder: Path | None = None) -> Path | None:
    """The first of the ``known`` files that is there, in the order of ``find_file``; nothing is
    fetched. Raises WeightsError where the folder is not there."""
    names = tuple(known)
    chosen = _chosen_folder(folder)
    if chosen and (path := _first(chosen, network, names)):
        return path
    # Not before: who names a folder needs no home.
    return _first(user_cache("weights"), network, names)


def _unlisted(network: str, address: str) -> WeightFile:
    return WeightFile(network, address, address.rpartition("/")[2], 0.0, "")


def _named(official: WeightFile) -> str:
    """How the file is to be called, where its address calls it otherwise."""
    same = official.address.endswith(f"/{official.file}")
    return "" if same else f" as {official.file}"


def _chosen_folder(folder: Path | None) -> Path | None:
    variable = os.environ.get("VIDSTYLE_WEIGHTS")
    chosen = folder or (Path(variable) if variable else None)
    if chosen and not is_folder(chosen):
        raise WeightsError(f"the folder of weights {chosen} is not there: name another, or make it")
    return chosen


def _first(position: Path, network: str, names: Iterable[str]) -> Path | None:
    for name in names:
        if is_file(path := position / name):
            logger.info("weights of %s: %s", network, path)
            return path
    return None
