"""Figures that need more than clips: networks, and the image of the style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.errors import WeightsError
from vidstyle.evaluation.evaluator import Likeness, StyleLoss
from vidstyle.evaluation.perceptual import load_perceptual

_NO_STYLE = "nothing is said of the style that is kept"


@dataclass(frozen=True, slots=True)
class Extras:
    """What is at hand for them."""

    likeness: Likeness | None = None
    style_loss: StyleLoss | None = None
    allowed_blobs: float = 0.0
    """Share of black and white areas in the style's image; 0 where it is not known."""
    notes: tuple[str, ...] = ()
    """Why one of them is missing."""


def find_extras(
    *,
    style_image: Path | None = None,
    weights: Path | None = None,
    size: tuple[int, int] | None = None,
) -> Extras:
    """LPIPS where it is at hand, and the style's loss where its image is given.

    ``weights`` is a folder, or None for ``VIDSTYLE_WEIGHTS`` and the user's cache; nothing is
    downloaded. ``size`` is the width and height of the frames, if known: the notes say where they
    are too small for the style's loss. Raises InputError where the image cannot be read.
    """
    notes, found = [], Extras()
    likeness: Likeness | None = None
    try:
        likeness = load_perceptual(weights)
    except WeightsError as error:
        notes.append(f"there is no LPIPS; SSIM alone says how alike the images are: {error}")
    if style_image is not None:
        try:
            found = _style(style_image, weights, size)
        except WeightsError as error:
            notes.append(f"{_NO_STYLE}: {error}")
    return Extras(likeness, found.style_loss, found.allowed_blobs, (*notes, *found.notes))


def _style(image: Path, weights: Path | None, size: tuple[int, int] | None) -> Extras:
    # torch takes seconds to import: only for who names an image.
    from vidstyle.evaluation.style_kept import load_style_kept

    kept = load_style_kept(image, weights=weights)
    if size and (reason := kept.too_small(*size)):
        return Extras(allowed_blobs=kept.blob_share, notes=(f"{_NO_STYLE}: {reason}",))
    return Extras(style_loss=kept, allowed_blobs=kept.blob_share)
