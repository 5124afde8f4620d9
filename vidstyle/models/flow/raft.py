"""RAFT: optical flow by a network that corrects its guess again and again (Teed, Deng 2020).

The layers and weights are torchvision's. What runs them is written here: both directions of a
pair share their features, and only the last of the guesses is brought to full size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from vidstyle.core.context import Precision
from vidstyle.core.layers import HostArray
from vidstyle.models.flow.raft_weights import RaftSize, find_raft
from vidstyle.models.weights.arrays import checked_array, read_arrays
from vidstyle.models.weights.safetensors_file import check_keys

__all__ = ["LEAST_SIDE", "STRIDE", "Raft", "RaftSize", "load_raft"]

STRIDE = 8
"""Sides of what the network sees are multiples of this."""
LEAST_SIDE = 128
"""And at least this: its coarsest correlations would be empty below."""


def load_raft(
    size: RaftSize,
    *,
    weights: Path | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
    iterations: int = 12,
    offline: bool = False,
) -> Raft:
    """RAFT with trained weights, ready for use on the device.

    ``small`` has 1 million parameters, ``large`` 5.3 million. The weights are the file
    ``weights`` or what ``raft_weights.find_raft`` finds. ``precision`` is that of convolutions;
    correlations, coordinates and flow are float32 always, as the authors have them.
    ``iterations`` is how often the guess is corrected; 12 is what the published figures are of.

    Raises ValueError for a size that there is not or no iterations, and WeightsError where there
    is no file, it cannot be fetched, or it is damaged or of another layout.
    """
    if iterations < 1:
        raise ValueError(f"a flow takes at least 1 iteration, got {iterations}")
    path = weights or find_raft(size, offline=offline)
    network = _empty_network(size)
    network.load_state_dict(_read(path, network.state_dict()), assign=True)
    return Raft(network.to(device), precision=precision, iterations=iterations)


class Raft:
    """Optical flow between two images, both ways at once. One thread may use it at a time."""

    def __init__(self, network: nn.Module, *, precision: Precision, iterations: int) -> None:
        """``network`` may lie on any device; its weights are float32 and no longer change."""
        self.precision = precision
        self.iterations = iterations
        # Untyped, since its parts have methods that no module of torch has.
        self._network: Any = network.eval().requires_grad_(False)
        self._device = next(network.parameters()).device

    def flows(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        """Flow from ``first`` to ``second`` and the other way, each on the grid it begins at.

        Images are (H, W, 3) float32 RGB in [0, 1], of any one size; flows are (H, W, 2)
        float32 in pixels. Raises ValueError for images of two sizes or another form.
        """
        forward, backward = self.tensor_flows(_tensor(first), _tensor(second))
        return _host(forward), _host(backward)

    def tensor_flows(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``flows``: images (3, H, W) on any device, flows (2, H, W) on the network's."""
        if first.shape != second.shape or first.ndim != 3 or first.shape[0] != 3:
            raise ValueError(
                "RAFT compares two RGB images of one size, got"
                f" {tuple(first.shape)} and {tuple(second.shape)}"
            )
        height, width = first.shape[1:]
        bottom, right = _missing(height), _missing(width)
        pair = torch.stack((first.to(self._device), second.to(self._device)))
        pair = functional.pad(pair * 2 - 1, (0, right, 0, bottom), mode="replicate")
        with torch.inference_mode(), self._computing():
            flows = self._both_ways(pair)[..., :height, :width]
        return flows[0], flows[1]

    def _computing(self) -> torch.autocast:
        kind = getattr(torch, self.precision)
        return torch.autocast(self._device.type, kind, enabled=kind is not torch.float32)

    def _both_ways(self, pair: torch.Tensor) -> torch.Tensor:
        """(2, 2, H, W): from the first image to the second, and back. Sides are multiples of 8.

        Section 3 of the paper, with the features of each image computed once.
        """
        network = self._network
        features = network.feature_encoder(pair)
        with torch.autocast(self._device.type, enabled=False):
            # Half of the bits would save nothing: a sample of them is taken in float32, for which
            # each step would turn all of them into that again.
            whole = features.float()
            network.corr_block.build_pyramid(whole, whole.flip(0))
        hidden_size = network.update_block.hidden_state_size
        hidden, context = network.context_encoder(pair).tensor_split((hidden_size,), dim=1)
        hidden, context = hidden.tanh(), context.relu()
        start = _grid(features)
        points = start
        for _ in range(self.iterations):
            seen = network.corr_block.index_pyramid(centroids_coords=points)
            hidden, step = network.update_block(hidden, context, seen, points - start)
            points = points + step
        # The pyramid is the bulk of the memory, and the block would hold it until the next pair.
        network.corr_block.corr_pyramid = []
        return self._enlarged((points - start).float(), hidden)

    def _enlarged(self, flow: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Coarse flow (N, 2, h, w), in coarse pixels, at 8 times its size and in those pixels."""
        predictor = self._network.mask_predictor
        if predictor is None:
            larger = functional.interpolate(
                flow, scale_factor=STRIDE, mode="bilinear", align_corners=True
            )
            return larger * STRIDE
        return _convex(flow * STRIDE, predictor(hidden).float())


def _convex(flow: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Each fine pixel a mean of 3x3 coarse ones, weighed by the network (paper, section 3.3).

    ``flow`` is (N, 2, h, w), ``weights`` (N, 9 * 8 * 8, h, w) before their softmax.
    """
    count, channels, height, width = flow.shape
    shares = weights.view(count, 1, 9, STRIDE, STRIDE, height, width).softmax(dim=2)
    around = functional.unfold(flow, 3, padding=1).view(count, channels, 9, 1, 1, height, width)
    fine = (shares * around).sum(dim=2).permute(0, 1, 4, 2, 5, 3)
    return fine.reshape(count, channels, STRIDE * height, STRIDE * width)


def _empty_network(size: RaftSize) -> nn.Module:
    # It takes seconds to import, and is not wanted by who only looks for weights.
    from torchvision.models import optical_flow  # type: ignore[import-untyped]  # it has no types

    make = {"small": optical_flow.raft_small, "large": optical_flow.raft_large}
    if size not in make:
        raise ValueError(f"there is no RAFT of size {size}; there are {', '.join(make)}")
    with torch.device("meta"):
        return cast("nn.Module", make[size](weights=None, progress=False))


def _read(path: Path, empty: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Counters of training steps, which some files lack; nothing here counts on.
    counters = {key: torch.zeros((), dtype=torch.int64) for key in empty if _counts(key)}
    found = {key: value for key, value in read_arrays(path).items() if not _counts(key)}
    wanted = {key: tuple(value.shape) for key, value in empty.items() if not _counts(key)}
    check_keys(path, found, wanted)
    return counters | {
        key: checked_array(path, key, found[key], shape) for key, shape in wanted.items()
    }


def _counts(key: str) -> bool:
    return key.endswith(".num_batches_tracked")


def _missing(side: int) -> int:
    """Pixels that a side lacks to the least multiple of 8 that the network takes."""
    return max(LEAST_SIDE - side, -side % STRIDE)


def _grid(features: torch.Tensor) -> torch.Tensor:
    """Where each coarse pixel lies, (N, 2, h, w) float32: column, then row."""
    count, _, height, width = features.shape
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=torch.float32, device=features.device),
        torch.arange(width, dtype=torch.float32, device=features.device),
        indexing="ij",
    )
    return torch.stack((columns, rows)).expand(count, -1, -1, -1)


def _tensor(image: HostArray) -> torch.Tensor:
    # A copy: torch warns of arrays that are read-only, as layers are.
    return torch.from_numpy(np.array(image, np.float32)).permute(2, 0, 1)


def _host(flow: torch.Tensor) -> HostArray:
    return np.ascontiguousarray(flow.permute(1, 2, 0).cpu().numpy())
