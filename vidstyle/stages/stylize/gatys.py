"""Paint each picture by optimisation, beginning at the one before: slow, with any loss network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    Frame,
    Layers,
    Needs,
    Place,
    Reach,
    State,
    Window,
)
from vidstyle.stages.stylize.gatys_options import GatysOptions

if TYPE_CHECKING:
    import torch

    from vidstyle.models.optimization.settings import Past


class Gatys(BaseStage[GatysOptions]):
    """Paints ``image`` by optimisation (Gatys et al. 2016), frame after frame (Ruder et al. 2016).

    The first frame of a shot begins at the picture itself. Each other one, where there is ``flow``,
    begins at the painting of the frame before, warped, and where that is visible it is held to it
    by the temporal loss; without flow frames are painted alone. Within the mask, where there is
    one; at strength 0 the picture passes untouched. Seconds to minutes a frame.

    A painting or weights that are missing raise InputError or WeightsError before the first frame;
    layers that the network does not have, and pictures too small for them, PipelineError.
    """

    Options = GatysOptions

    def __init__(self, options: GatysOptions) -> None:
        super().__init__(options)
        optional = Reach(optional=True)
        reads = {"image": NOW, "flow": optional, "visible": optional}
        if options.mask is not None:
            reads[options.mask] = NOW
        self.needs = Needs(reads=reads, writes=("image",), scope="shot", home="device")

    def describe(self, clip: Clip) -> Clip:
        self.options.check_paintings()
        if self.options.weights is not None or self.options.offline:
            self.options.weights_file()
        return clip

    def settle(self, clip: Clip, place: Place) -> GatysOptions:
        return self.options.settled(place.device)

    def memory(self, clip: Clip, place: Place) -> int:
        return self.options.memory(clip.width, clip.height, place.device)

    def files(self) -> Sequence[Path]:
        return [*self.options.paintings, self.options.weights_file()]

    def open(self, clip: Clip, place: Place) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import Painter

        options = self.options
        self._painter = Painter(options, device=place.device, temporal=options.temporal)

    def step(self, window: Window[GatysOptions], state: State) -> tuple[Layers, State]:
        from vidstyle.stages.stylize.gatys_stylizer import following, mask_of

        picture, strength = window.now.tensor("image"), window.options.strength
        if strength == 0:
            return {"image": picture}, {"painted": picture}
        past = _past(window.now, state)
        steps = self.options.steps if past is None else self.options.steps_following
        settings = self.options.descent(steps)
        if past is not None and self.options.start == "previous":
            settings = following(settings)
        elif self.options.start == "noise":
            settings = replace(settings, start="noise")
        mask = mask_of(window.now, self.options.mask)
        painted = self._painter.paint(picture[None], settings, past=past, mask=mask).picture
        layers = {"image": picture.lerp(painted[0], strength)}
        return layers, {"painted": painted[0]}


def _past(frame: Frame, state: State) -> Past | None:
    """The frame before on this one's grid; None at the start of a shot, and without flow."""
    from vidstyle.stages.stylize.gatys_stylizer import warped

    if state is None or "flow" not in frame.layers:
        return None
    visible = frame.tensor("visible") if "visible" in frame.layers else None
    return warped(cast("torch.Tensor", state["painted"]), frame.tensor("flow"), visible)


STAGE = Gatys
