"""The options of stylizing frames by optimization; usable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vidstyle.core import keyframed
from vidstyle.core.errors import InputError
from vidstyle.core.paths import is_file
from vidstyle.imaging.mask_options import MaskOptions
from vidstyle.imaging.strokes import StrokeSize, stroke_size_option
from vidstyle.models.optimization.options import OptimizationOptions
from vidstyle.models.optimization.style_image_file import check_style_image


class ClipOptions(OptimizationOptions, MaskOptions):
    """Of frames."""

    strength: float = keyframed(
        1.0, ge=0, le=1, description="Weight of the stylized image. 0 leaves the image unchanged."
    )

    def check_files(self) -> None:
        """Check that style images and weights are there; nothing is decoded.

        Raises:
            InputError: a style image is not there, or is no image.
            WeightsError: weights that the options name, or that may not be downloaded, are not
                there.
        """
        for path in self.style_images:
            if not is_file(path):
                raise InputError(
                    f"the style image {path} is not there, or is not a file: name one with"
                    " `--style FILE`"
                )
            check_style_image(path)
        if self.weights is not None or self.offline:
            self.weights_file()


class GatysOptions(ClipOptions):
    """Of one frame after the other, each from the one before."""

    stroke_size: StrokeSize = stroke_size_option()
    steps: int = Field(150, ge=1, le=10_000, description="Steps for the first frame of a shot.")
    steps_following: int = Field(
        40, ge=1, le=10_000, description="Steps for each other frame, if there is flow."
    )
    start: Literal["previous", "content", "noise"] = Field(
        "previous",
        description="Where frames start: previous is the stylized previous frame, warped.",
    )


class GatysMultipassOptions(ClipOptions):
    """Of many frames together, in passes."""

    start: Literal["content", "noise"] = Field(
        "content", description="The image at which each frame starts before the passes."
    )

    steps: int = Field(60, ge=1, le=10_000, description="Steps for each frame, before the passes.")
    steps_per_pass: int = Field(
        15, ge=1, le=10_000, description="Steps for each frame, in each pass."
    )
    passes: int = Field(
        4, ge=1, le=32, description="Number of passes; every other one goes backwards."
    )
    blend: float = Field(
        0.5, ge=0, le=1, description="Weight of the warped neighbor at the start of a pass."
    )
    span: int = Field(
        48,
        ge=1,
        le=1024,
        description="Frames that are optimized together; what memory does not hold is on disk.",
    )
