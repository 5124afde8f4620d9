"""What the steps of a training compare: loss networks and image sizes, each in its turn.

One network would be overfitted: what it alone cannot see would be drawn as noise. One size and one
network a step cost less than all at once, and a crop that is larger where its size is smaller costs
no more and shows larger strokes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.models.loss.loss_options import Layers
from vidstyle.models.loss.objective import Objective
from vidstyle.training.objective import load_objectives
from vidstyle.training.settings import TrainingSettings

# Photos: a training waits for all of its turns to be calibrated.
_CALIBRATED_ON = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """Layers of a loss network that a training compares where its settings name none."""

    style: Layers
    content: tuple[str, ...]


# Most of what separates a small network from a published one are the layers of two to ten pixels.
_COMPARED: dict[str, Compared] = {
    "vgg16": Compared(
        {"relu1_2": 1.0, "relu2_2": 3.0, "relu3_3": 1.5, "relu4_3": 1.0},
        ("relu2_2", "relu3_3", "relu4_2"),
    ),
    "vgg19": Compared(
        {"relu1_2": 1.0, "relu2_1": 2.0, "relu2_2": 2.0, "relu3_2": 1.0, "relu3_4": 1.0},
        ("relu2_2", "relu3_3"),
    ),
}


def settings_in_turn(settings: TrainingSettings) -> tuple[TrainingSettings, ...]:
    """Divide the settings of a training into those of its steps.

    Args:
        settings: Without ``auto``.

    Returns:
        Of step after step, then from the first one again: one loss network and one size each, and
        a crop that is larger, and seen smaller, where the size is.
    """
    backbones = [settings.backbone]
    if settings.second_backbone != "none":
        backbones.append(settings.second_backbone)
    return tuple(
        settings.model_copy(
            update={
                "backbone": backbone,
                "second_backbone": "none",
                "style_scales": (scale,),
                "crop": -(-round(settings.crop / scale**0.5) // 4) * 4,
                **_layers(settings, backbone, first=backbone == settings.backbone),
            }
        )
        for backbone in backbones
        for scale in settings.style_scales
    )


def _layers(settings: TrainingSettings, backbone: str, *, first: bool) -> dict[str, object]:
    """Those that the settings name are the first network's."""
    known = _COMPARED.get(backbone)
    style, content = (settings.style_layers, settings.content_layers) if first else (None, None)
    if known is not None:
        style, content = style or known.style, content or known.content
    return {"style_layers": style, "content_layers": content}


def load_turns(
    settings: TrainingSettings,
    style_image: Path,
    photos: Sequence[Path],
    weights: Path | None,
    device: str,
) -> tuple[Objective, ...]:
    """The objectives of a training's steps, calibrated on photos spread over a row of them.

    Args:
        settings: Of the training, without ``auto``.
        style_image: A file.
        photos: Files, in order.
        weights: File or folder of the loss networks' weights; None for ``VIDSTYLE_WEIGHTS``, the
            user's cache and a download.
        device: By torch's name.

    Returns:
        As ``settings_in_turn`` orders them, on the device; equal ones are one object.

    Raises:
        InputError: The style image or the photos cannot be read.
        WeightsError: There are no weights, or not the right ones.
        UsageError: The weights do not reach a layer.
    """
    return load_objectives(
        settings_in_turn(settings),
        style_image,
        photos,
        weights,
        device,
        calibrated_on=_CALIBRATED_ON,
    )
