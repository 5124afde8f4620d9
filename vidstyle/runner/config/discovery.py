"""The registry of stages: built-in ones, installed packages, and plugin folders.

Packages offer stages by entry points in the group ``vidstyle.stages``. A stage is imported when it
is used or listed. Nothing is loaded from the current folder unless the user names it: a downloaded
folder would then run code. There is no precedence: a name with two owners is an error, raised
when a pipeline uses that name.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from vidstyle.core.errors import PipelineError, PluginError
from vidstyle.core.paths import is_file, is_folder
from vidstyle.runner.config.offers import (
    BrokenError,
    Offer,
    load_stage_class,
    offer_built_in,
    offer_entry_point,
    offer_folder,
    summarize,
)
from vidstyle.runner.config.plugin_lines import GROUP
from vidstyle.runner.config.stage_list import USE
from vidstyle.runner.config.suggest import LONGEST, abbreviate, did_you_mean
from vidstyle.runner.config.yaml_values import Where

_MODULE = str.maketrans("/-", "._")
# From the name of a stage to the name of its module.
BUILT_IN = {
    name: f"vidstyle.stages.{name.translate(_MODULE)}:STAGE"
    for name in (
        "decode/pyav",
        "decode/images",
        "shots/histogram",
        "flow/dis",
        "flow/farneback",
        "flow/raft",
        "stylize/feedforward",
        "stylize/gatys",
        "stylize/gatys-multipass",
        "filter/compare",
        "filter/follow-motion",
        "filter/keep-colors",
        "filter/mask",
        "filter/repair",
        "geometry/crop",
        "geometry/pad",
        "geometry/reduce",
        "geometry/restore",
        "geometry/scale",
        "blend/warped",
        "encode/pyav",
        "encode/images",
    )
}
ENVIRONMENT = "VIDSTYLE_PLUGINS"


def folders_from_environment() -> tuple[Path, ...]:
    """The folders of VIDSTYLE_PLUGINS, separated as in PATH. Empty items are skipped."""
    return tuple(Path(item) for item in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if item)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line in the list of stages."""

    name: str
    """``kind/name``."""
    owner: str
    """``vidstyle``, ``package X`` or the plugin's file."""
    summary: str
    """First paragraph of its documentation; empty without one, and for a broken stage."""
    broken: str | None = None
    """Why it cannot be used, in one line; None where it can."""


class Registry:
    """All stages, by name."""

    def __init__(self, plugin_folders: Sequence[Path] = ()) -> None:
        """Collect the offers; runs no plugin. Raises PluginError for a folder that is missing."""
        self.folders = tuple(dict.fromkeys(folder.resolve() for folder in plugin_folders))
        """The plugin folders, absolute. ``Registry(folders)`` makes an equal registry."""
        self._offers: dict[str, list[Offer]] = {}
        self._loaded: dict[str, type[Any] | BrokenError] = {}
        for offer in _collect(self.folders):
            self._offers.setdefault(offer.name, []).append(offer)

    def find(self, use: str, where: Where | None = None) -> type[Any]:
        """Import and return the class of a stage; its ``Options`` are a StageOptions.

        Raises PipelineError where no stage has that name, and PluginError where it is broken or
        claimed twice. The message begins with ``where``.
        """
        position = f"{where}: " if where else ""
        offers = self._offers.get(use, [])
        if not offers:
            raise PipelineError(f"{position}{_unknown(use, self._offers)}")
        if len(offers) > 1:
            owners = " and by ".join(offer.owner for offer in offers)
            raise PluginError(f"{position}{use} is claimed by {owners}; rename or remove one")
        stage = self._load(offers[0])
        if isinstance(stage, BrokenError):
            owner = offers[0].owner
            raise PluginError(f"{position}the stage {use} of {owner} is broken: {stage}") from stage
        return stage

    def list(self) -> Sequence[Listed]:
        """Every offer, sorted by name. Imports plugins, but no built-in stage."""
        return [
            self._line(offer, offers)
            for _, offers in sorted(self._offers.items())
            for offer in offers
        ]

    def _line(self, offer: Offer, offers: Sequence[Offer]) -> Listed:
        others = [other.owner for other in offers if other is not offer]
        if others:
            reason = f"also claimed by {', '.join(others)}; rename or remove one"
            return Listed(offer.name, offer.owner, "", reason)
        stage = None if offer.summary else self._load(offer)
        if isinstance(stage, BrokenError):
            return Listed(offer.name, offer.owner, "", str(stage))
        try:
            return Listed(offer.name, offer.owner, summarize(offer, stage))
        except BrokenError as reason:
            return Listed(offer.name, offer.owner, "", str(reason))

    def _load(self, offer: Offer) -> type[Any] | BrokenError:
        if offer.name not in self._loaded:
            try:
                self._loaded[offer.name] = load_stage_class(offer)
            except BrokenError as reason:
                self._loaded[offer.name] = reason
        return self._loaded[offer.name]


def _collect(plugin_folders: Sequence[Path]) -> Iterator[Offer]:
    for name, target in BUILT_IN.items():
        yield offer_built_in(name, target)
    for entry in _installed(tuple(sys.path)):
        yield _check_name(offer_entry_point(entry))
    for folder in plugin_folders:
        if not is_folder(folder):
            raise PluginError(_no_folder(folder))
        offers = list(offer_folder(folder))
        files = [] if offers else sorted(folder.glob("[!_.]*.py"))
        if files:
            raise PluginError(
                f"{_shown(folder)}: holds no kind/name.py, but {files[0].name} itself; name the"
                f" folder above it: {_option(folder.parent)}"
            )
        yield from map(_check_name, offers)


def _no_folder(path: Path) -> str:
    """The message about a plugin folder that is none: the file of a stage, or nothing."""
    if path.suffix == ".py" and is_file(path):
        return (
            f"{_shown(path)}: is a file; name the folder above {path.parent.name}/{path.name}:"
            f" {_option(path.parent.parent)}"
        )
    return f"{_shown(path)}: is not a folder; name one that holds kind/name.py"


def _option(folder: Path) -> str:
    return f"--plugins {shlex.quote(str(_shown(folder)))}"


def _shown(path: Path) -> Path:
    """As a user types it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@cache
def _installed(search_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The stages of packages in these folders. A file of each package is read: once is enough."""
    return tuple(entry_points(group=GROUP))


def _unknown(use: str, names: Iterable[str]) -> str:
    """The message about a name that no stage has: the stages of its kind, the nearest first."""
    kind, _, own = use.partition("/")
    alike = sorted(name.partition("/")[2] for name in names if name.startswith(f"{kind}/"))
    near = get_close_matches(own[:LONGEST], alike)
    if alike:
        listed = [f"{kind}/{name}" for name in dict.fromkeys([*near, *alike])]
        guess = f" Did you mean {listed[0]}?" if near else ""
        known = f"{guess} Stages of the kind {kind}: {', '.join(listed)}."
    else:
        known = did_you_mean(use, names)
    return (
        f"there is no stage {abbreviate(use)}.{known} Name a folder of other stages with --plugins."
    )


def _check_name(offer: Offer) -> Offer:
    """The offer itself, or a broken one where its name has a wrong form."""
    if USE.fullmatch(offer.name):
        return offer

    def refuse() -> object:
        raise BrokenError("its name must be kind/name of a-z, 0-9, _ and -; rename it")

    return Offer(offer.name, offer.owner, refuse)
