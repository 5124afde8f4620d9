"""How much of a painting's style a clip has kept, beside the frames painted alone."""

from __future__ import annotations

from pathlib import Path

import torch

from vidstyle.core.layers import HostArray
from vidstyle.imaging.dead_pixels import blob_share
from vidstyle.models.loss.backbone import Backbone, load_backbone
from vidstyle.training.calibration import Objective, calibrate
from vidstyle.training.losses import style_loss
from vidstyle.training.photos import read_image, resized, to_tensor
from vidstyle.training.settings import Settings

_AMPLE = 128
# Pixels of a side, at which every loss network has something left at half the size.


class StyleKept:
    """Gram losses of frames, by the objective that styles train on.

    Each layer's loss is divided by that of the first source frame that is seen, as training divides
    by that of photos, so that no layer drowns the others.
    """

    def __init__(self, backbone: Backbone, style_image: torch.Tensor, settings: Settings) -> None:
        """``painting`` is (1, 3, H, W) RGB in [0, 1]."""
        self._backbone, self._style_image, self._settings = backbone, style_image, settings
        self._objective: Objective | None = None
        self._known: tuple[HostArray, float] | None = None

    @property
    def blob_share(self) -> float:
        """Share of black and white areas in the painting: a clip may have as many."""
        return blob_share(self._style_image[0].permute(1, 2, 0).contiguous().numpy())

    def too_small(self, width: int, height: int) -> str | None:
        """Why frames of this size say nothing about style; None where they do."""
        style = set(self._settings.style_layers or self._backbone.default_style_layers)
        content = {self._settings.content_layer or self._backbone.default_content_layer}
        for scale, feature_layers in [
            (1.0, content),
            *((one, style) for one in self._settings.style_scales),
        ]:
            sides = (int(scale * min(side, _AMPLE)) for side in (height, width))
            try:
                self._backbone(torch.zeros(1, 3, *sides), feature_layers)
            except ValueError as error:
                return f"frames of {width}x{height} are too small: {error}"
        return None

    def __call__(
        self, frame: HostArray, alone: HostArray, source: HostArray
    ) -> tuple[float, float]:
        """Gram loss of a frame and of the same frame painted alone, each (H, W, 3) in [0, 1]."""
        if self._objective is None:
            self._objective = calibrate(
                self._backbone, self._style_image, [_planes(source)], self._settings
            )
        if self._known is None or self._known[0] is not alone:
            self._known = alone, _loss(self._objective, alone)
        return _loss(self._objective, frame), self._known[1]


def load_style_kept(style_image: Path, *, weights: Path | None = None) -> StyleKept:
    """For the image that a style was learned from, with the loss network of a training.

    ``weights`` is the folder with the loss network, or None for ``VIDSTYLE_WEIGHTS`` and the user's
    cache; nothing is downloaded. Raises InputError for the image, WeightsError for the network.
    """
    settings = Settings(precision="float32")
    image = read_image(style_image)
    scale = settings.style_image_side / min(image.shape[:2])
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    backbone = load_backbone(
        settings.backbone, folder=weights, pooling=settings.pooling, offline=True
    )
    return StyleKept(backbone, to_tensor(resized(image, height, width)), settings)


def _loss(objective: Objective, frame: HostArray) -> float:
    with torch.inference_mode():
        features = objective.features(_planes(frame))
        ratios = [
            float(style_loss(features[key], target)) / objective.untouched[key]
            for key, target in objective.targets.items()
        ]
    return sum(ratios) / len(ratios)


def _planes(frame: HostArray) -> torch.Tensor:
    return torch.from_numpy(frame.copy()).permute(2, 0, 1)[None]
