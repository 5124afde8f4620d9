"""Metrics that need a network: LPIPS (Zhang et al. 2018), and the loss of the style."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.errors import WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.clip_evaluation import PerceptualDistance, StyleLoss
from vidstyle.models.weights.places import OFFICIAL, find_file

if TYPE_CHECKING:
    import torch


_NO_STYLE = "nothing is said of the style that is kept"


@dataclass(frozen=True, slots=True)
class NetworkMetrics:
    """What is at hand for them."""

    likeness: PerceptualDistance | None = None
    style_loss: StyleLoss | None = None
    allowed_blobs: float = 0.0
    """Share of black and white areas in the style's image; 0 where it is not known."""
    notes: tuple[str, ...] = ()
    """Why one of them is missing."""


def find_network_metrics(
    *,
    style_image: Path | None = None,
    weights: Path | None = None,
    size: tuple[int, int] | None = None,
) -> NetworkMetrics:
    """LPIPS where it is at hand, and the style's loss where its image is given.

    ``weights`` is a folder, or None for ``VIDSTYLE_WEIGHTS`` and the user's cache; nothing is
    downloaded. ``size`` is the width and height of the frames, if known: the notes say where they
    are too small for the style's loss. Raises InputError where the image cannot be read.
    """
    notes, found = [], NetworkMetrics()
    likeness: PerceptualDistance | None = None
    try:
        likeness = load_perceptual(weights)
    except WeightsError as error:
        notes.append(f"there is no LPIPS; SSIM alone says how alike the images are: {error}")
    if style_image is not None:
        try:
            found = _style(style_image, weights, size)
        except WeightsError as error:
            notes.append(f"{_NO_STYLE}: {error}")
    return NetworkMetrics(likeness, found.style_loss, found.allowed_blobs, (*notes, *found.notes))


def _style(image: Path, weights: Path | None, size: tuple[int, int] | None) -> NetworkMetrics:
    # torch takes seconds to import: only for who names an image.
    from vidstyle.evaluation.style_losses import load_style_loss_ratio

    kept = load_style_loss_ratio(image, weights=weights)
    if size and (reason := kept.too_small(*size)):
        return NetworkMetrics(allowed_blobs=kept.blob_share, notes=(f"{_NO_STYLE}: {reason}",))
    return NetworkMetrics(style_loss=kept, allowed_blobs=kept.blob_share)


WEIGHTS_FILE = "alexnet-owt-7be5be79.pth"
"""torchvision's name for the backbone; the package has the rest of the weights in it."""
_OTHER = "is no AlexNet: fetch it again"
_LEAST_SIDE = 64
# Pixels, below which nothing is left for the last layers.
_KEYS = {
    f"slice{part}.{layer}.{kind}": f"features.{layer}.{kind}"
    for part, layer in enumerate((0, 3, 6, 8, 10), 1)
    for kind in ("weight", "bias")
}
# The package cuts the backbone into five parts and keeps the numbers of the layers.


class Perceptual:
    """LPIPS with AlexNet: how far two images are apart for an eye."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def __call__(self, first: HostArray, second: HostArray) -> float:
        """0 for equal images; both are (H, W, 3) RGB in [0, 1].

        Sides of fewer than 64 pixels are lengthened by repeating the edge.
        """
        import torch

        with torch.inference_mode():
            return float(self._network(_planes(first), _planes(second), normalize=True))


def load_perceptual(folder: Path | None = None) -> Perceptual:
    """LPIPS by its package ``lpips``, with the backbone's file from this machine.

    It is looked for as ``find_alexnet`` says. Raises WeightsError where the package or the file is
    not there, or the file is no AlexNet.
    """
    try:
        import lpips  # type: ignore[import-not-found,unused-ignore]  # no dependency of ours
    except ImportError as error:
        raise WeightsError(f"LPIPS needs the package lpips (pip install lpips): {error}") from error
    path = find_alexnet(folder)
    weights = read_backbone(path)
    with warnings.catch_warnings():
        # It asks torchvision in a way that is out of date.
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    try:
        network.net.load_state_dict(weights)
    except RuntimeError as error:
        raise WeightsError(f"{path} {_OTHER}") from error
    return Perceptual(network.eval())


def read_backbone(path: Path) -> dict[str, torch.Tensor]:
    """The convolutions of torchvision's AlexNet under the package's names, of any shapes.

    Nothing in the file is run. Raises WeightsError where it is damaged or holds anything else.
    """
    import torch

    from vidstyle.models.weights.torch_file import read_content

    content = read_content(path)
    found = content if isinstance(content, Mapping) else {}
    arrays = {key: found.get(name) for key, name in _KEYS.items()}
    weights = {key: array for key, array in arrays.items() if isinstance(array, torch.Tensor)}
    if len(weights) < len(_KEYS):
        raise WeightsError(f"{path} {_OTHER}")
    return weights


def find_alexnet(folder: Path | None = None) -> Path:
    """The backbone's file, as ``weight_places.find_file`` seeks it, offline.

    Last, it may lie where torch keeps what it has fetched. Raises WeightsError where it does not.
    """
    import torch

    address = OFFICIAL + WEIGHTS_FILE
    try:
        return find_file("AlexNet", [WEIGHTS_FILE], address, folder=folder, offline=True)
    except WeightsError:
        of_torch = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE
        if of_torch.is_file():
            return of_torch
        raise


def _planes(image: HostArray) -> torch.Tensor:
    import torch

    missing = [(0, max(0, _LEAST_SIDE - side)) for side in image.shape[:2]]
    large = np.pad(image, (*missing, (0, 0)), mode="edge")
    return torch.from_numpy(large).permute(2, 0, 1)[None]
