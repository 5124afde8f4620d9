"""Paint each image by optimization, beginning at the one before: slow, with any loss network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    Layers,
    Needs,
    Reach,
    State,
    Window,
)
from vidstyle.stages.stylize.gatys_options import GatysOptions

if TYPE_CHECKING:
    import torch

    from vidstyle.models.optimization.settings import Past


class Gatys(BaseStage[GatysOptions]):
    """Paints ``image`` by optimization (Gatys et al. 2016), frame after frame (Ruder et al. 2016).

    The first frame of a shot begins at the image itself. Each other one, where there is ``flow``,
    begins at the painting of the frame before, warped, and where that is visible it is held to it
    by the temporal loss; without flow frames are painted alone. Within the mask, where there is
    one; at strength 0 the image passes untouched. Seconds to minutes a frame.

    A painting or weights that are missing raise InputError or WeightsError before the first frame;
    layers that the network does not have, and images too small for them, PipelineError.
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
        self.options.check_style_images()
        if self.options.weights is not None or self.options.offline:
            self.options.weights_file()
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> GatysOptions:
        return self.options.resolved(context.device)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return self.options.memory(clip.width, clip.height, context.device)

    def files(self) -> Sequence[Path]:
        return [*self.options.style_images, self.options.weights_file()]

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import Stylizer

        options = self.options
        self._stylizer = Stylizer(options, device=context.device, temporal=options.temporal)

    def step(self, window: Window[GatysOptions], state: State) -> tuple[Layers, State]:
        from vidstyle.stages.stylize.gatys_stylizer import following, mask_of

        image, strength = window.now.tensor("image"), window.options.strength
        if strength == 0:
            return {"image": image}, {"stylized": image}
        past = _past(window.now, state)
        steps = self.options.steps if past is None else self.options.steps_following
        settings = self.options.descent(steps)
        if past is not None and self.options.start == "previous":
            settings = following(settings)
        elif self.options.start == "noise":
            settings = replace(settings, start="noise")
        mask = mask_of(window.now, self.options.mask)
        stylized = self._stylizer.stylize(image[None], settings, past=past, mask=mask).image
        layers = {"image": image.lerp(stylized[0], strength)}
        return layers, {"stylized": stylized[0]}


def _past(frame: Frame, state: State) -> Past | None:
    """The frame before on this one's grid; None at the start of a shot, and without flow."""
    from vidstyle.stages.stylize.gatys_stylizer import warped

    if state is None or "flow" not in frame.layers:
        return None
    visible = frame.tensor("visible") if "visible" in frame.layers else None
    return warped(cast("torch.Tensor", state["stylized"]), frame.tensor("flow"), visible)


STAGE = Gatys
