"""Where in a frame it is stylized."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from vidstyle.core import StageOptions, layer_or_file


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
