"""RAFT: optical flow by a network that corrects its estimate again and again (Teed, Deng 2020).

The layers and weights are torchvision's. What runs them is written here: both directions of a
pair share their features, and only the last of the estimates is brought to full size.
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
from vidstyle.imaging.flow_pair import enlarged_flow, reduced_size
from vidstyle.models.flow.raft_setup import RaftSize, find_raft
from vidstyle.models.weights.safetensors_file import check_keys
from vidstyle.models.weights.torch_file import checked_array, read_arrays

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
) -> RaftNetwork:
    """Load RAFT with trained weights, ready for use on a device.

    Args:
        size: Which of the authors' two networks.
        weights: Their file; by default what ``find_raft`` finds.
        device: As torch names it.
        precision: Of convolutions; correlations, coordinates and flow are float32 always, as in the
            authors' code.
        iterations: How often the estimate is corrected, at least once. Published results are of 12.
        offline: Whether not to download weights that are missing.

    Returns:
        The network.

    Raises:
        ValueError: There is no such size, or there are no iterations.
        WeightsError: There is no file, it cannot be fetched, or it is damaged or of another layout.
    """
    if iterations < 1:
        raise ValueError(f"a flow takes at least 1 iteration, got {iterations}")
    path = weights or find_raft(size, offline=offline)
    network = _empty_network(size)
    network.load_state_dict(_read(path, network.state_dict()), assign=True)
    return RaftNetwork(network.to(device), precision=precision, iterations=iterations)


class RaftNetwork:
    """Optical flow between two images, both ways at once. One thread may use it at a time.

    Args:
        network: Torchvision's RAFT, on any device; its weights are float32 and no longer change.
        precision: Of convolutions.
        iterations: How often the estimate is corrected, at least once.
    """

    def __init__(self, network: nn.Module, *, precision: Precision, iterations: int) -> None:
        self.precision = precision
        self.iterations = iterations
        # Untyped, since its parts have methods that no module of torch has.
        self._network: Any = network.eval().requires_grad_(False)
        self._device = next(network.parameters()).device

    def flows(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        """Flow from ``first`` to ``second`` and the other way, each on the grid it begins at.

        Args:
            first: (H, W, 3) float32 RGB in [0, 1], of any size.
            second: The same, of the same size.

        Returns:
            Two flows (H, W, 2), float32, in pixels.

        Raises:
            ValueError: The images have two sizes or another form.
        """
        return self.scaled_flows(_tensor(first), _tensor(second))

    def scaled_flows(
        self, first: torch.Tensor, second: torch.Tensor, scale: float = 1.0
    ) -> tuple[HostArray, HostArray]:
        """As ``flows``, for images (3, H, W) on any device that are compared at a smaller size.

        Args:
            first: RGB in [0, 1].
            second: The same, of the same size.
            scale: In (0, 1]. Flows are enlarged again, to pixels of the full size.

        Returns:
            Both directions, (H, W, 2) pixels each, on the host.
        """
        height, width = first.shape[1:]
        forward, backward = self.tensor_flows(_reduce(first, scale), _reduce(second, scale))
        return (
            enlarged_flow(_to_host(forward), height, width),
            enlarged_flow(_to_host(backward), height, width),
        )

    def tensor_flows(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute both directions as ``flows`` does, and leave them on the network's device.

        Args:
            first: (3, H, W) RGB in [0, 1], on any device.
            second: The same, of the same size.

        Returns:
            Both directions, (2, H, W) pixels each.

        Raises:
            ValueError: The images are not RGB, or of two sizes.
        """
        if first.shape != second.shape or first.ndim != 3 or first.shape[0] != 3:
            raise ValueError(
                "RAFT compares two RGB images of one size, got"
                f" {tuple(first.shape)} and {tuple(second.shape)}"
            )
        height, width = first.shape[1:]
        bottom, right = _missing(height), _missing(width)
        pair = torch.stack((first.to(self._device), second.to(self._device)))
        pair = functional.pad(pair * 2 - 1, (0, right, 0, bottom), mode="replicate")
        with torch.inference_mode(), self._autocast():
            flows = self._both_ways(pair)[..., :height, :width]
        return flows[0], flows[1]

    def _autocast(self) -> torch.autocast:
        kind = getattr(torch, self.precision)
        return torch.autocast(self._device.type, kind, enabled=kind is not torch.float32)

    def _both_ways(self, pair: torch.Tensor) -> torch.Tensor:
        """(2, 2, H, W): from the first image to the second, and back. Sides are multiples of 8.

        Section 3 of the paper, with the features of each image computed once.
        """
        network = self._network
        features = network.feature_encoder(pair)
        with torch.autocast(self._device.type, enabled=False):
            # Half of the bits would save nothing: samples are taken in float32, so that each step
            # would convert all of them again.
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
    """Each fine pixel is a mean of 3x3 coarse ones, weighted by the network (paper, section 3.3).

    ``flow`` is (N, 2, h, w), ``weights`` (N, 9 * 8 * 8, h, w) before their softmax.
    """
    count, channels, height, width = flow.shape
    weights = weights.view(count, 1, 9, STRIDE, STRIDE, height, width).softmax(dim=2)
    around = functional.unfold(flow, 3, padding=1).view(count, channels, 9, 1, 1, height, width)
    fine = (weights * around).sum(dim=2).permute(0, 1, 4, 2, 5, 3)
    return fine.reshape(count, channels, STRIDE * height, STRIDE * width)


def _empty_network(size: RaftSize) -> nn.Module:
    # It takes seconds to import, and who only looks for weights does not need it.
    from torchvision.models import optical_flow  # type: ignore[import-untyped]  # it has no types

    make = {"small": optical_flow.raft_small, "large": optical_flow.raft_large}
    if size not in make:
        raise ValueError(f"there is no RAFT of size {size}; there are {', '.join(make)}")
    with torch.device("meta"):
        return cast("nn.Module", make[size](weights=None, progress=False))


def _read(path: Path, empty: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Counters of training steps, which some files lack and nothing here needs.
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
    # A copy: torch warns about read-only arrays, and layers are read-only.
    return torch.from_numpy(np.array(image, np.float32)).permute(2, 0, 1)


def _to_host(flow: torch.Tensor) -> HostArray:
    return np.ascontiguousarray(flow.permute(1, 2, 0).cpu().numpy())


def _reduce(image: torch.Tensor, scale: float) -> torch.Tensor:
    """(3, h, w) of (3, H, W), each pixel a mean over those that it stands for."""
    if scale == 1:
        return image
    size = reduced_size(image.shape[1], image.shape[2], scale)
    smaller = functional.interpolate(image[None], size, mode="bilinear", antialias=True)
    return smaller[0]
