"""Loss networks: trained classifiers whose features tell a picture's content and style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from vidstyle.models.backbone_layers import (
    BACKBONES,
    PREFIX,
    BackboneName,
    Choice,
    Pooling,
    empty_layers,
    reached_layers,
    smallest_side,
)
from vidstyle.models.backbone_weights import find_weights, read_weights
from vidstyle.models.input_form import INPUT_FORMS, InputForm

__all__ = ["Backbone", "BackboneName", "InputForm", "Pooling", "load_backbone"]


def load_backbone(
    name: str,
    *,
    folder: Path | None = None,
    file: Path | None = None,
    pooling: Pooling = "max",
    offline: bool = False,
) -> Backbone:
    """The loss network ``vgg16``, ``vgg19`` or ``squeezenet`` (1.1), ready for use on the CPU.

    Its weights are ``file``'s. Without one they are looked for in ``folder``, or without that in
    the folder that ``VIDSTYLE_WEIGHTS`` names, then in the user's cache; in each place the
    file that reaches deepest counts. Last, unless ``offline``, torchvision's official file is
    downloaded to the cache. ``pooling`` by average gives smoother gradients (Gatys et al. 2016).

    Raises ValueError for a name or pooling that there is not, and WeightsError where there is
    no file, it cannot be fetched, or it is damaged or of another layout.
    """
    # Before anything is fetched for a name or a pooling that there is not.
    empty_layers(name, pooling)
    path = file or find_weights(name, folder=folder, offline=offline)
    weights, form = read_weights(path, name)
    return Backbone(name, weights, form=form, pooling=pooling)


class Backbone(nn.Module):
    """The outputs of named layers ("taps") for pictures in RGB, [0, 1].

    The weights are frozen, and reach as far up as the file that they come from. ``load_backbone``
    makes one of a file.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, torch.Tensor],
        *,
        form: InputForm = "torchvision-rgb",
        pooling: Pooling = "max",
    ) -> None:
        """``weights`` has torchvision's keys, ``features.N.…``, up to any layer; no others.

        ``form`` is what pictures they were trained on. Raises ValueError for a name or pooling
        that there is not.
        """
        super().__init__()
        layers = reached_layers(empty_layers(name, pooling), weights)
        self.name = name
        self.pooling = pooling
        self._numbers = {tap: number for number, (tap, _) in enumerate(layers) if tap}
        self._smallest = {
            tap: smallest_side(layers[: number + 1]) for tap, number in self._numbers.items()
        }
        self.taps = tuple(self._numbers)
        """The layers that can be asked for, bottom to top."""
        choice = _default_choice(name, self.taps)
        self.default_style_taps = choice.style
        """The published choice for a style loss, or what stands in for it within reach."""
        self.default_content_tap = choice.content
        """The same for a content loss."""
        self.features = nn.Sequential(*(module for _, module in layers))
        mean, first = INPUT_FORMS[form].folded(weights[f"{PREFIX}0.weight"])
        stored = {**weights, f"{PREFIX}0.weight": first}
        self.features.load_state_dict(
            {key.removeprefix(PREFIX): value for key, value in stored.items()}, assign=True
        )
        self.register_buffer("mean", mean)
        self.requires_grad_(False).eval()

    def forward(self, pictures: torch.Tensor, taps: Iterable[str]) -> dict[str, torch.Tensor]:
        """Features (N, C, h, w) by tap, of pictures (N, 3, H, W), RGB in [0, 1].

        Nothing above the highest tap is computed. Raises ValueError for a tap that the weights
        do not reach, and for pictures of another shape or too small for it.
        """
        wanted = set(taps)
        self._check(pictures, wanted)
        end = max((self._numbers[tap] for tap in wanted), default=-1) + 1
        names = {self._numbers[tap]: tap for tap in wanted}
        features = pictures - self.get_buffer("mean")
        found = {}
        for number, layer in enumerate(islice(self.features, end)):
            features = layer(features)
            if number in names:
                found[names[number]] = features
        return found

    def _check(self, pictures: torch.Tensor, wanted: set[str]) -> None:
        if not wanted <= set(self.taps):
            unknown = ", ".join(sorted(wanted - set(self.taps)))
            raise ValueError(
                f"{self.name} has no layer {unknown}; there are {', '.join(self.taps)}"
            )
        if pictures.ndim != 4 or pictures.shape[1] != 3:
            raise ValueError(f"pictures are (N, 3, H, W), got {tuple(pictures.shape)}")
        height, width = pictures.shape[2:]
        highest = max(wanted, key=self._numbers.__getitem__, default=self.taps[0])
        if (side := self._smallest[highest]) > min(height, width):
            raise ValueError(
                f"pictures of {width}x{height} are too small for {highest} of {self.name}: "
                f"wanted at least {side}x{side}"
            )


def _default_choice(name: str, taps: tuple[str, ...]) -> Choice:
    """The best choice within ``taps``; all of them where they end below every choice."""
    for choice in BACKBONES[name].choices:
        if {*choice.style, choice.content} <= set(taps):
            return choice
    return Choice(taps, taps[-1])
