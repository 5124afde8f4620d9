"""Where in a frame it is stylized."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from vidstyle.core import HostArray, StageOptions, layer_or_file


class MaskOptions(StageOptions):
    """Options of a stage that stylizes within a mask."""

    mask: str | None = layer_or_file(
        description="Where to stylize: an image or video that is white there (or opaque, if"
        " it has transparency), or the name of a layer, such as a side input."
    )
    invert_mask: bool = Field(False, description="Stylize where the mask is black.")

    @model_validator(mode="after")
    def _check_mask(self) -> Self:
        if self.invert_mask and self.mask is None:
            raise ValueError("invert_mask needs a mask")
        return self

    def mix(
        self, image: HostArray, stylized: HostArray, strength: float, mask: HostArray | None
    ) -> HostArray:
        """Mix an image with its stylization; exact where the weight is 0 or 1.

        Args:
            image: (H, W, 3) RGB in [0, 1].
            stylized: Of the same shape.
            strength: Weight of the stylization, in [0, 1].
            mask: The layer that ``mask`` names, (H, W) in [0, 1]; None without one.

        Returns:
            (H, W, 3), float32.

        Raises:
            ValueError: The mask has another shape.
        """
        if mask is None:
            if strength in (0, 1):
                return stylized if strength else image
            weight: HostArray | np.float32 = np.float32(strength)
        else:
            assert self.mask is not None
            check_mask(self.mask, mask.shape, image.shape[:2])
            weight = strength * (1 - mask if self.invert_mask else mask)[..., np.newaxis]
        return np.asarray(image * (1 - weight) + stylized * weight, np.float32)


def check_mask(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Check that a mask is one value a pixel.

    Args:
        name: Of its layer.
        shape: That it has.
        wanted: The shape of an image of one channel there.

    Raises:
        ValueError: It is another one.
    """
    if shape != wanted:
        raise ValueError(f"the mask {name} must be one value a pixel, {wanted}, got {shape}")
