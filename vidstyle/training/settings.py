"""What a training is made with: everything that its result depends on beside the pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vidstyle.models.vgg import Pooling

Scale = Annotated[float, Field(gt=0, le=1)]


class Settings(BaseModel):
    """Settings of one training; unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    iterations: int = Field(5000, ge=1)
    """Steps of the optimiser."""
    seed: int = Field(0, ge=0)
    """Of the start weights, the crops and the noise."""
    width: int = Field(16, ge=1, le=128)
    """Channels of the network at full size."""
    batch: int = Field(1, ge=1)
    """Crops a step."""
    crop: int = Field(256, ge=32, multiple_of=4)
    """Side of a crop in pixels."""
    learning_rate: float = Field(1e-3, gt=0)
    """Of Adam, until the decay begins."""
    decay: float = Field(0.7, ge=0, le=1)
    """Share of the iterations, at the end, over which the learning rate falls to 0."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the convolutions; losses and weights are float32."""

    painting_side: int = Field(512, ge=64)
    """Shorter side of the painting in pixels: the larger, the finer the strokes."""
    style_taps: tuple[str, ...] = Field(("relu1_2", "relu2_2", "relu3_2", "relu3_4"), min_length=1)
    """Layers of VGG19 whose Gram matrices are compared."""
    style_scales: tuple[Scale, ...] = Field((1.0, 0.5), min_length=1)
    """Sizes at which they are compared: small ones stand in for the layers above conv3_4."""
    content_tap: str = "relu3_2"
    """Layer of VGG19 whose features are compared."""
    pooling: Pooling = "max"
    """Between the blocks of VGG19."""

    style: float = Field(1.0, ge=0)
    """Weight of the style loss, which is 1 for an untouched photo."""
    content: float = Field(0.25, ge=0)
    """Weight of the content loss, which is 1 for a picture without any content."""
    variation: float = Field(0.01, ge=0)
    """Weight of the total variation, which is 1 for an untouched photo."""
    excess: float = Field(10.0, ge=0)
    """Weight of the mean squared distance to the range of the painting's colours: it keeps white
    blobs out of bright and saturated areas."""
    steadiness: float = Field(0.05, ge=0)
    """Weight of the growth of noise, in power, from the photo to the painting."""
    noise: float = Field(0.02, ge=0, le=1)
    """Standard deviation of that noise, of pictures in [0, 1]."""
