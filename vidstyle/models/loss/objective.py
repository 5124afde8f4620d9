"""The weighted sum of the loss terms, which training and optimization make small."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional

from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.image_losses import gram_matrix
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.loss.loss_terms import (
    LOSS_TERMS,
    Features,
    Key,
    LossInputs,
    Past,
    StyleTarget,
    Units,
)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """The image that is stylized."""

    image: torch.Tensor
    """(N, 1 or 3, H, W) in [0, 1]."""
    features: Features


class ScaledFeatures:
    """Features of images at the layers and sizes that a loss compares."""

    def __init__(
        self, backbone: Backbone, options: LossOptions, *, margin: int = 0, side: int | None = None
    ) -> None:
        """Chooses what is compared.

        Args:
            backbone: On the device of the images.
            options: Layers, sizes and precision.
            margin: Pixels by which images are mirrored beyond their edges before the network sees
                them. Networks pad with zeros, which are no image: by those the style of an edge is
                met best if it is flat and gray.
            side: The shorter side of the images. Sizes at which a layer would have no features are
                left out for it.

        Raises:
            LayerError: The weights do not reach a layer.
        """
        self.backbone, self._margin = backbone, margin
        self._half = options.precision == "bfloat16"
        chosen = options.layer_weights or dict.fromkeys(backbone.default_style_layers, 1.0)
        total = sum(chosen.values())
        layers = {layer: weight / total for layer, weight in chosen.items()}
        scales = list(options.style_scales or backbone.default_style_scales)
        if side is not None:
            least = backbone.smallest_side(layers)
            scales = [scale for scale in scales if side * scale >= least] or [1.0]
        self.style_keys: Mapping[Key, float] = {
            # A size that is named twice counts twice.
            (layer, scale): weight * scales.count(scale) / len(scales)
            for scale in scales
            for layer, weight in layers.items()
        }
        """What is compared for style, with weights that sum to 1."""
        wanted = options.content_layers or (backbone.default_content_layer,)
        self.content_keys: tuple[Key, ...] = tuple((layer, max(scales)) for layer in wanted)
        """What is compared for content, at the largest size."""
        backbone.smallest_side({layer for layer, _ in (*self.style_keys, *self.content_keys)})

    def __call__(
        self, images: torch.Tensor, keys: Collection[Key] | None = None
    ) -> dict[Key, torch.Tensor]:
        """Computes the features.

        Args:
            images: (N, 3, H, W) RGB in [0, 1]; or (N, 1, H, W), which stands for gray.
            keys: Those that are needed; all by default.

        Raises:
            LayerError: The images are too small for a layer.
        """
        images = images.expand(-1, 3, -1, -1)
        found: dict[Key, torch.Tensor] = {}
        keys = {*self.style_keys, *self.content_keys} if keys is None else set(keys)
        for scale in sorted({scale for _, scale in keys}):
            layers = {layer for layer, size in keys if size == scale}
            self.backbone.check_size([int(length * scale) for length in images.shape[2:]], layers)
            sized = _resize(images, scale)
            with torch.autocast(images.device.type, torch.bfloat16, enabled=self._half):
                features = self.backbone(_mirror(sized, self._margin), layers)
            for layer, values in features.items():
                found[layer, scale] = _cut(values, sized, self._margin)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Loss terms in units of untouched images, and their weights."""

    features: ScaledFeatures
    options: LossOptions
    """Weights and kinds of the terms."""
    styles: tuple[StyleTarget, ...]
    units: Mapping[str, Units]
    """By name of a term."""
    limits: tuple[torch.Tensor | float, torch.Tensor | float] = (0.0, 1.0)
    """Darkest and brightest values of the range of colors; numbers, or (1, C, 1, 1)."""

    def content(self, image: torch.Tensor) -> Content:
        """Compute the features of an image that is stylized.

        Args:
            image: (N, 1 or 3, H, W) in [0, 1].

        Returns:
            The image with its features.
        """
        with torch.no_grad():
            return Content(image, self.features(image, self.features.content_keys))

    def measure(self, image: torch.Tensor) -> dict[str, Units]:
        """Measure what each term is divided by, on an untouched image.

        Args:
            image: (N, 1 or 3, H, W) in [0, 1].

        Returns:
            Units by the terms' names.
        """
        with torch.no_grad():
            features = self.features(image)
            inputs = self._inputs(image, features, Content(image, features), None)
            return {name: term.measure(inputs) for name, term in LOSS_TERMS.items()}

    def terms(
        self,
        image: torch.Tensor,
        content: Content,
        past: Past | None = None,
        *,
        features: Features | None = None,
    ) -> dict[str, torch.Tensor]:
        """Compute the terms that count, before they are weighted.

        Args:
            image: (N, 1 or 3, H, W), the stylized image; terms are differentiable by it.
            content: What it was made of.
            past: The previous frame; without it the terms that need it are left out.
            features: Of the image, where they are known.

        Returns:
            Scalars by the terms' names.
        """
        found = self.features(image) if features is None else features
        inputs = self._inputs(image, found, content, past)
        weights = self.options.term_weights
        return {
            name: term.value(inputs, self.units[name])
            for name, term in LOSS_TERMS.items()
            if name in weights and all(getattr(inputs, need) is not None for need in term.needs)
        }

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Compute the weighted sum of terms.

        Args:
            terms: From ``terms``.

        Returns:
            A scalar.
        """
        weights = self.options.term_weights
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()

    def _inputs(
        self, image: torch.Tensor, features: Features, content: Content, past: Past | None
    ) -> LossInputs:
        return LossInputs(
            image=image,
            features=features,
            content=content.image,
            content_features=content.features,
            content_keys=self.features.content_keys,
            styles=self.styles,
            limits=self.limits,
            variation=self.options.variation,
            past=past,
        )


def style_targets(
    features: ScaledFeatures,
    style_image: torch.Tensor,
    *,
    image_weight: float = 1.0,
    mask: torch.Tensor | None = None,
    like: Features | None = None,
) -> tuple[StyleTarget, ...]:
    """Compute what a style image asks for.

    Args:
        features: The layers and sizes.
        style_image: (1, 3, H, W) RGB in [0, 1], or (1, 1, H, W).
        image_weight: Of the style image among others.
        mask: (1, 1, h, w) in [0, 1], where the style counts in the content.
        like: The content's features, of whose sizes the masks are made.

    Returns:
        One target for each layer and size.
    """
    with torch.no_grad():
        found = features(style_image)
    return tuple(
        StyleTarget(
            key,
            gram_matrix(found[key]),
            weight,
            image_weight,
            None if mask is None or like is None else _reduce_mask(mask, like[key]),
        )
        for key, weight in features.style_keys.items()
    )


def _reduce_mask(mask: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """A mask at a layer's size: the mean of the pixels below each feature."""
    height, width = features.shape[2:]
    return functional.adaptive_avg_pool2d(mask, (height, width))


def _resize(images: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return images
    return functional.interpolate(
        images, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )


def _mirror(images: torch.Tensor, margin: int) -> torch.Tensor:
    """Images mirrored beyond their edges, the outermost pixels twice: so all pixels count alike.

    A layer looks at a pixel from all sides. What lies beyond the edge, which ``_cut`` takes away,
    looks at the pixel's double instead.
    """
    for side in (2, 3) if margin else ():
        length = min(margin, images.shape[side])
        before = images.narrow(side, 0, length).flip(side)
        after = images.narrow(side, images.shape[side] - length, length).flip(side)
        images = torch.cat([before, images, after], dim=side)
    return images


def _cut(features: torch.Tensor, images: torch.Tensor, margin: int) -> torch.Tensor:
    """Features of mirrored images, without those that lie wholly beyond the images' edges."""
    for side in (2, 3) if margin else ():
        length, found = images.shape[side], features.shape[side]
        around = min(margin, length)
        beyond = around * found // (length + 2 * around)
        features = features.narrow(side, beyond, found - 2 * beyond)
    return features
