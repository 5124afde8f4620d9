"""The options of stylization by optimization, declared once; usable without torch.

They are the keys of ``stylize/gatys`` and ``stylize/gatys-multipass``, the options of
``vidstyle image`` and the choices of the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, field_validator

from vidstyle.core.options import Mix, StageOptions
from vidstyle.models.loss.backbone_table import BACKBONES
from vidstyle.models.loss.loss_options import (
    LossOptions,
    WeightsOptions,
    choose_backbone,
    find_weights_file,
)

Optimizer = Literal["lbfgs", "adam"]
Start = Literal["content", "noise", "previous"]
Colors = Literal["style", "content-luminance", "content-matched"]
"""Those of the style image; or the content's, by stylizing its luminance alone (Gatys et al. 2016,
Preserving Color, section 3.2); or the content's, which the style image is given first (section
3.1)."""

LBFGS_STEPS: Final = 20
"""Past steps that L-BFGS keeps; each takes the memory of two images."""
SMALLEST_SIDE, LARGEST_SIDE = 100, 4096
"""Of an image's longer side in pixels."""
_LEAST_LEVEL_SIDE = 64
"""Shorter side in pixels of a coarse level: a smaller image has nothing left to stylize."""


class DescentOptions(StageOptions):
    """How the loss is made small."""

    steps: int = Field(300, ge=1, le=10_000, description="Steps of the optimizer at most.")
    optimizer: Optimizer = Field("lbfgs", description="lbfgs needs fewer steps, adam less memory.")
    learning_rate: float = Field(
        0.02,
        gt=0,
        le=1,
        description="Learning rate of adam: roughly how far a pixel moves per step.",
    )
    levels: int = Field(
        1, ge=1, le=4, description="Image sizes, from coarse to fine; each is twice the one before."
    )
    tolerance: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Stop early when the loss falls by less than this fraction over 20 steps.",
    )
    start: Start = Field("content", description="The image at which the optimization starts.")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of the noise to start at.")


class OptimizationOptions(LossOptions, WeightsOptions, DescentOptions):
    """Style images, losses and descent."""

    style: Mix = Field(
        description="A style image, or several with weights: {waves.jpg: 0.7, night.jpg: 0.3}."
    )
    style_scale: float = Field(
        1.0,
        ge=0.1,
        le=4,
        description="Longer side of the style images relative to the image's. Larger makes"
        " larger strokes.",
    )
    colors: Colors = Field(
        "style",
        description="style: colors of the style image. content-luminance: only the luminance"
        " is stylized. content-matched: the style image first gets the colors of"
        " the content.",
    )

    @field_validator("style")
    @classmethod
    def _check_style(cls, style: str | dict[str, float]) -> str | dict[str, float]:
        if not all(style if isinstance(style, dict) else [style]):
            raise ValueError("a style image needs a file")
        return style

    @property
    def style_images(self) -> dict[Path, float]:
        """The files, with weights that sum to 1."""
        mix = self.style if isinstance(self.style, dict) else {self.style: 1.0}
        return {Path(name): weight for name, weight in mix.items() if weight}

    def resolve(self, device: str) -> Self:
        """Replace every ``auto`` by a value.

        Args:
            device: As torch names it.

        Returns:
            The options without ``auto``.
        """
        return self.resolve_auto(device, self.weights)

    def weights_file(self) -> Path:
        """The file of the loss network's weights, which is downloaded where it may be.

        Raises:
            WeightsError: There is no such file, or it cannot be downloaded.
        """
        name = choose_backbone(self.weights) if self.backbone == "auto" else self.backbone
        return find_weights_file(name, self.weights, offline=self.offline)

    def memory(self, width: int, height: int, device: str) -> int:
        """State the processor's memory that an image takes.

        Args:
            width: Of the image, in pixels.
            height: Of the image, in pixels.
            device: As torch names it.

        Returns:
            Bytes at most.

        Raises:
            InputError: A style image is not there, or is none.
        """
        if device != "cpu":
            return 0
        # Not at import: the command line knows its options by this module.
        from vidstyle.models.optimization.style_image_file import style_image_pixels
        from vidstyle.models.weights.catalog import CATALOG

        name = choose_backbone(self.weights) if self.backbone == "auto" else self.backbone
        pixels = (width + _MARGIN) * (height + _MARGIN)
        # As if the style images were square.
        style_pixels = (self.style_scale * max(width, height) + _MARGIN) ** 2
        kept = 2 * LBFGS_STEPS if self.optimizer == "lbfgs" else 2
        # The features of style images need no gradient, which is half of it.
        features = BACKBONES[name].bytes_per_pixel * max(pixels, (pixels + style_pixels) / 2)
        images = _IMAGE_BYTES * (kept + _IMAGES) * pixels
        network = _LIBRARIES + round(CATALOG[name].mebibytes * 2**20)
        decoded = _DECODED_BYTES * sum(map(style_image_pixels, self.style_images))
        return network + decoded + round(features) + images


class StillOptions(OptimizationOptions):
    """Of a single image."""

    size: int = Field(
        500,
        ge=SMALLEST_SIDE,
        le=LARGEST_SIDE,
        description="Longer side of the result in pixels.",
    )
    strength: float = Field(
        1.0, ge=0, le=1, description="Weight of the stylized image in the result."
    )
    start: Literal["content", "noise"] = Field(
        "content", description="The image at which the optimization starts."
    )


def level_divisors(side: int, count: int) -> list[int]:
    """Choose what the sizes of so many levels are divided by.

    Args:
        side: Shorter side of the image, in pixels.
        count: How many levels are asked for.

    Returns:
        From the largest down to 1; fewer than asked for where the image is small.
    """
    return [
        2**level
        for level in reversed(range(count))
        if not level or side >> level >= _LEAST_LEVEL_SIDE
    ]


# Pixels by which an image is wider and higher in a network.
_MARGIN = 16
# Bytes a pixel of a float32 image, and images that an optimization works with, beside those that
# its optimizer remembers.
_IMAGE_BYTES, _IMAGES = 12, 12
# Bytes a pixel of a style image as it is read: 8 bits and float32.
_DECODED_BYTES = 15
# Bytes of torchvision or timm.
_LIBRARIES = 150 * 2**20
