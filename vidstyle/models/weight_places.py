"""Where files of weights are sought, in the order that all networks share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file, is_folder
from vidstyle.models.download import fetched, user_cache

logger = logging.getLogger(__name__)

OFFICIAL = "https://download.pytorch.org/models/"
"""Where torchvision's files are downloaded from."""


def find_file(
    network: str,
    known: Iterable[str],
    address: str,
    *,
    folder: Path | None = None,
    offline: bool = False,
) -> Path:
    """The file of a network's weights, by the first of the ``known`` names that is there.

    Sought in ``folder``, or without one in the folder that ``VIDSTYLE_WEIGHTS`` names, then in
    the user's cache; last, unless ``offline``, the file of ``address`` is fetched to the cache
    (``download.fetched``). ``network`` is what the error calls it.

    Raises WeightsError where there is none and it is not, or cannot be, downloaded, and where
    the folder is not there.
    """
    names = tuple(known)
    chosen = _chosen_folder(folder)
    if chosen and (path := _first(chosen, network, names)):
        return path
    # Not before: who names a folder needs no home.
    cache = user_cache("weights")
    if path := _first(cache, network, names):
        return path
    if offline:
        places = [place for place in (chosen, cache) if place]
        raise WeightsError(
            f"there are no weights of {network} in {' or '.join(map(str, places))}, and nothing is "
            f"downloaded while offline: fetch {address} and put it into {places[0]}"
        )
    return fetched(address, cache)


def _chosen_folder(folder: Path | None) -> Path | None:
    variable = os.environ.get("VIDSTYLE_WEIGHTS")
    chosen = folder or (Path(variable) if variable else None)
    if chosen and not is_folder(chosen):
        raise WeightsError(f"the folder of weights {chosen} is not there: name another, or make it")
    return chosen


def _first(place: Path, network: str, names: Iterable[str]) -> Path | None:
    for name in names:
        if is_file(path := place / name):
            logger.info("weights of %s: %s", network, path)
            return path
    return None
