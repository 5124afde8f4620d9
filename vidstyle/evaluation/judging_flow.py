"""Flows that judge: each figure is labelled with the name of the one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.motion import JudgingFlow
from vidstyle.imaging.grey import grey8
from vidstyle.models.raft_weights import RAFT_FILES, RaftSize
from vidstyle.models.weight_places import OFFICIAL, find_file
from vidstyle.runner.device import resolve_device
from vidstyle.stages.flow.dis import DisOptions, dense_search, search_flow
from vidstyle.stages.flow.farneback import FarnebackOptions, expansion_flow

JudgeName: TypeAlias = Literal["raft-small", "raft-large", "farneback", "dis"]

JUDGES: tuple[JudgeName, ...] = get_args(JudgeName)
_UNASKED: tuple[JudgeName, ...] = ("raft-small", "farneback", "dis")
# In the order in which they are taken where the user has no wish.
_RAFT_SIZES: dict[JudgeName, RaftSize] = {"raft-small": "small", "raft-large": "large"}


@dataclass(frozen=True, slots=True)
class Judge:
    """A flow that judges."""

    name: JudgeName
    flow: JudgingFlow
    notes: tuple[str, ...] = ()
    """Why it was not the one that is taken first."""


def choose_judge(
    wanted: JudgeName | None = None,
    *,
    blended_with: JudgeName | None = None,
    weights: Path | None = None,
    device: str = "auto",
) -> Judge:
    """The judge that is wanted, or RAFT-small where its weights are at hand, or else Farnebäck.

    Never the one that a clip was blended with. ``weights`` is a folder, or None for
    ``VIDSTYLE_WEIGHTS`` and the user's cache; only for a judge that is wanted by name a file is
    downloaded. ``device`` is as in ``runner.device``. Raises UsageError where the wanted judge is
    the blend's own flow and WeightsError where its weights cannot be had.
    """
    check_judge(wanted, blended_with=blended_with)
    if wanted is not None:
        return Judge(wanted, _flow(wanted, weights, device, offline=False))
    notes = []
    for name in _UNASKED:
        if name == blended_with:
            notes.append(f"{name} does not judge: the clip was blended with it")
            continue
        try:
            return Judge(name, _flow(name, weights, device, offline=True), tuple(notes))
        except WeightsError as error:
            notes.append(f"{name} does not judge: {error}")
    raise AssertionError("only one judge can be the blend's own, and two need no weights")


def check_judge(wanted: JudgeName | None, *, blended_with: JudgeName | None) -> None:
    """Raise UsageError where the wanted judge is the blend's own flow."""
    if wanted is not None and wanted == blended_with:
        others = ", ".join(name for name in JUDGES if name != wanted)
        raise UsageError(
            f"{wanted} cannot judge what was blended with it: a blend is always right about its"
            f" own motion; choose another judge: {others}"
        )


def farneback(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    """Farnebäck's flow at the defaults, both ways; see ``JudgingFlow``."""
    grey, other = grey8(first), grey8(second)
    options = FarnebackOptions()
    return expansion_flow(grey, other, options), expansion_flow(other, grey, options)


def dis(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    """Dense inverse search with its best preset, both ways; see ``JudgingFlow``."""
    grey, other = grey8(first), grey8(second)
    search = dense_search(DisOptions(preset="medium"))
    return search_flow(search, grey, other), search_flow(search, other, grey)


def _flow(name: JudgeName, weights: Path | None, device: str, *, offline: bool) -> JudgingFlow:
    if name == "farneback":
        return farneback
    if name == "dis":
        return dis
    size = _RAFT_SIZES[name]
    files = RAFT_FILES[size]
    path = find_file(
        f"RAFT-{size}", files.names, OFFICIAL + files.official, folder=weights, offline=offline
    )
    # torch takes seconds to import: only for who is judged by a network.
    from vidstyle.models.raft import load_raft

    resolved = resolve_device(device, needs_torch=True)
    return load_raft(size, weights=path, device=resolved).flows
