"""Style and content losses of stylized images, by the objective that styles train on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from vidstyle.core.errors import InputError, WeightsError
from vidstyle.core.layers import HostArray
from vidstyle.imaging.dead_pixels import blob_fraction
from vidstyle.models.loss.backbone import Backbone, LayerError, load_backbone
from vidstyle.models.loss.loss_options import choose_backbone, find_weights_file
from vidstyle.models.loss.loss_terms import Features
from vidstyle.models.loss.objective import Content, Objective, ScaledFeatures
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import read_style_info
from vidstyle.training.objective import calibrate, sized_style_image
from vidstyle.training.settings import TrainingSettings

# Of the shorter side, in pixels.
_STYLE_IMAGE_SIDE = 512
# The settings of a training that its style loss depends on.
_EVALUATION_SETTINGS = (
    "seed",
    "crop",
    "precision",
    "style_image_side",
    "backbone",
    "style_layers",
    "style_scales",
    "content_layers",
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


def evaluation_settings(path: Path) -> TrainingSettings:
    """Read the settings that a style's loss is measured with; defaults where the file has none.

    Args:
        path: A style file.

    Returns:
        The settings.

    Raises:
        WeightsError: The file is no style, or this version does not know its settings.
    """
    stated = read_style_info(path).settings
    try:
        return TrainingSettings.model_validate(
            {key: stated[key] for key in _EVALUATION_SETTINGS if key in stated}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise WeightsError(
            f"{path} has settings that this version does not know: {name}: {first['msg']}"
        ) from error


def whole_image_losses(
    styles: Mapping[str, tuple[StyleNetwork, Objective]], photos: Iterable[torch.Tensor]
) -> dict[str, StyleLosses]:
    """Measure styles, each with its objective, on photos of any size.

    A photo's features are computed once for all objectives of equal settings, which must have the
    same loss network.

    Args:
        styles: Network and objective of each style by its name.
        photos: (1, 3, H, W) RGB in [0, 1].

    Returns:
        Mean losses by the styles' names.

    Raises:
        InputError: There is no photo.
    """
    sums = {name: _LossSums() for name in styles}
    for photo in photos:
        known: dict[str, Features] = {}
        for name, (network, objective) in styles.items():
            settings = objective.options.model_dump_json()
            with torch.no_grad():
                if settings not in known:
                    known[settings] = objective.features(photo)
                content = Content(photo, known[settings])
                sums[name].add(objective, content, stylize(network, photo))
    return {name: one.result() for name, one in sums.items()}


@dataclass(slots=True)
class _LossSums:
    photos: int = 0
    style: float = 0.0
    untouched: float = 0.0
    content: float = 0.0

    def add(self, objective: Objective, photo: Content, stylized: torch.Tensor) -> None:
        untouched = objective.terms(photo.image, photo, features=photo.features)
        terms = objective.terms(stylized, photo)
        self.photos += 1
        self.style += float(terms["style"])
        self.untouched += float(untouched["style"])
        self.content += float(terms["content"])

    def result(self) -> StyleLosses:
        if not self.photos:
            raise InputError("there are no photos to measure on")
        return StyleLosses(self.style / max(self.untouched, 1e-12), self.content / self.photos)


# Pixels of a side, at which every loss network has something left at half the size.
_LARGE_ENOUGH = 128


class StyleLossRatio:
    """Gram losses of frames beside their per-frame baseline, by the objective of training.

    Each layer's loss is divided by that of the first source frame, as training divides by that of
    photos, so that no layer drowns the others.

    Args:
        backbone: The loss network.
        style_image: (1, 3, H, W) RGB in [0, 1].
        settings: Layers and sizes of the loss.
    """

    def __init__(
        self, backbone: Backbone, style_image: torch.Tensor, settings: TrainingSettings
    ) -> None:
        self._backbone, self._style_image, self._settings = backbone, style_image, settings
        self._objective: Objective | None = None
        self._baseline: tuple[HostArray, float] | None = None

    @property
    def blob_fraction(self) -> float:
        """Fraction of the style image that is black or white areas: a clip may have as much."""
        return blob_fraction(self._style_image[0].permute(1, 2, 0).contiguous().numpy())

    def too_small(self, width: int, height: int) -> str | None:
        """Explain why frames of a size have no style loss.

        Args:
            width: In pixels.
            height: In pixels.

        Returns:
            The reason; None where they have one.
        """
        sides = (min(side, _LARGE_ENOUGH) for side in (height, width))
        try:
            ScaledFeatures(self._backbone, self._settings)(torch.zeros(1, 3, *sides))
        except LayerError as error:
            return f"frames of {width}x{height} are too small: {error}"
        return None

    def __call__(
        self, frame: HostArray, per_frame: HostArray, source: HostArray
    ) -> tuple[float, float]:
        """Give the Gram losses of a frame and of its baseline, each (H, W, 3) in [0, 1]."""
        if self._objective is None:
            self._objective = calibrate(
                self._backbone, self._style_image, [_to_tensor(source)], self._settings
            )
        if self._baseline is None or self._baseline[0] is not per_frame:
            self._baseline = per_frame, _loss(self._objective, per_frame)
        return _loss(self._objective, frame), self._baseline[1]


def load_style_loss_ratio(style_image: Path, *, weights: Path | None = None) -> StyleLossRatio:
    """Load the metric for the image that a style was learned from; nothing is downloaded.

    Args:
        style_image: A file.
        weights: The folder with the loss network, or None for ``VIDSTYLE_WEIGHTS`` and the user's
            cache.

    Returns:
        The metric.

    Raises:
        InputError: The image cannot be read.
        WeightsError: The network is absent.
    """
    settings = TrainingSettings(
        precision="float32", style_scales=(1.0, 0.5), style_image_side=_STYLE_IMAGE_SIDE
    )
    image = sized_style_image(style_image, settings.style_image_side)
    name = choose_backbone(weights)
    file = find_weights_file(name, weights, offline=True)
    backbone = load_backbone(name, file=file, pooling=settings.pooling)
    return StyleLossRatio(backbone, image, settings)


def _loss(objective: Objective, frame: HostArray) -> float:
    with torch.inference_mode():
        image = _to_tensor(frame)
        features = objective.features(image)
        return float(objective.terms(image, Content(image, features), features=features)["style"])


def _to_tensor(frame: HostArray) -> torch.Tensor:
    return torch.from_numpy(frame.copy()).permute(2, 0, 1)[None]
