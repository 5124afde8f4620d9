"""Which shipped style comes nearest to a style image: where its training starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from vidstyle.core.errors import UsageError
from vidstyle.models.loss.objective import Content, Objective
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import load_style
from vidstyle.models.style.styles import shipped_styles, styles_in
from vidstyle.training.objective import settings_of
from vidstyle.training.photos import read_squares

# One would decide by its motif.
_COMPARED_ON = 2


def nearest_style(objective: Objective, photos: Sequence[Path]) -> str:
    """Find the shipped style whose stylized photos have the smallest style loss.

    Args:
        objective: Of the style image; its settings name the network, of which the style must be.
        photos: Files; the first few count.

    Returns:
        The name of the style.

    Raises:
        UsageError: No style of that network ships.
        InputError: The photos cannot be read.
    """
    settings = settings_of(objective)
    device = objective.styles[0].gram.device
    squares = [s.to(device) for s in read_squares(photos[:_COMPARED_ON], settings.crop)]
    losses: dict[str, float] = {}
    for name, path in sorted(styles_in(shipped_styles()).items()):
        style = load_style(path)
        if (style.info.architecture, style.info.width) != (settings.architecture, settings.width):
            continue
        network = style.module.to(device)
        with torch.no_grad():
            losses[name] = sum(_style_loss(objective, stylize(network, s)) for s in squares)
    if not losses:
        raise UsageError(
            f"no style of {settings.architecture} with {settings.width} channels ships: use"
            " --initial-weights base or random"
        )
    return min(losses, key=losses.__getitem__)


def _style_loss(objective: Objective, image: torch.Tensor) -> float:
    features = objective.features(image)
    # As its own content, whose features are there already: the style alone is looked at.
    terms = objective.terms(image, Content(image, features), features=features)
    return float(terms["style"])
