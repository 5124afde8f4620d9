"""Loss networks: trained classifiers whose features tell an image's content and style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from vidstyle.models.loss.backbone_layers import (
    BACKBONES,
    BackboneName,
    Choice,
    Layer,
    Pooling,
    empty_layers,
    layer_key,
    other_names,
    reached_layers,
    smallest_side,
)
from vidstyle.models.loss.backbone_names import LayerError
from vidstyle.models.loss.backbone_weights import read_weights
from vidstyle.models.loss.input_form import INPUT_FORMS
from vidstyle.models.weights.catalog import InputForm
from vidstyle.models.weights.places import find_backbone

__all__ = ["Backbone", "BackboneName", "InputForm", "LayerError", "Pooling", "load_backbone"]


def load_backbone(
    name: str,
    *,
    folder: Path | None = None,
    file: Path | None = None,
    pooling: Pooling = "max",
    offline: bool = False,
) -> Backbone:
    """The loss network of a ``BackboneName``, ready for use on the CPU.

    Its weights are ``file``'s. Without one they are looked for in ``folder``, or without that in
    the folder that ``VIDSTYLE_WEIGHTS`` names, then in the user's cache; in each place the
    file that reaches deepest counts. Last, unless ``offline``, torchvision's or timm's official
    file is downloaded to the cache. ``pooling`` by average gives smoother gradients (Gatys et al.
    2016).

    Raises ValueError for a name or pooling that there is not, UsageError where timm is needed and
    not installed, and WeightsError where there is no file, it cannot be fetched, or it is damaged
    or of another layout.
    """
    # Before anything is fetched for a name or a pooling that there is not.
    empty_layers(name, pooling)
    path = file or find_backbone(name, folder=folder, offline=offline)
    weights, form = read_weights(path, name)
    return Backbone(name, weights, form=form, pooling=pooling)


class Backbone(nn.Module):
    """The outputs of named layers ("taps") for images in RGB, [0, 1].

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
        """``weights`` has the network's own keys (VGG and SqueezeNet: ``features.N.…``), up to any
        layer; no others.

        ``form`` is what images they were trained on. Raises ValueError for a name or pooling
        that there is not.
        """
        super().__init__()
        empty, blueprint = empty_layers(name, pooling), BACKBONES[name]
        layers = reached_layers(empty, weights, numbered=blueprint.numbered)
        self.name = name
        self.pooling = pooling
        self._numbers = {
            feature_layer: number
            for number, (feature_layer, _) in enumerate(layers)
            if feature_layer
        }
        self.feature_layers = tuple(self._numbers)
        """The layers that can be asked for, bottom to top; ``forward`` knows more names."""
        if blueprint.numbered:
            self._numbers = other_names(layers) | self._numbers
        self._inner = blueprint.inner
        self._smallest = [smallest_side(layers[:end]) for end in range(1, len(layers) + 1)]
        choice = _default_choice(name, self.feature_layers)
        self.default_style_feature_layers = choice.style
        """The published choice for a style loss, or what stands in for it within reach."""
        self.default_content_feature_layer = choice.content
        """The same for a content loss."""
        self.default_style_scales = choice.scales
        """The sizes at which a style loss does well by these layers."""
        self.features = nn.Sequential(*(module for _, module in layers))
        self.register_buffer("mean", self._load(layers, weights, form, blueprint.numbered))
        self.requires_grad_(False).eval()

    def _load(
        self,
        layers: list[Layer],
        weights: Mapping[str, torch.Tensor],
        form: InputForm,
        numbered: bool,
    ) -> torch.Tensor:
        """Put the weights into the layers; the mean of the images that they then take."""
        mean = None
        for number, (feature_layer, module) in enumerate(layers):
            prefix = f"{layer_key(number, feature_layer, numbered=numbered)}."
            own = {part: weights.get(prefix + part, _COUNTED) for part in module.state_dict()}
            if own and mean is None:
                first = next(part for part, value in own.items() if value.ndim == 4)
                mean, own[first] = INPUT_FORMS[form].folded(own[first])
            module.load_state_dict(own, assign=True)
        assert mean is not None  # the first convolution is always reached
        return mean

    def smallest_side(self, feature_layer: str) -> int:
        """The shortest side in pixels of an image that reaches a layer. Raises ValueError as
        ``forward`` does."""
        return self._smallest[self._position(feature_layer)[0]]

    def check_size(self, images: torch.Tensor, feature_layers: Iterable[str]) -> None:
        """Raise LayerError where images (N, C, H, W) are too small for one of the layers."""
        height, width = images.shape[2:]
        highest = max(
            feature_layers,
            key=lambda feature_layer: self._position(feature_layer)[0],
            default=self.feature_layers[0],
        )
        if (side := self.smallest_side(highest)) > min(height, width):
            raise LayerError(
                f"images of {width}x{height} are too small for {highest} of {self.name}: "
                f"wanted at least {side}x{side}"
            )

    def forward(
        self, images: torch.Tensor, feature_layers: Iterable[str]
    ) -> dict[str, torch.Tensor]:
        """Features (N, C, h, w) by tap, of images (N, 3, H, W), RGB in [0, 1].

        Beside ``taps``, layers go by the names that the network itself has for them and for layers
        within them (``features.21``, ``layer1.0.conv2``), and VGG's convolutions by ``conv4_2``.
        Nothing above the highest tap is computed. Raises LayerError for a layer that the weights
        do not reach and for images too small for it, and ValueError for another shape.
        """
        places = {feature_layer: self._position(feature_layer) for feature_layer in feature_layers}
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images are (N, 3, H, W), got {tuple(images.shape)}")
        self.check_size(images, places)
        found: dict[str, torch.Tensor] = {}
        last = max((number for number, _ in places.values()), default=-1)
        features = images - self.get_buffer("mean")
        with ExitStack() as hooks:
            for feature_layer, (number, path) in places.items():
                if path:
                    self._watch(number, path, feature_layer, found, hooks)
            for number, layer in enumerate(islice(self.features, last + 1)):
                features = layer(features)
                for feature_layer, position in places.items():
                    if position == (number, ""):
                        found[feature_layer] = (
                            features.clone() if self._is_spent(number) else features
                        )
        return found

    def _position(self, feature_layer: str) -> tuple[int, str]:
        """The number of a layer, and the path within it; empty for the whole. Raises ValueError."""
        if feature_layer in self._numbers:
            return self._numbers[feature_layer], ""
        if self._inner:
            for name, number in self._numbers.items():
                path = feature_layer.removeprefix(f"{name}.")
                if path != feature_layer and path in dict(self.features[number].named_modules()):
                    return number, path
        raise LayerError(
            f"{self.name} has no layer {feature_layer}; there are {', '.join(self.feature_layers)}"
        )

    def _watch(
        self,
        number: int,
        path: str,
        feature_layer: str,
        found: dict[str, torch.Tensor],
        hooks: ExitStack,
    ) -> None:
        """Keep what comes out of a layer within a layer, from what may change it in place."""

        def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            found[feature_layer] = output.clone()

        inner = self.features[number].get_submodule(path)
        hooks.callback(inner.register_forward_hook(keep).remove)

    def _is_spent(self, number: int) -> bool:
        """Whether the next layer changes this one's output in place."""
        after = self.features[number + 1] if number + 1 < len(self.features) else None
        return isinstance(after, nn.ReLU) and after.inplace


_COUNTED = torch.tensor(0)
"""For the batches that a norm has seen: it counts them in training, and no file need say."""


def _default_choice(name: str, feature_layers: tuple[str, ...]) -> Choice:
    """The best choice within ``taps``; all of them where they end below every choice."""
    for choice in BACKBONES[name].choices:
        if {*choice.style, choice.content} <= set(feature_layers):
            return choice
    return Choice(feature_layers, feature_layers[-1])
