"""What the page asks a worker process for. Paths are ours; all else is a choice or a number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from vidstyle.models.loss.backbone_table import BackboneName

IMAGE, STYLIZED, PREVIEW_VIDEOS, REPORT = (
    "painted.png",
    "painted.mp4",
    "comparison.json",
    "flicker.html",
)
"""Files that tasks make in their folder."""


class _Task(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    """Where what it makes is put; an empty folder of its own."""


class ImageTask(_Task):
    """Paint a photo after a painting, by optimization; makes ``IMAGE``, again and again."""

    kind: Literal["image"] = "image"
    content: Path
    style_image: Path
    steps: int = Field(20, ge=1, le=10_000)
    size: int = Field(500, ge=100, le=1000)
    """Longer side in pixels."""
    backbone: BackboneName = "vgg19"
    layer_weights: tuple[float, ...] = Field((1.0, 1.0, 1.0, 1.0), min_length=2, max_length=8)
    """Of the style's layers, from fine to coarse, spread over as many as the backbone has."""
    style_weight: float = Field(1.0, gt=0, le=1000)
    variation: float = Field(0.01, ge=0, le=1000)
    """Weight of the total variation."""
    strength: float = Field(1.0, ge=0, le=1)
    """Share of the painting in the result."""

    @field_validator("layer_weights")
    @classmethod
    def _some_style(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if min(weights) < 0 or not any(weights):
            raise ValueError("the weights of layers are at least 0, and one of them is more")
        return weights


class _ClipTask(_Task):
    clip: Path
    pipeline: Path
    style: Path


class PreviewTask(_ClipTask):
    """Paint single frames of a clip; makes an image a frame."""

    kind: Literal["preview"] = "preview"
    count: int = Field(3, ge=1, le=12)


class ClipTask(_ClipTask):
    """Paint a clip; makes ``PAINTED``, and ``FILMS`` to compare it by."""

    kind: Literal["clip"] = "clip"


class FlickerTask(_ClipTask):
    """Judge a painted clip beside one without blend; makes ``REPORT``."""

    kind: Literal["flicker"] = "flicker"
    stylized: Path


Task: TypeAlias = ImageTask | PreviewTask | ClipTask | FlickerTask
TASK: TypeAdapter[Task] = TypeAdapter(Annotated[Task, Field(discriminator="kind")])
"""From JSON and back."""
