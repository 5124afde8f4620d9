"""The scores of one clip: their names, their values, and how they run over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

Series = tuple[float | None, ...]
"""One value per frame; None where the metric is not defined, as on a first frame."""


METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "e_warp": "warping error of neighboring frames (Lai et al. 2018)",
        "e_warp_long": "warping error at a distance of 10 frames",
        "e_warp_first": "warping error against the first frame of the shot",
        "e_stab": "root of the masked squared error over all pixels (ReCoNet)",
        "source_e_warp": "warping error of the source itself: the floor",
        "per_frame_e_warp": "warping error of the per-frame baseline",
        "warping_error_reduction": "part of the per-frame baseline's warping error that is gone",
        "warping_error_reduction_long": "the same at a distance of 10 frames",
        "relative_warping_error": "(E(O)/E(I)) / (G(O)/G(I)): warping error beside gradients",
        "ssim": "SSIM of luma to the per-frame baseline",
        "lpips": "LPIPS (AlexNet) to the per-frame baseline",
        "sharpness": "variance of the Laplacian beside the per-frame baseline's",
        "style_loss_ratio": "Gram loss beside the per-frame baseline's",
        "ghosting": "mean difference to the per-frame baseline within 5 px of occlusions",
        "cut_bleed": "mean difference to the per-frame baseline on the first frame after a cut",
        "static_deviation": "standard deviation over time where nothing moves",
        "luma_slope": "change of mean luma per frame, of 255",
        "dead_pixels": "fraction of pixels that are dead",
        "dead_blobs": "black or white blobs a frame that the source does not have",
    }
)
"""Metrics by name, and what they mean."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One stylized clip beside its source and, where there is one, its per-frame baseline."""

    evaluator: str
    """Name of the optical flow behind the scores; they compare only under the same one."""
    frames: int
    cuts: tuple[int, ...]
    """Indices of the frames that begin a shot, the first frame left out."""
    coverage: float
    """Fraction of the pixels that the masks of neighboring frames let through."""
    scores: Mapping[str, float]
    """By the names of ``METRICS``; a metric without a value is absent."""
    series: Mapping[str, Series] = field(default_factory=dict)
    """By the names of ``METRICS``: those with a value for each frame."""
    notes: tuple[str, ...] = ()
    """What a reader of the scores must know, such as which are missing and why."""

    def __post_init__(self) -> None:
        for name in ("scores", "series"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if unknown := sorted((set(self.scores) | set(self.series)) - set(METRICS)):
            raise ValueError(f"no metrics of these names: {', '.join(unknown)}")


@dataclass(slots=True)
class Quotient:
    """A sum over a sum, such as errors over pixels, and the two of each frame."""

    top: float = 0.0
    bottom: float = 0.0
    frames: list[float | None] = field(default_factory=list)

    def add(self, top: float, bottom: float = 1.0) -> None:
        """Add one frame; with ``bottom`` left at 1 the value is a mean over frames.

        Args:
            top: Of the frame.
            bottom: Of the frame; 0 gives the frame no value of its own.
        """
        self.top += top
        self.bottom += bottom
        self.frames.append(top / bottom if bottom else None)

    def skip(self) -> None:
        """Add one frame for which the metric is not defined."""
        self.frames.append(None)

    @property
    def value(self) -> float | None:
        """None where there is nothing to divide by."""
        return self.top / self.bottom if self.bottom else None

    @property
    def series(self) -> Series:
        """The value of each frame."""
        return tuple(self.frames)


def summarize_scores(scores: Mapping[str, float]) -> str:
    """Say in a sentence what a clip gains over its per-frame baseline, and what it loses.

    Args:
        scores: By the names of ``METRICS``.

    Returns:
        Such as ``removes 54 % of the flicker and keeps 91 % of the sharpness``; empty where there
        was no baseline.
    """
    parts = []
    if (removed := scores.get("warping_error_reduction")) is not None:
        sentence = "removes {} of the flicker" if removed >= 0 else "adds {} to the flicker"
        parts.append(sentence.format(_percent(abs(removed))))
    if parts and (kept := scores.get("sharpness")) is not None:
        parts.append(f"keeps {_percent(kept)} of the sharpness")
    return " and ".join(parts)


def _percent(part: float) -> str:
    return f"{part:.0%}".replace("%", " %")
