"""Metrics that need a network: LPIPS (Zhang et al. 2018), and the loss of the style."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.errors import WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.clip_evaluation import PerceptualDistance, StyleLoss
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import find_weights

if TYPE_CHECKING:
    import torch

WEIGHTS_FILE = "alexnet-owt-7be5be79.pth"
"""torchvision's name for the backbone; the package ``lpips`` holds the rest of the weights."""
_DAMAGED = "is no AlexNet: fetch it again"
_NO_STYLE = "no style loss"
# Pixels, below which nothing is left for the last layers.
_LEAST_SIDE = 64
# The package cuts the backbone into five parts and keeps the numbers of the layers.
_KEYS = {
    f"slice{part}.{layer}.{kind}": f"features.{layer}.{kind}"
    for part, layer in enumerate((0, 3, 6, 8, 10), 1)
    for kind in ("weight", "bias")
}


@dataclass(frozen=True, slots=True)
class NetworkMetrics:
    """The metrics that this machine has the networks for."""

    perceptual: PerceptualDistance | None = None
    style_loss: StyleLoss | None = None
    allowed_blobs: float = 0.0
    """Fraction of the style image that black and white areas take; 0 where it is not known."""
    notes: tuple[str, ...] = ()
    """Why one of them is missing."""


def find_network_metrics(
    *,
    style_image: Path | None = None,
    weights: Path | None = None,
    size: tuple[int, int] | None = None,
) -> NetworkMetrics:
    """Load LPIPS where it is at hand, and the style's loss where its image is given.

    Nothing is downloaded.

    Args:
        style_image: The image that the style was learned from.
        weights: A folder, or None for ``VIDSTYLE_WEIGHTS`` and the user's cache.
        size: Width and height of the frames, if known: a note says where they are too small for the
            style's loss.

    Returns:
        What could be loaded, with a note on what could not.

    Raises:
        InputError: The image cannot be read.
    """
    notes, found = [], NetworkMetrics()
    perceptual: PerceptualDistance | None = None
    try:
        perceptual = load_perceptual(weights)
    except WeightsError as error:
        notes.append(f"no LPIPS, SSIM only: {error}")
    if style_image is not None:
        try:
            found = _style_metrics(style_image, weights, size)
        except WeightsError as error:
            notes.append(f"{_NO_STYLE}: {error}")
    return NetworkMetrics(perceptual, found.style_loss, found.allowed_blobs, (*notes, *found.notes))


def _style_metrics(
    image: Path, weights: Path | None, size: tuple[int, int] | None
) -> NetworkMetrics:
    # torch takes seconds to import: only a style image needs it.
    from vidstyle.evaluation.style_losses import load_style_loss_ratio

    ratio = load_style_loss_ratio(image, weights=weights)
    if size and (reason := ratio.too_small(*size)):
        return NetworkMetrics(allowed_blobs=ratio.blob_fraction, notes=(f"{_NO_STYLE}: {reason}",))
    return NetworkMetrics(style_loss=ratio, allowed_blobs=ratio.blob_fraction)


class Perceptual:
    """LPIPS with AlexNet: the distance of two images as people see it.

    Args:
        network: Of the package ``lpips``.

    References:
        Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def __call__(self, first: HostArray, second: HostArray) -> float:
        """Give 0 for equal images, more for others; both are (H, W, 3) RGB in [0, 1].

        Sides of fewer than 64 pixels are lengthened by repeating the edge.
        """
        import torch

        with torch.inference_mode():
            return float(self._network(_to_tensor(first), _to_tensor(second), normalize=True))


def load_perceptual(folder: Path | None = None) -> Perceptual:
    """Load LPIPS from its package ``lpips``, with the backbone's file from this machine.

    Args:
        folder: As in ``find_alexnet``.

    Returns:
        The metric.

    Raises:
        WeightsError: The package or the file is absent, or the file is no AlexNet.
    """
    try:
        import lpips  # type: ignore[import-not-found,unused-ignore]  # no dependency of ours
    except ImportError as error:
        raise WeightsError(f"LPIPS needs the package lpips (pip install lpips): {error}") from error
    path = find_alexnet(folder)
    weights = read_backbone(path)
    with warnings.catch_warnings():
        # The package calls torchvision in a deprecated way.
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    try:
        network.net.load_state_dict(weights)
    except RuntimeError as error:
        raise WeightsError(f"{path} {_DAMAGED}") from error
    return Perceptual(network.eval())


def read_backbone(path: Path) -> dict[str, torch.Tensor]:
    """Read the convolutions of torchvision's AlexNet; no code in the file is run.

    Args:
        path: The file.

    Returns:
        Weights by the package's names.

    Raises:
        WeightsError: The file is damaged, or another model's.
    """
    import torch

    from vidstyle.models.weights.torch_file import read_arrays

    found = read_arrays(path)
    arrays = {key: found.get(name) for key, name in _KEYS.items()}
    weights = {key: array for key, array in arrays.items() if isinstance(array, torch.Tensor)}
    if len(weights) < len(_KEYS):
        raise WeightsError(f"{path} {_DAMAGED}")
    return weights


def find_alexnet(folder: Path | None = None) -> Path:
    """Find the backbone's file offline, as ``find_weights`` does, and last in torch's own cache.

    Args:
        folder: Looked into first; None for ``VIDSTYLE_WEIGHTS`` and the user's cache.

    Returns:
        The file.

    Raises:
        WeightsError: It is absent.
    """
    import torch

    try:
        return find_weights(CATALOG["alexnet"], folder=folder, offline=True)
    except WeightsError:
        of_torch = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE
        if of_torch.is_file():
            return of_torch
        raise


def _to_tensor(image: HostArray) -> torch.Tensor:
    import torch

    missing = [(0, max(0, _LEAST_SIDE - side)) for side in image.shape[:2]]
    large = np.pad(image, (*missing, (0, 0)), mode="edge")
    return torch.from_numpy(large).permute(2, 0, 1)[None]
