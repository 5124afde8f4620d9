"""The loss of an image that is optimized for one content (Gatys et al. 2016), with its gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.loss.loss_terms import Past, StyleTarget
from vidstyle.models.loss.objective import Content, Objective, ScaledFeatures, style_targets
from vidstyle.models.optimization.task import StyleReference

_MARGIN = 8
"""Pixels by which images are mirrored beyond their edges."""


@dataclass(frozen=True, slots=True, eq=False)
class LossEvaluation:
    """The loss of an image, and where it grows."""

    loss: float
    """The weighted sum of the terms."""
    terms: Mapping[str, float]
    """Before they are weighted."""
    gradient: torch.Tensor
    """Of the loss, by the image."""


class ImageLoss:
    """The objective for one content at one size."""

    def __init__(
        self,
        backbone: Backbone,
        content: torch.Tensor,
        references: Sequence[StyleReference],
        options: LossOptions,
        *,
        past: Past | None = None,
    ) -> None:
        """Computes what images are compared with.

        Args:
            backbone: On the device of the content.
            content: (1, 3, H, W) RGB in [0, 1], or (1, 1, H, W), which stands for gray.
            references: The style images, each of its own size.
            options: What is compared, and how much it counts.
            past: The previous frame.

        Raises:
            LayerError: The weights do not reach a layer, or the content or a style image is too
                small for one.
            ValueError: There is no style image.
        """
        if not references:
            raise ValueError("there is no style image to learn from")
        features = ScaledFeatures(backbone, options, margin=_MARGIN, side=min(content.shape[2:]))
        with torch.no_grad():
            found = features(content)
        self._content, self._past = Content(content, found), past
        total = sum(reference.weight for reference in references)
        targets: list[StyleTarget] = []
        for reference in references:
            targets += style_targets(
                features,
                reference.image,
                image_weight=reference.weight / total,
                mask=reference.mask,
                like=found,
            )
        empty = Objective(features, options, tuple(targets), {})
        self._objective = replace(empty, units=empty.measure(content))

    def terms(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute the terms of an image, differentiable by it.

        Args:
            image: Like the content.

        Returns:
            Scalars by the terms' names.
        """
        return self._objective.terms(image, self._content, self._past)

    def evaluate(self, image: torch.Tensor) -> LossEvaluation:
        """Compute the loss of an image, and its gradient.

        Args:
            image: Like the content.

        Returns:
            The loss, its terms and its gradient.
        """
        variable = image.detach().requires_grad_()
        terms = self.terms(variable)
        loss = self._objective.total(terms)
        (gradient,) = torch.autograd.grad(loss, variable)
        values = torch.stack([loss, *terms.values()]).tolist()
        return LossEvaluation(values[0], dict(zip(terms, values[1:], strict=True)), gradient)
