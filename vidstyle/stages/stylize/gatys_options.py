"""The options of painting by optimization, of clips and of stills; usable without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from vidstyle.core import Mix, StageOptions, keyframed, layer_or_file
from vidstyle.core.errors import InputError, WeightsError
from vidstyle.core.paths import is_file
from vidstyle.models.loss.backbone_table import BackboneName, Pooling
from vidstyle.models.optimization.memory import gatys_memory
from vidstyle.models.optimization.settings import (
    Colors,
    DescentSettings,
    LossSettings,
    LossWeights,
    Optimizer,
    Variation,
)
from vidstyle.models.optimization.style_image_file import check_style_image, style_image_pixels
from vidstyle.models.weights.places import find_backbone

Weight = Annotated[float, Field(ge=0, le=1e6)]
Layers = (
    Annotated[dict[str, Weight], Field(min_length=1)]
    | Annotated[tuple[str, ...], Field(min_length=1)]
)


class OptimizationOptions(StageOptions):
    """What images are painted after, and by which losses."""

    style: Mix = Field(
        description="A painting, or several with weights: {waves.jpg: 0.7, night.jpg: 0.3}."
    )
    style_scale: float = Field(
        1.0,
        ge=0.1,
        le=4,
        description="Longer side of the paintings, relative to the image's: larger makes larger"
        " strokes.",
    )
    backbone: BackboneName = Field("vgg16", description="The loss network.")
    weights: str | None = Field(
        None,
        description="Its weights: a file, or a folder with it; otherwise from the folder"
        " VIDSTYLE_WEIGHTS, the user's cache, or the official server.",
    )
    offline: bool = Field(False, description="True: weights that are missing are not downloaded.")
    pooling: Pooling = Field("max", description="'average' is smoother (Gatys et al. 2016).")
    style_layers: Layers | None = Field(
        None, description="Whose Gram matrices are compared, with weights where it is a mapping."
    )
    content_layers: tuple[str, ...] | None = Field(
        None, min_length=1, description="Whose features are compared."
    )
    style_weight: Weight = Field(1.0, description="Of the style loss, 1 for an untouched image.")
    content_weight: Weight = Field(
        0.03, description="Of the content loss, 1 for an image without any content."
    )
    variation: Weight = Field(
        0.01, description="Of the total variation, 1 for an untouched image: more is smoother."
    )
    variation_kind: Variation = Field("squared", description="'absolute' leaves edges sharp.")
    colors: Colors = Field(
        "style_image",
        description="'luminance' paints light and dark alone, 'transfer' gives the paintings the"
        " image's colors first.",
    )
    optimizer: Optimizer = Field(
        "lbfgs", description="'lbfgs' needs fewer steps, 'adam' less memory."
    )
    learning_rate: float = Field(0.02, gt=0, le=1, description="Of Adam.")
    levels: int = Field(
        1,
        ge=1,
        le=4,
        description="Sizes, each half the next, that are painted from coarse to fine.",
    )
    tolerance: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="It ends where the loss falls by less than this share over 20 steps.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Of a start from noise.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Of the convolutions: auto is bfloat16 on a processor that has it, and else"
        " float32.",
    )

    @field_validator("style")
    @classmethod
    def _named(cls, style: str | dict[str, float]) -> str | dict[str, float]:
        if not all(style if isinstance(style, dict) else [style]):
            raise ValueError("a painting needs a file")
        return style

    @field_validator("style_layers")
    @classmethod
    def _compared(
        cls, layers: dict[str, float] | tuple[str, ...] | None
    ) -> dict[str, float] | tuple[str, ...] | None:
        if isinstance(layers, dict) and not any(layers.values()):
            raise ValueError("all weights are 0; give a layer more")
        return layers

    @property
    def style_images(self) -> dict[Path, float]:
        """The files, with weights that sum to 1."""
        mix = self.style if isinstance(self.style, dict) else {self.style: 1.0}
        return {Path(name): weight for name, weight in mix.items() if weight}

    def losses(self, *, temporal: float = 0.0) -> LossSettings:
        """What is compared, and how much it counts; of options that are settled."""
        layers = self.style_layers
        return LossSettings(
            weights=LossWeights(
                style=self.style_weight,
                content=self.content_weight,
                variation=self.variation,
                temporal=temporal,
            ),
            style_layers=dict.fromkeys(layers, 1.0) if isinstance(layers, tuple) else layers,
            content_feature_layers=self.content_layers,
            variation=self.variation_kind,
            precision="float32" if self.precision == "auto" else self.precision,
        )

    def resolved(self, device: str) -> Self:
        """With the precision that ``auto`` stands for on a device; by its features, not timing."""
        if self.precision != "auto":
            return self
        from vidstyle.models.openvino.runtime import has_native_bfloat16

        half = device == "cpu" and has_native_bfloat16()
        return self.model_copy(update={"precision": "bfloat16" if half else "float32"})

    def descent(self, steps: int) -> DescentSettings:
        """How the loss is made small, from the content."""
        return DescentSettings(
            steps=steps,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            levels=self.levels,
            tolerance=self.tolerance,
            seed=self.seed,
        )

    def memory(self, width: int, height: int, device: str) -> int:
        """Bytes that painting an image of that size takes at most of the processor's memory.

        Raises InputError for a painting that is not there, or is none.
        """
        if device != "cpu":
            return 0
        return gatys_memory(
            self.backbone,
            self.descent(1),
            width=width,
            height=height,
            style_scale=self.style_scale,
            style_image_pixels=sum(map(style_image_pixels, self.style_images)),
        )

    def weights_file(self) -> Path:
        """The file of the backbone's weights; fetched where it may be. Raises WeightsError."""
        position = None if self.weights is None else Path(self.weights)
        if position is not None and is_file(position):
            return position
        if position is not None and position.suffix:
            raise WeightsError(f"{position} is not there: name the weights of {self.backbone}")
        return find_backbone(self.backbone, folder=position, offline=self.offline)


class ClipOptions(OptimizationOptions):
    """Of frames, beside that."""

    strength: float = keyframed(
        1.0, ge=0, le=1, description="Share of the painting; 0 leaves the image as it is."
    )
    mask: str | None = layer_or_file(
        description="Where to paint: an image or video that is white there; or a layer's name."
    )
    temporal: Weight = Field(
        10.0, description="Of the difference to the warped frame before, where it is visible."
    )

    def check_style_images(self) -> None:
        """Raise InputError where one is not there, or is no image; nothing is decoded."""
        for path in self.style_images:
            if not is_file(path):
                raise InputError(
                    f"the painting {path} is not there, or is not a file: name one with"
                    " `--style FILE`"
                )
            check_style_image(path)


class GatysOptions(ClipOptions):
    """Of one frame after the other."""

    steps: int = Field(150, ge=1, le=10_000, description="For the first frame of a shot.")
    steps_following: int = Field(
        40, ge=1, le=10_000, description="For the other frames, where there is flow."
    )
    start: Literal["previous", "content", "noise"] = Field(
        "previous", description="Where frames begin: at the warped painting of the one before."
    )


class GatysMultipassOptions(ClipOptions):
    """Of many frames at once."""

    steps: int = Field(60, ge=1, le=10_000, description="For each frame, before the passes.")
    steps_pass: int = Field(15, ge=1, le=10_000, description="For each frame, in each pass.")
    passes: int = Field(4, ge=1, le=32, description="Every other one goes backwards.")
    blend: float = Field(
        0.5, ge=0, le=1, description="Share of the warped neighbor at the start of a pass."
    )
    span: int = Field(
        48,
        ge=1,
        le=1024,
        description="Frames that are worked on at once; what memory does not hold lies on disk.",
    )
