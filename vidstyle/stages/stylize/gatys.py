"""Stylize each frame by optimization, starting at the one before: slow, with any loss network."""

from __future__ import annotations

from collections.abc import Sequence
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
from vidstyle.imaging.strokes import StrokeScale, scale_of_clip
from vidstyle.stages.stylize.gatys_options import GatysOptions

if TYPE_CHECKING:
    import torch

    from vidstyle.models.loss.loss_terms import Past


class Gatys(BaseStage[GatysOptions]):
    """Stylizes by optimization (Gatys et al. 2016), frame after frame (Ruder et al. 2016).
    Takes any style image, without training; seconds to minutes a frame.

    The first frame of a shot starts at the image itself. Each other one, where there is ``flow``,
    starts at the stylized previous frame, warped, and the temporal loss compares it with that where
    it is visible; without flow each frame is stylized by itself. Outside of the mask, where there
    is one, and at strength 0 the image passes unchanged. Seconds to minutes a frame.

    A style image or weights that are missing raise InputError or WeightsError before the first
    frame; layers that the network does not have, and images too small for them, PipelineError.
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
        self.options.check_files()
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> GatysOptions:
        return self.options.resolve(context.device)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        scale = scale_of_clip(self.options.stroke_size, clip)
        height, width = scale.small if scale else (clip.height, clip.width)
        return self.options.memory(width, height, context.device)

    def files(self) -> Sequence[Path]:
        return [*self.options.style_images, self.options.weights_file()]

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import OptimizationStylizer

        self._stylizer = OptimizationStylizer(self.options, device=context.device)
        self._scale = scale_of_clip(self.options.stroke_size, clip)

    def step(self, window: Window[GatysOptions], state: State) -> tuple[Layers, State]:
        from vidstyle.imaging.device_strokes import at_scale, with_strokes_tensor
        from vidstyle.stages.stylize.gatys_stylizer import find_mask

        image, strength, scale = window.now.tensor("image"), window.options.strength, self._scale
        if strength == 0:
            return {"image": image}, {"stylized": at_scale(image[None], scale)[0]}
        past, mask = _warp_past(window.now, state, scale), find_mask(window.now, self.options)
        drawn: list[torch.Tensor] = []

        def stylize(small: torch.Tensor) -> torch.Tensor:
            result = self._stylizer.stylize(
                small,
                self._descent(past),
                past=past,
                mask=None if mask is None else at_scale(mask, scale),
            )
            drawn.append(result.image)
            return result.image

        stylized = with_strokes_tensor(image[None], scale, stylize)[0]
        weight = strength if scale is None or mask is None else strength * mask[0]
        return {"image": image.lerp(stylized, weight)}, {"stylized": drawn[0][0]}

    def _descent(self, past: Past | None) -> GatysOptions:
        """The options of this frame."""
        options = self.options
        if past is None:
            start = "noise" if options.start == "noise" else "content"
            return options.model_copy(update={"start": start})
        changes: dict[str, object] = {"steps": options.steps_following}
        if options.start == "previous":
            # What is coarse is there already.
            changes["levels"] = 1
        return options.model_copy(update=changes)


def _warp_past(frame: Frame, state: State, scale: StrokeScale | None) -> Past | None:
    """The stylized previous frame on this one's grid, at the size at which that is stylized.

    None at the start of a shot, and without flow.
    """
    from vidstyle.imaging.device_strokes import at_scale, flow_at_scale
    from vidstyle.stages.stylize.gatys_stylizer import warp_stylized

    if state is None or "flow" not in frame.layers:
        return None
    flow = flow_at_scale(frame.tensor("flow")[None], scale)[0]
    visible = None
    if "visible" in frame.layers:
        visible = at_scale(frame.tensor("visible")[None], scale)[0]
    return warp_stylized(cast("torch.Tensor", state["stylized"]), flow, visible)


STAGE = Gatys
