"""Optical flows that evaluate; every score is labeled with the name of its evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from vidstyle.core.errors import DeviceError, UsageError, WeightsError, is_out_of_memory
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.motion import PairFlow
from vidstyle.imaging.derived import gray8
from vidstyle.imaging.flow_pair import reduced_size
from vidstyle.models.flow.raft_setup import RaftSize, auto_scale, find_raft
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import locate_weights
from vidstyle.runner.plan.device import resolve_device
from vidstyle.stages.flow.dis import DisOptions, dense_search, search_flow
from vidstyle.stages.flow.farneback import FarnebackOptions, expansion_flow

if TYPE_CHECKING:
    import torch

    from vidstyle.models.flow.raft import RaftNetwork

EvaluatorName: TypeAlias = Literal["raft-small", "raft-large", "farneback", "dis"]

EVALUATORS: tuple[EvaluatorName, ...] = get_args(EvaluatorName)
# In the order in which they are tried where the user names none.
_DEFAULTS: tuple[EvaluatorName, ...] = ("raft-small", "farneback", "dis")
_RAFT_SIZES: dict[EvaluatorName, RaftSize] = {"raft-small": "small", "raft-large": "large"}


@dataclass(frozen=True, slots=True)
class Evaluator:
    """An optical flow that evaluates."""

    name: EvaluatorName
    flow: PairFlow
    notes: tuple[str, ...] = ()
    """Why a preferred evaluator is not used, and whether this one sees images reduced."""


def choose_evaluator(
    wanted: EvaluatorName | None = None,
    *,
    blended_with: EvaluatorName | None = None,
    weights: Path | None = None,
    device: str = "auto",
    size: tuple[int, int] | None = None,
) -> Evaluator:
    """Give the wanted evaluator, else RAFT-small where its weights are at hand, else Farnebäck.

    Args:
        wanted: A name, or None for the first of RAFT-small, Farnebäck and DIS that can be used.
            Only for a name a file is downloaded.
        blended_with: The flow that the clip was blended with; it never evaluates.
        weights: A folder, or None for ``VIDSTYLE_WEIGHTS`` and the user's cache.
        device: As ``resolve_device`` reads it.
        size: Width and height of the images, if known. RAFT sees large ones reduced, which the
            notes then say.

    Returns:
        The evaluator, with notes on the choice.

    Raises:
        UsageError: The wanted evaluator is the blend's own flow.
        WeightsError: Its weights cannot be had.
        DeviceError: The device is absent, or has too little memory; a flow by RAFT may also raise
            it later.
    """
    check_evaluator(wanted, blended_with=blended_with)
    if wanted is not None:
        flow = _load_flow(wanted, weights, device, offline=False)
        return Evaluator(wanted, flow, tuple(_reduction(wanted, size)))
    notes: list[str] = []
    for name in _DEFAULTS:
        if name == blended_with:
            notes.append(f"{name} does not evaluate: the clip was blended with it")
            continue
        if name in CATALOG and locate_weights(CATALOG[name], folder=weights) is None:
            # Without folders and addresses: reports show the notes, and are passed on.
            notes.append(
                f"{name} does not evaluate: its weights are not on this machine; `vidstyle weights"
                f" pull {name}` fetches them"
            )
            continue
        try:
            flow = _load_flow(name, weights, device, offline=True)
        except WeightsError as error:
            notes.append(f"{name} does not evaluate: {error}")
        else:
            return Evaluator(name, flow, (*notes, *_reduction(name, size)))
    raise AssertionError("only one evaluator can be the blend's own, and two need no weights")


def check_evaluator(wanted: EvaluatorName | None, *, blended_with: EvaluatorName | None) -> None:
    """Check that the blend's own flow does not evaluate it.

    Args:
        wanted: A name, or None for any.
        blended_with: The flow that the clip was blended with.

    Raises:
        UsageError: They are the same.
    """
    if wanted is not None and wanted == blended_with:
        others = ", ".join(name for name in EVALUATORS if name != wanted)
        raise UsageError(
            f"{wanted} cannot evaluate what was blended with it: a blend is always right about"
            f" its own motion; choose another evaluator: {others}"
        )


def farneback(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    """Compute Farnebäck's flow at the defaults, both ways; see ``PairFlow``.

    Args:
        first: (H, W, 3) RGB in [0, 1].
        second: Of the same shape.

    Returns:
        (H, W, 2) pixels, from the first to the second and back.
    """
    gray, other = gray8(first), gray8(second)
    options = FarnebackOptions()
    return expansion_flow(gray, other, options), expansion_flow(other, gray, options)


def dis(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    """Compute dense inverse search with its best preset, both ways; see ``PairFlow``.

    Args:
        first: (H, W, 3) RGB in [0, 1].
        second: Of the same shape.

    Returns:
        (H, W, 2) pixels, from the first to the second and back.
    """
    gray, other = gray8(first), gray8(second)
    search = dense_search(DisOptions(preset="medium"))
    return search_flow(search, gray, other), search_flow(search, other, gray)


def weights_file(name: EvaluatorName, folder: Path | None = None, *, offline: bool) -> Path | None:
    """Find the file of an evaluator's weights.

    Args:
        name: Of the evaluator.
        folder: As ``weights`` of ``choose_evaluator``.
        offline: Whether not to download a file that is missing.

    Returns:
        The file; None where the evaluator has none.

    Raises:
        WeightsError: The file cannot be had.
    """
    size = _RAFT_SIZES.get(name)
    return None if size is None else find_raft(size, folder=folder, offline=offline)


@contextmanager
def enough_memory(work: str, remedy: str) -> Iterator[None]:
    """Turn a failed allocation, of whatever library, into a DeviceError.

    Args:
        work: What ran out of memory.
        remedy: What a user can do.

    Yields:
        Nothing.

    Raises:
        DeviceError: An allocation has failed.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(f"{work}: out of memory; {remedy}") from error


class _RaftFlow:
    """RAFT as an evaluator; see ``PairFlow``."""

    def __init__(self, name: EvaluatorName, raft: RaftNetwork) -> None:
        self._name, self._raft = name, raft

    def __call__(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        height, width = first.shape[:2]
        with enough_memory(f"{self._name} on images of {width}x{height}", _REMEDY):
            pair = _to_tensor(first), _to_tensor(second)
            return self._raft.scaled_flows(*pair, auto_scale(height, width))


_REMEDY = "free some, choose another --device, or use --evaluator farneback"


def _load_flow(
    name: EvaluatorName, weights: Path | None, device: str, *, offline: bool
) -> PairFlow:
    if name == "farneback":
        return farneback
    if name == "dis":
        return dis
    path = weights_file(name, weights, offline=offline)
    # torch takes seconds to import: only an evaluator with a network needs it.
    from vidstyle.models.flow.raft import load_raft

    resolved = resolve_device(device, needs_torch=True)
    with enough_memory(name, _REMEDY):
        return _RaftFlow(name, load_raft(_RAFT_SIZES[name], weights=path, device=resolved))


def _reduction(name: EvaluatorName, size: tuple[int, int] | None) -> Iterator[str]:
    """The note on an evaluator that sees images of this width and height reduced."""
    if size is None or name not in _RAFT_SIZES:
        return
    width, height = size
    scale = auto_scale(height, width)
    if scale < 1:
        small_height, small_width = reduced_size(height, width, scale)
        yield (
            f"{name} sees images of {width}x{height} reduced to {small_width}x{small_height}"
            f" ({scale:.2f} times): larger ones take too much memory"
        )


def _to_tensor(image: HostArray) -> torch.Tensor:
    import torch

    # A copy: torch warns of arrays that are read-only, as frames are.
    return torch.from_numpy(np.array(image, np.float32)).permute(2, 0, 1)
