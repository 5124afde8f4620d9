"""What judging a clip gives: the figures, and how they run over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Series = tuple[float | None, ...]
"""One value for each frame; None where the figure is not defined, as on a first frame."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Of one styled clip, against its source and, where there is one, its per-frame painting."""

    judge: str
    """Name of the flow that judged; every figure is only comparable under the same."""
    frames: int
    cuts: tuple[int, ...]
    """Indices of the frames that begin a shot, the first frame left out."""
    coverage: float
    """Share of the pixels that the masks of neighboring frames let through."""
    figures: Mapping[str, float]
    """By the names of ``FIGURES``; those that could not be had are absent."""
    series: Mapping[str, Series] = field(default_factory=dict)
    """By the names of ``FIGURES``: those that have a value for each frame."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, such as which are missing and why."""

    def __post_init__(self) -> None:
        for name in ("figures", "series"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if unknown := sorted((set(self.figures) | set(self.series)) - set(FIGURES)):
            raise ValueError(f"no figures of these names: {', '.join(unknown)}")


FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "e_warp": "warping error of neighboring frames (Lai et al. 2018)",
        "e_warp_long": "warping error at a distance of 10 frames",
        "e_warp_first": "warping error against the first frame of the shot",
        "e_stab": "root of the masked squared error over all pixels (ReCoNet)",
        "source_e_warp": "warping error of the source itself: the floor",
        "per_frame_e_warp": "warping error of the per-frame painting",
        "flicker_removed": "D: share of the per-frame warping error that is gone",
        "flicker_removed_long": "the same at a distance of 10 frames",
        "relative_steadiness": "(E(O)/E(I)) / (G(O)/G(I)): warping error beside gradients",
        "ssim": "SSIM of luma to the per-frame painting",
        "lpips": "LPIPS (AlexNet) to the per-frame painting",
        "sharpness": "variance of the Laplacian beside the per-frame painting's",
        "style_kept": "Gram loss beside the per-frame painting's",
        "ghosting": "mean difference to the per-frame painting within 5 px of occlusions",
        "cut_bleed": "mean difference to the per-frame painting on the first frame after a cut",
        "static_deviation": "standard deviation over time where nothing moves",
        "luma_slope": "change of mean luma per frame, of 255",
        "dead_pixels": "share of pixels that are dead",
        "dead_blobs": "black or white blobs a frame that the source does not have",
    }
)
"""Figures and what they mean."""
