"""What a training is made with: everything that its result depends on beside the images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vidstyle.models.loss.backbone import BackboneName, Pooling
from vidstyle.models.style.architectures import ArchitectureName

Scale = Annotated[float, Field(gt=0, le=1)]


class Settings(BaseModel):
    """Settings of one training; unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    iterations: int = Field(2000, ge=1)
    """Steps of the optimizer."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Of the start weights, the crops and the noise."""
    architecture: ArchitectureName = "fast"
    """Of the network."""
    width: int = Field(16, ge=1, le=128)
    """Channels of the network's finest layers."""
    start: Literal["base", "random"] = "base"
    """Where its weights begin: at those of the base network that ships with vidstyle, which is
    only there for the default network, or at random ones."""
    batch: int = Field(1, ge=1)
    """Crops a step."""
    crop: int = Field(192, ge=32, multiple_of=4)
    """Side of a crop in pixels."""
    learning_rate: float = Field(2e-3, gt=0)
    """Of Adam, until the decay begins."""
    decay: float = Field(0.7, ge=0, le=1)
    """Share of the iterations, at the end, over which the learning rate falls to 0."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the convolutions; losses and weights are float32."""

    style_image_side: int = Field(512, ge=64)
    """Shorter side of the painting in pixels: the larger, the finer the strokes."""
    backbone: BackboneName = "vgg19"
    """The loss network."""
    style_layers: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Its layers whose Gram matrices are compared; by default what suits it."""
    style_scales: tuple[Scale, ...] = Field((1.0, 0.5), min_length=1)
    """Sizes at which they are compared: small ones stand in for the layers above conv3_4."""
    content_layer: str | None = None
    """Its layer whose features are compared; by default what suits it."""
    pooling: Pooling = "max"
    """Between the blocks of VGG."""

    strength: float = Field(1.0, gt=0, le=4)
    """Weight of the style loss, which is 1 for an untouched photo: at 2, style counts twice as
    much against the photo's content as at 1."""
    content: float = Field(0.03, ge=0)
    """Weight of the content loss, which is 1 for an image without any content."""
    variation: float = Field(0.01, ge=0)
    """Weight of the total variation, which is 1 for an untouched photo."""
    range_penalty: float = Field(10.0, ge=0)
    """Weight of the mean squared distance to the range of the painting's colors: it keeps white
    blobs out of bright and saturated areas."""
    temporal: float = Field(0.006, ge=0)
    """Weight of the difference between a painted image and the warped painting of the image
    before it, which is 1 for a network that returns its input. 0 trains on single images."""
    noise: float = Field(0.02, gt=0, le=1)
    """Standard deviation of the noise, of images in [0, 1], that is added to the earlier of the
    two: the painting is to be steady against it as against motion."""
