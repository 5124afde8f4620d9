"""Paint the frames of a shot by optimization in several passes, forwards and backwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Needs,
    Span,
    SpanSteps,
    State,
)
from vidstyle.stages.stylize.gatys_options import GatysMultipassOptions

if TYPE_CHECKING:
    import torch


class GatysMultipass(BaseStage[GatysMultipassOptions]):
    """Writes ``image``: the multi-pass algorithm of Ruder, Dosovitskiy and Brox (2016, section 4).

    Each frame is painted alone first. Then passes go over the frames, forwards and backwards in
    turn; on its way each frame i begins at

        (1 - blend · c) x[i] + blend · c · W(x[i ∓ 1])

    with W its neighbor, already done in this pass, moved along the flow, and c where that is
    visible, and is optimized on from there, with the temporal loss to the same neighbor. So what
    one frame shows reaches all others, and no frame drifts from the first on. A span goes on where
    the one before it ended. Needs flow in both directions.
    """

    Options = GatysMultipassOptions

    def __init__(self, options: GatysMultipassOptions) -> None:
        super().__init__(options)
        layers = ["image", "flow", "visible", "flow_from_previous", "visible_from_previous"]
        if options.mask is not None:
            layers.append(options.mask)
        self.needs = Needs(
            reads=dict.fromkeys(layers, NOW),
            writes=("image",),
            scope="shot",
            home="device",
            span=options.span,
        )

    def describe(self, clip: Clip) -> Clip:
        self.options.check_style_images()
        if self.options.weights is not None or self.options.offline:
            self.options.weights_file()
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> GatysMultipassOptions:
        return self.options.resolved(context.device)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return self.options.memory(clip.width, clip.height, context.device)

    def files(self) -> Sequence[Path]:
        return [*self.options.style_images, self.options.weights_file()]

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import Stylizer

        options = self.options
        self._stylizer = Stylizer(options, device=context.device, temporal=options.temporal)

    def step_span(self, span: Span[GatysMultipassOptions], state: State) -> SpanSteps:
        from vidstyle.stages.stylize.gatys_passes import OptimizationPasses

        before = cast("torch.Tensor", state["stylized"]) if state else None
        passes = OptimizationPasses(span, before, self._stylizer, self.options)
        passes.stylize_alone()
        for number in range(self.options.passes):
            turn = passes.forwards if number % 2 == 0 else passes.backwards
            turn()
        for position, options in enumerate(span.options):
            image = span[position].tensor("image")
            yield {"image": image.lerp(passes.stylized(position), options.strength)}
        return {"stylized": passes.stylized(len(span) - 1)}


STAGE = GatysMultipass
