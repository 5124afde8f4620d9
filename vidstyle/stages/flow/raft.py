"""Optical flow by RAFT: the most exact, and the slowest without a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vidstyle.core import (
    BaseStage,
    Clip,
    ExecutionContext,
    Layers,
    Needs,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.context import Precision
from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file
from vidstyle.imaging.flow_pair import (
    Directions,
    flow_layers,
    layers_of_flows,
    no_flow,
)
from vidstyle.models.flow.raft_setup import RaftSize, auto_scale, find_raft
from vidstyle.models.style.backends import PrecisionChoice


class RaftOptions(StageOptions):
    model: RaftSize = Field(
        "small", description="large is more accurate and takes about twice as long."
    )
    iterations: int = Field(
        12,
        ge=1,
        le=64,
        description="Refinement steps of the network. Time grows with their number.",
    )
    scale: Annotated[float, Field(gt=0, le=1)] | Literal["auto"] = Field(
        "auto",
        description="Flow is computed on images of this size, relative to the frame. Memory"
        " grows with its fourth power. auto stays within 1280x720 pixels.",
    )
    precision: PrecisionChoice = Field(
        "auto",
        description="Precision of the network's layers. auto is float16 on a GPU and float32"
        " on a processor.",
    )
    directions: Directions = Field(
        "to_previous",
        description="both also computes visible_from_previous, which stylize/gatys-multipass"
        " needs.",
    )
    weights: str | None = Field(
        None,
        description="A weight file with torchvision's keys (.safetensors or .pth). If not"
        " set, it is searched for in the folder VIDSTYLE_WEIGHTS and in the user's"
        " cache, and else downloaded from torchvision.",
    )
    offline: bool = Field(False, description="Never download weights.")


class Raft(BaseStage[RaftOptions]):
    """Optical flow by the network RAFT (Teed, Deng 2020). The most accurate; slow without a GPU.

    Both directions are computed at once. Writes ``flow``, ``visible`` and
    ``flow_from_previous``; on the first frame of a shot all are 0.
    Weights that are missing or damaged raise WeightsError before the first frame.
    """

    Options = RaftOptions

    def __init__(self, options: RaftOptions) -> None:
        super().__init__(options)
        self.needs = Needs(
            reads={"source": Reach(behind=1)},
            writes=flow_layers(options.directions),
            home="device",
        )

    def describe(self, clip: Clip) -> Clip:
        # Looked at here, so that a plan already names a file that is not there.
        if self.options.weights is not None or self.options.offline:
            _weights(self.options)
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> RaftOptions:
        resolved = {
            "scale": _scale(self.options, clip),
            "precision": _precision(self.options, context),
        }
        return self.options.model_copy(update=resolved)

    def files(self) -> Sequence[Path]:
        return [_weights(self.options)]

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        from vidstyle.models.flow.raft import load_raft

        self._scale = _scale(self.options, clip)
        self._raft = load_raft(
            self.options.model,
            weights=_weights(self.options),
            device=context.device,
            precision=_precision(self.options, context),
            iterations=self.options.iterations,
        )

    def step(self, window: Window[RaftOptions], state: State) -> tuple[Layers, State]:
        now, directions = window.now.tensor("source"), self.options.directions
        height, width = now.shape[1:]
        if not window.behind:
            layers = no_flow(height, width, directions)
        else:
            previous = window.behind[0].tensor("source")
            there, back = self._raft.scaled_flows(now, previous, self._scale)
            layers = layers_of_flows(there, back, directions)
        # Stages that read flow are at home on the host: there it stays.
        return layers, None


def _weights(options: RaftOptions) -> Path:
    """The file itself, or where it is found. Raises WeightsError where it is not."""
    if options.weights is None:
        return find_raft(options.model, offline=options.offline)
    if is_file(path := Path(options.weights)):
        return path
    raise WeightsError(f"{path} is not there, or is not a file: name the weights of RAFT")


def _scale(options: RaftOptions, clip: Clip) -> float:
    if options.scale == "auto":
        return auto_scale(clip.height, clip.width)
    return options.scale


def _precision(options: RaftOptions, context: ExecutionContext) -> Precision:
    if options.precision == "auto":
        return "float32" if context.device == "cpu" else "float16"
    return options.precision


STAGE = Raft
