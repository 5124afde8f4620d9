"""LPIPS (Zhang et al. 2018), where its package and its weights are at hand; nothing is fetched."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.errors import WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import find_weights

if TYPE_CHECKING:
    import torch

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

    from vidstyle.models.weights.torch_file import read_arrays

    found = read_arrays(path)
    arrays = {key: found.get(name) for key, name in _KEYS.items()}
    weights = {key: array for key, array in arrays.items() if isinstance(array, torch.Tensor)}
    if len(weights) < len(_KEYS):
        raise WeightsError(f"{path} {_OTHER}")
    return weights


def find_alexnet(folder: Path | None = None) -> Path:
    """The backbone's file, as ``find_weights`` seeks it, offline.

    Last, it may lie where torch keeps what it has fetched. Raises WeightsError where it does not.
    """
    import torch

    try:
        return find_weights(CATALOG["alexnet"], folder=folder, offline=True)
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
