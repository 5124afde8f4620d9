"""What a loss compares and how much each term counts, as options; usable without torch.

Training and optimization share them: a new term's weight is added here, and its function in
``loss_terms``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from vidstyle.core.errors import WeightsError
from vidstyle.core.options import StageOptions
from vidstyle.core.paths import is_file
from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName, Pooling

Precision = Literal["auto", "float32", "bfloat16"]
Variation = Literal["squared", "absolute"]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Scale = Annotated[float, Field(gt=0, le=1)]
Layers = (
    Annotated[dict[str, Weight], Field(min_length=1)]
    | Annotated[tuple[str, ...], Field(min_length=1)]
)


class LossWeights(StageOptions):
    """The weight of each loss term.

    Terms are ratios: 1 is what an untouched image has, so that one set of weights serves every
    loss network and style image.
    """

    style_weight: Weight = Field(
        1.0, description="Weight of the style loss, which is 1 for an untouched image."
    )
    content_weight: Weight = Field(
        0.03, description="Weight of the content loss, which is 1 for an image without content."
    )
    structure_weight: Weight = Field(
        0.0,
        description="Weight of how far light and dark lie otherwise than in the content, 0 to 2."
        " Keeps faces and lettering.",
    )
    variation_weight: Weight = Field(
        0.01,
        description="Weight of the total variation, which is 1 for an untouched image. Higher"
        " is smoother.",
    )
    range_penalty_weight: Weight = Field(
        10.0, description="Weight of the mean squared distance to the range of colors."
    )
    temporal_weight: Weight = Field(
        10.0,
        description="Weight of the difference to the warped previous frame, where that is visible.",
    )

    @property
    def term_weights(self) -> dict[str, float]:
        """By name of a term; those that count nothing are left out."""
        names = [name for name in type(self).model_fields if name.endswith("_weight")]
        weights = {name.removesuffix("_weight"): getattr(self, name) for name in names}
        return {name: weight for name, weight in weights.items() if weight}


class LossOptions(LossWeights):
    """The loss network, what is compared by it, and the weights."""

    backbone: Literal["auto"] | BackboneName = Field(
        "auto",
        description="The loss network. auto is the first in this list whose weights are"
        " there; if none are, vgg16 is downloaded.",
    )
    pooling: Pooling = Field(
        "max", description="Pooling of the loss network; average is smoother (Gatys et al. 2016)."
    )
    style_layers: Layers | None = Field(
        None,
        description="Layers whose Gram matrices are compared, with or without weights. If not"
        " set: those that suit the backbone.",
    )
    content_layers: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None,
        description="Layers whose features are compared. If not set: the one that suits the"
        " backbone.",
    )
    style_scales: Annotated[tuple[Scale, ...], Field(min_length=1)] | None = Field(
        None,
        description="Image sizes at which style is compared, relative to the image. If not"
        " set: those that suit the backbone.",
    )
    variation: Variation = Field(
        "squared", description="Kind of total variation; absolute keeps edges sharp."
    )
    precision: Precision = Field(
        "auto",
        description="Precision of the convolutions. auto is bfloat16 where the processor"
        " supports it, else float32.",
    )

    @field_validator("style_layers")
    @classmethod
    def _check_layers(
        cls, layers: dict[str, float] | tuple[str, ...] | None
    ) -> dict[str, float] | tuple[str, ...] | None:
        if isinstance(layers, dict) and not any(layers.values()):
            raise ValueError("all weights are 0; give a layer more")
        return layers

    @property
    def layer_weights(self) -> Mapping[str, float] | None:
        """Of the style layers, each alike where they have none; None for the backbone's own."""
        layers = self.style_layers
        return layers if layers is None or isinstance(layers, dict) else dict.fromkeys(layers, 1.0)

    def resolve_auto(self, device: str, weights: str | Path | None = None) -> Self:
        """Replace every ``auto`` by a value, by the weights and the device, never by timing.

        Args:
            device: By torch's name.
            weights: A file or folder of the loss network's weights; without it they are sought
                where ``find_weights`` seeks them.

        Returns:
            The options without ``auto``.
        """
        changes: dict[str, str] = {}
        if self.backbone == "auto":
            changes["backbone"] = choose_backbone(weights)
        if self.precision == "auto":
            from vidstyle.models.openvino.runtime import has_native_bfloat16

            half = device == "cpu" and has_native_bfloat16()
            changes["precision"] = "bfloat16" if half else "float32"
        return self.model_copy(update=changes) if changes else self


class WeightsOptions(StageOptions):
    """Where the weights of the loss network come from."""

    weights: str | None = Field(
        None,
        description="Weight file of the loss network, or a folder with it. If not set, it is"
        " searched for in the folder VIDSTYLE_WEIGHTS and in the user's cache, and"
        " else downloaded.",
    )
    offline: bool = Field(False, description="Never download weights.")


def choose_backbone(weights: str | Path | None = None) -> BackboneName:
    """Choose the best loss network whose weights are there; without any, the first.

    Args:
        weights: A file, which decides by its keys, or the folder that is looked into first.

    Returns:
        Its name.
    """
    # Not at import: the command line knows its options by this module.
    from vidstyle.models.weights.catalog import CATALOG
    from vidstyle.models.weights.headers import read_header
    from vidstyle.models.weights.places import locate_weights

    path = None if weights is None else Path(weights)
    usable = [name for name, row in BACKBONES.items() if _is_supported(row.model)]
    if path is not None and is_file(path):
        header = read_header(path)
        recognized = (name for name in usable if CATALOG[name].recognizes(header))
        return next(recognized, usable[0])
    folder = path if path is not None and not path.suffix else None
    there = (name for name in usable if locate_weights(CATALOG[name], folder=folder))
    return next(there, usable[0])


def has_weights(backbone: BackboneName, weights: str | Path | None) -> bool:
    """Look for the weights of a loss network; nothing is downloaded.

    Args:
        backbone: The loss network.
        weights: A file, or the folder that is looked into first.

    Returns:
        Whether they are there. A file holds the weights of one network: it has those of no other.
    """
    from vidstyle.models.weights.catalog import CATALOG
    from vidstyle.models.weights.places import locate_weights

    path = None if weights is None else Path(weights)
    if path is not None and (path.suffix or is_file(path)):
        return False
    return locate_weights(CATALOG[backbone], folder=path) is not None


def find_weights_file(
    backbone: BackboneName, weights: str | Path | None, *, offline: bool = False
) -> Path:
    """Find the file of a loss network's weights; the official one is downloaded where it may be.

    Args:
        backbone: The loss network.
        weights: A file, or the folder that is looked into first.
        offline: Download nothing.

    Returns:
        The file.

    Raises:
        WeightsError: There is no such file, or it cannot be downloaded.
    """
    path = None if weights is None else Path(weights)
    if path is not None and is_file(path):
        return path
    if path is not None and path.suffix:
        raise WeightsError(f"{path} is not there: name the weights of {backbone}")
    from vidstyle.models.weights.places import find_backbone

    return find_backbone(backbone, folder=path, offline=offline)


def _is_supported(model: str) -> bool:
    return not model.startswith("timm:") or find_spec("timm") is not None
