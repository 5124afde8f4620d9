"""How far stylized images are from their style image and from their photos.

A stylization is good where both distances are small: either one alone is easy to get by giving up
the other. Distances are measured by a network that recognizes images, on photos that no training
saw. Their scale depends on the photos, so that they are compared with those of other styles on the
same photos alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch.nn import functional

from vidstyle.core.errors import InputError
from vidstyle.models.loss.backbone import Backbone, load_backbone
from vidstyle.models.loss.image_losses import gram_matrix

EvaluatorNetwork = Literal["squeezenet", "vgg16"]
STYLE_SIDE = 480
"""Pixels of the longer side of a style image."""
# Of the images, at which their styles are compared: strokes have more sizes than layers see.
_SCALES = (1.0, 0.5)


@dataclass(frozen=True, slots=True)
class EvaluatorLayers:
    """What of a network's features is compared."""

    style: tuple[str, ...]
    """Layers whose Gram matrices are compared, the deepest last."""
    content: tuple[str, ...]
    """Layers that are compared position by position."""


EVALUATOR_LAYERS: Mapping[EvaluatorNetwork, EvaluatorLayers] = {
    "squeezenet": EvaluatorLayers(("fire2", "fire3", "fire5", "fire8"), ("fire5",)),
    "vgg16": EvaluatorLayers(("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3", "relu4_2")),
}
"""By network. SqueezeNet 1.1 decides: no style is trained by it, so that none is fitted to it."""


@dataclass(frozen=True, slots=True)
class ImageDistances:
    """Of one network's images, over a set of photos. Less is better."""

    style: float
    """0 for images with the style image's Gram matrices, 1 for untouched photos."""
    style_deep: float
    """The same by the deepest layer alone, which sees large strokes."""
    content: float
    """0 for untouched photos, 1 for images that are as far from them as other photos are."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFeatures:
    """What is compared of one image."""

    grams: Mapping[tuple[str, float], torch.Tensor]
    """(1, C, C) by layer and scale."""
    content: Mapping[str, torch.Tensor]
    """(1, C, h, w) by layer."""


class ImageEvaluator:
    """Computes what is compared of an image.

    Args:
        backbone: The network.
        layers: What is compared.
    """

    def __init__(self, backbone: Backbone, layers: EvaluatorLayers) -> None:
        self._backbone = backbone
        self.layers = layers

    def features(self, image: torch.Tensor) -> ImageFeatures:
        """Compute the features of an image, once at its size and once at half of it.

        Args:
            image: (1, 3, H, W) RGB in [0, 1].

        Returns:
            The features.

        Raises:
            LayerError: The image is too small for a layer.
        """
        layers = self.layers
        with torch.inference_mode():
            whole = self._backbone(image, (*layers.style, *layers.content))
            half = self._backbone(_halve(image), layers.style)
            grams = {
                (name, scale): gram_matrix(found[name])
                for scale, found in zip(_SCALES, (whole, half), strict=True)
                for name in layers.style
            }
        return ImageFeatures(grams, {name: whole[name] for name in layers.content})

    def content(self, image: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Compute the content alone, which takes half the time.

        Args:
            image: (1, 3, H, W) RGB in [0, 1].

        Returns:
            As ``ImageFeatures.content`` has it.
        """
        with torch.inference_mode():
            found: Mapping[str, torch.Tensor] = self._backbone(image, self.layers.content)
        return found


def load_evaluator_network(
    name: EvaluatorNetwork, *, weights: Path | None = None
) -> ImageEvaluator:
    """Load an evaluator; nothing is downloaded.

    Args:
        name: A key of ``EVALUATOR_LAYERS``.
        weights: The folder with its weights; None for ``VIDSTYLE_WEIGHTS`` and the user's cache.

    Returns:
        The evaluator, on the CPU.

    Raises:
        WeightsError: The weights are absent.
        LayerError: They end below the layers that are compared.
    """
    backbone = load_backbone(name, folder=weights, offline=True)
    layers = EVALUATOR_LAYERS[name]
    backbone.smallest_side((*layers.style, *layers.content))
    return ImageEvaluator(backbone, layers)


class ImageComparison:
    """Adds up, photo by photo, how far several networks' images are from photo and style image.

    Args:
        evaluator: Measures.
        style_images: (1, 3, H, W) RGB in [0, 1] by name.
    """

    def __init__(self, evaluator: ImageEvaluator, style_images: Mapping[str, torch.Tensor]) -> None:
        self._evaluator = evaluator
        self._targets = {
            name: evaluator.features(image).grams for name, image in style_images.items()
        }
        self._untouched = {name: _Sums() for name in style_images}
        self._stylized: dict[str, dict[str, _Sums]] = {name: {} for name in style_images}
        self._previous: Mapping[str, torch.Tensor] | None = None
        self._unrelated = _Sums()

    def add(self, photo: torch.Tensor, stylized: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Measure the images that networks made of a photo.

        Args:
            photo: (1, 3, H, W) RGB in [0, 1].
            stylized: Of the same shape, by the style image's name and the network's.
        """
        original = self._evaluator.features(photo)
        if self._previous is not None:
            self._unrelated.add(feature_distances(original.content, self._previous))
        self._previous = original.content
        for name, networks in stylized.items():
            target = self._targets[name]
            self._untouched[name].add(_gram_distances(original.grams, target))
            for network, image in networks.items():
                found = self._evaluator.features(image)
                sums = self._stylized[name].setdefault(network, _Sums())
                sums.add(_gram_distances(found.grams, target))
                sums.add(feature_distances(found.content, original.content))

    def distances(self) -> dict[str, dict[str, ImageDistances]]:
        """Compute the distances over all photos that were added.

        Returns:
            By the style image's name and the network's.

        Raises:
            InputError: There were fewer than two photos.
        """
        if not self._unrelated.means():
            raise InputError("content is compared with other photos': give at least two")
        return {
            name: {network: self._distances(name, sums) for network, sums in networks.items()}
            for name, networks in self._stylized.items()
        }

    def _distances(self, name: str, sums: _Sums) -> ImageDistances:
        layers, untouched = self._evaluator.layers, self._untouched[name]
        style = {
            layer: sums.ratio(untouched, [(layer, s) for s in _SCALES]) for layer in layers.style
        }
        return ImageDistances(
            style=sum(style.values()) / len(style),
            style_deep=style[layers.style[-1]],
            content=sums.ratio(self._unrelated, layers.content),
        )


def feature_distances(
    first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]
) -> dict[str, float]:
    """Compute the mean squared difference of two images' features, where both have some.

    Args:
        first: (1, C, h, w) by layer.
        second: Of the same layers; of another size where the images have another.

    Returns:
        At least 0, by layer.
    """
    found = {}
    for name, one in first.items():
        other = second[name]
        height, width = (min(one.shape[axis], other.shape[axis]) for axis in (2, 3))
        near, far = (features[:, :, :height, :width] for features in (one, other))
        found[name] = float(functional.mse_loss(near, far))
    return found


def _gram_distances(
    first: Mapping[tuple[str, float], torch.Tensor],
    second: Mapping[tuple[str, float], torch.Tensor],
) -> dict[tuple[str, float], float]:
    return {key: float(functional.mse_loss(one, second[key])) for key, one in first.items()}


class _Sums:
    """Of numbers by key."""

    def __init__(self) -> None:
        self._sums: defaultdict[object, float] = defaultdict(float)
        self._counts: defaultdict[object, int] = defaultdict(int)

    def add(self, values: Mapping[Any, float]) -> None:
        for key, value in values.items():
            self._sums[key] += value
            self._counts[key] += 1

    def means(self) -> dict[object, float]:
        return {key: value / self._counts[key] for key, value in self._sums.items()}

    def ratio(self, other: _Sums, keys: Iterable[object]) -> float:
        """Mean over the keys of this mean, divided by the other's."""
        own, others = self.means(), other.means()
        ratios = [own[key] / max(others[key], 1e-30) for key in keys]
        return sum(ratios) / len(ratios)


def _halve(image: torch.Tensor) -> torch.Tensor:
    size = [max(1, round(_SCALES[1] * side)) for side in image.shape[2:]]
    return functional.interpolate(image, size, mode="bilinear", antialias=True)
