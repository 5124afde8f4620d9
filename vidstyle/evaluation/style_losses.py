"""Style and content losses of stylized images, by the objective that styles train on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from vidstyle.core.errors import InputError, WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.imaging.dead_pixels import blob_share
from vidstyle.models.loss.backbones import Backbone, load_backbone
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import read_style_info
from vidstyle.training.calibration import Objective, calibrate
from vidstyle.training.losses import content_loss, style_loss
from vidstyle.training.photos import read_image, resized, to_tensor
from vidstyle.training.settings import Settings

_JUDGING = (
    "seed",
    "crop",
    "precision",
    "style_image_side",
    "backbone",
    "style_layers",
    "style_scales",
    "content_layer",
    "pooling",
    "noise",
)


@dataclass(frozen=True, slots=True)
class StyleLosses:
    """Of one style, over a set of photos."""

    style: float
    """As a ratio to the same photos untouched."""
    content: float
    """1 for an image without any content."""


def evaluation_settings(path: Path) -> Settings:
    """The settings of a style file's training that its loss is measured by; defaults for others.

    Raises WeightsError where the file is no style, or its settings are none of this version's.
    """
    stated = read_style_info(path).settings
    try:
        return Settings.model_validate({key: stated[key] for key in _JUDGING if key in stated})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise WeightsError(f"{path} has settings that cannot be: {name}: {first['msg']}") from error


def whole_image_losses(
    styles: Mapping[str, tuple[StyleNetwork, Objective]], photos: Iterable[torch.Tensor]
) -> dict[str, StyleLosses]:
    """The losses of styles, each with its objective, on photos (1, 3, H, W) of any size.

    A photo's features are computed once for all objectives with the same settings, which are
    taken to have the same loss network. Raises InputError where there is no photo.
    """
    sums = {name: _Sums() for name in styles}
    for photo in photos:
        known: dict[Settings, Mapping[str, torch.Tensor]] = {}
        for name, (network, objective) in styles.items():
            with torch.no_grad():
                if objective.settings not in known:
                    known[objective.settings] = objective.features(photo)
                stylized = objective.features(stylize(network, photo))
            sums[name].add(objective, stylized, known[objective.settings])
    return {name: one.result() for name, one in sums.items()}


@dataclass(slots=True)
class _Sums:
    photos: int = 0
    style: float = 0.0
    untouched: float = 0.0
    content: float = 0.0

    def add(
        self,
        objective: Objective,
        stylized: Mapping[str, torch.Tensor],
        photo: Mapping[str, torch.Tensor],
    ) -> None:
        key = f"{objective.content_layer}@1"
        self.photos += 1
        self.style += _style(objective, stylized)
        self.untouched += _style(objective, photo)
        content = float(content_loss(stylized[key], photo[key]))
        self.content += content / objective.untouched["content"]

    def result(self) -> StyleLosses:
        if not self.photos:
            raise InputError("there are no photos to measure on")
        return StyleLosses(self.style / max(self.untouched, 1e-12), self.content / self.photos)


def _style(objective: Objective, features: Mapping[str, torch.Tensor]) -> float:
    ratios = [
        float(style_loss(features[key], target)) / objective.untouched[key]
        for key, target in objective.targets.items()
    ]
    return sum(ratios) / len(ratios)


_AMPLE = 128
# Pixels of a side, at which every loss network has something left at half the size.


class StyleLossRatio:
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
        style = set(self._settings.style_layers or self._backbone.default_style_feature_layers)
        content = {self._settings.content_layer or self._backbone.default_content_feature_layer}
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


def load_style_loss_ratio(style_image: Path, *, weights: Path | None = None) -> StyleLossRatio:
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
    return StyleLossRatio(backbone, to_tensor(resized(image, height, width)), settings)


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
