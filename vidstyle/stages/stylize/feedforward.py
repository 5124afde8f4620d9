"""Paint each picture by one pass through a trained network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    Frame,
    Layers,
    Mix,
    Needs,
    Place,
    StageOptions,
    State,
    Window,
    keyframed,
    keyframed_mix,
    layer_or_file,
)
from vidstyle.models.style_file import read_style_info
from vidstyle.models.style_mix import StyleMix, check_alike
from vidstyle.models.styles import find_style

if TYPE_CHECKING:
    import torch


class FeedForwardOptions(StageOptions):
    style: Mix = keyframed_mix(
        description="A name of `vidstyle styles list`, a style file, or a mix such as"
        " {great-wave: 0.7, starry-night: 0.3} of styles of one architecture and width."
    )
    strength: float = keyframed(
        1.0, ge=0, le=1, description="Share of the painting; 0 leaves the picture as it is."
    )
    mask: str | None = layer_or_file(
        description="Where to paint: a picture or video that is white there, or opaque where it"
        " has transparency; or the name of a layer, such as a side input."
    )


class FeedForward(BaseStage[FeedForwardOptions]):
    """Paints ``image`` in a trained style: a feed-forward network (Johnson et al. 2016).

    ``image + strength · mask · (painted - image)``: at strength 0 the picture passes untouched,
    and where strength and mask are 1 it is the painting itself. Any picture size; the painting is
    clamped to [0, 1]. A mix interpolates the weights of its styles (``models.style_mix``). A style
    that is missing, damaged or of an unknown architecture, and styles that cannot be mixed, raise
    WeightsError before the first frame.
    """

    Options = FeedForwardOptions

    def __init__(self, options: FeedForwardOptions) -> None:
        super().__init__(options)
        reads = {"image": NOW} if options.mask is None else {"image": NOW, options.mask: NOW}
        self.needs = Needs(reads=reads, writes=("image",), home="device")

    def describe(self, clip: Clip) -> Clip:
        # Looked at here, so that a plan already names a style that is not there.
        styles = {name: find_style(name) for name in _shares(self.options)}
        if len(styles) > 1:
            check_alike({name: read_style_info(path) for name, path in styles.items()})
        return clip

    def files(self) -> Sequence[Path]:
        return [find_style(name) for name in _shares(self.options)]

    def open(self, clip: Clip, place: Place) -> None:
        import torch

        from vidstyle.models.style_file import load_style

        networks = {
            name: load_style(find_style(name))
            .module.to(place.device)
            .to(memory_format=torch.channels_last)
            for name in _shares(self.options)
        }
        self._mix = StyleMix(networks)

    def step(self, window: Window[FeedForwardOptions], state: State) -> tuple[Layers, State]:
        picture, strength = window.now.tensor("image"), window.options.strength
        if strength == 0:
            return {"image": picture}, None
        painted = self._paint(picture, _shares(window.options))
        if self.options.mask is not None:
            mask = _mask(window.now, self.options.mask)
            return {"image": picture.lerp(painted, strength * mask)}, None
        # lerp is exact at both ends.
        return {"image": picture.lerp(painted, strength)}, None

    def _paint(self, picture: torch.Tensor, shares: Mapping[str, float]) -> torch.Tensor:
        import torch

        from vidstyle.models.network import paint

        with torch.inference_mode():
            return paint(self._mix.network(shares), picture[None])[0]


def _shares(options: FeedForwardOptions) -> Mapping[str, float]:
    return {options.style: 1.0} if isinstance(options.style, str) else options.style


def _mask(frame: Frame, name: str) -> torch.Tensor:
    """(1, H, W). Raises ValueError for a layer of another form."""
    mask, picture = frame.tensor(name), frame.tensor("image")
    if mask.shape != (1, *picture.shape[1:]):
        raise ValueError(
            f"the mask {name} must be one value a pixel, (1, {picture.shape[1]},"
            f" {picture.shape[2]}), got {tuple(mask.shape)}"
        )
    return mask


STAGE = FeedForward
