"""Any optical flow model of ptlflow. A worked example of a stage on a device with its own library.

ptlflow (Morimitsu 2021) collects some ninety published networks. `make setup` installs it.
Elsewhere: pip install 'vidstyle[ptlflow]', and then, so that no second OpenCV is installed,
pip install --no-deps 'ptlflow>=0.4.2,<0.5'.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from vidstyle.core import (
    BaseStage,
    Clip,
    ExecutionContext,
    HostArray,
    Layers,
    Needs,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.errors import PipelineError, PluginError, WeightsError
from vidstyle.imaging.flow_pair import (
    Directions,
    enlarged_flow,
    flow_layers,
    layers_of_flows,
    no_flow,
    reduced_size,
)

if TYPE_CHECKING:
    import torch

LEAST_SIDE = 128  # of what a network sees: below, the coarsest levels of many are empty


class PtlflowOptions(StageOptions):
    """What a pipeline can set."""

    model: str = Field(description="A model of ptlflow, such as raft, sea_raft_s or neuflow2.")
    checkpoint: str = Field(
        description="A checkpoint file, or a name that ptlflow knows, such as things, which"
        " is downloaded once."
    )
    scale: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Flow is computed on images of this size, relative to the frame.",
    )
    directions: Directions = Field(
        "to_previous",
        description="both also computes visible_from_previous, which stylize/gatys-multipass"
        " needs.",
    )
    offline: bool = Field(False, description="Never download a checkpoint.")


class Ptlflow(BaseStage[PtlflowOptions]):
    """Optical flow by any model of ptlflow (Morimitsu 2021) that compares two images.

    Writes ``flow``, ``visible`` and ``flow_from_previous``; on the first frame of a shot all are
    0. Nothing in a checkpoint is run.
    """

    Options = PtlflowOptions

    def __init__(self, options: PtlflowOptions) -> None:
        super().__init__(options)
        self.needs = Needs(
            reads={"source": Reach(behind=1)},
            writes=flow_layers(options.directions),
            home="device",
        )

    def describe(self, clip: Clip) -> Clip:
        # Only looked for: to import it takes seconds, and the plan is to be quick.
        if importlib.util.find_spec("ptlflow") is None:
            raise PluginError(
                "flow/ptlflow needs ptlflow: pip install 'vidstyle[ptlflow]', then"
                " pip install --no-deps 'ptlflow>=0.4.2,<0.5'"
            )
        return clip

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self.describe(clip)
        with _quiet():
            network = _restored(importlib.import_module("ptlflow"), self.options)
        self._network = network.eval().requires_grad_(False).to(context.device)

    def step(self, window: Window[PtlflowOptions], state: State) -> tuple[Layers, State]:
        now, directions = window.now.tensor("source"), self.options.directions
        height, width = now.shape[1:]
        if not window.behind:
            return no_flow(height, width, directions), None
        previous = window.behind[0].tensor("source")
        there, back = (
            enlarged_flow(flow, height, width)
            for flow in both_ways(self._network, now, previous, self.options.scale)
        )
        return layers_of_flows(there, back, directions), None


def both_ways(
    network: Any, first: torch.Tensor, second: torch.Tensor, scale: float
) -> tuple[HostArray, HostArray]:
    """Flow (h, w, 2) from ``first`` to ``second``, (3, H, W) RGB in [0, 1], and back.

    Both are of images reduced by ``scale``, and in pixels of those.
    """
    import torch

    pair = torch.stack((first, second)).flip(1)  # to BGR
    height, width = reduced_size(pair.shape[2], pair.shape[3], scale)
    with torch.inference_mode():
        padded = _padded(pair, height, width)
        flows = network({"images": torch.stack((padded, padded.flip(0)), dim=1)})["flows"]
    hosts = flows[:, 0, :, :height, :width].float().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return hosts[0], hosts[1]


def _padded(pair: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Reduced to that size, and its edge repeated where that is too small for a network."""
    from torch.nn.functional import interpolate, pad

    if (height, width) != pair.shape[2:]:
        pair = interpolate(pair, (height, width), mode="bilinear", antialias=True)
    missing = (0, max(0, LEAST_SIDE - width), 0, max(0, LEAST_SIDE - height))
    return pad(pair, missing, mode="replicate")


def _restored(ptlflow: Any, options: PtlflowOptions) -> Any:
    """The model with its weights. Raises PipelineError or WeightsError with what there is."""
    names = ptlflow.get_model_names()
    if options.model not in names:
        close = difflib.get_close_matches(options.model, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
        raise PipelineError(f"ptlflow has no model {options.model}: {hint}")
    known = dict(getattr(ptlflow.get_model_reference(options.model), "pretrained_checkpoints", {}))
    if not Path(options.checkpoint).is_file():
        _check_known(options, known)
    try:
        return ptlflow.get_model(options.model, ckpt_path=options.checkpoint)
    # Its loader lets through whatever a damaged file or a lost connection raises.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise WeightsError(
            f"cannot load the checkpoint {options.checkpoint} of ptlflow's {options.model}"
            f" ({reason})"
        ) from error


def _check_known(options: PtlflowOptions, known: dict[str, str]) -> None:
    """Raise WeightsError for what is neither a file nor a name, or not to be fetched."""
    import torch

    if options.checkpoint not in known:
        there = f"the names of {options.model}: {', '.join(known) or 'none'}"
        raise WeightsError(f"the checkpoint {options.checkpoint} is no file, nor among {there}")
    address = known[options.checkpoint]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    if options.offline and not (folder / address.rpartition("/")[2]).is_file():
        raise WeightsError(
            f"the checkpoint {options.checkpoint} of ptlflow's {options.model} is not there, and"
            f" nothing is downloaded while offline: fetch {address} and put it into {folder}"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What ptlflow prints must not reach standard output, which programs read.

    For ``open`` alone: it holds for the whole process, and while frames are being made other
    threads write their events.
    """
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


STAGE = Ptlflow
