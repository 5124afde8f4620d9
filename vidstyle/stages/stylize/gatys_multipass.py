"""Stylize the frames of a shot by optimization in several passes, forwards and backwards."""

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

    from vidstyle.models.loss.loss_terms import Past
    from vidstyle.stages.stylize.gatys_stylizer import OptimizationStylizer


class GatysMultipass(BaseStage[GatysMultipassOptions]):
    """Stylizes by optimization, in several passes forwards and backwards through a shot
    (Ruder et al. 2016, section 4). Slower than stylize/gatys, and consistent in both directions.

    Each frame is stylized by itself first. Then passes go over the frames, forwards and backwards
    in turn. In a pass each frame i starts at

        (1 - blend · c) x[i] + blend · c · W(x[i ∓ 1])

    with W its neighbor, already optimized in this pass, moved along the flow, and c where that is
    visible, and is optimized further from there, with the temporal loss to the same neighbor. So
    what one frame shows reaches all others, and no frame drifts from the first on. A span
    continues where the one before it ended. Needs flow in both directions.
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
        self.options.check_files()
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> GatysMultipassOptions:
        return self.options.resolve(context.device)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return self.options.memory(clip.width, clip.height, context.device)

    def files(self) -> Sequence[Path]:
        return [*self.options.style_images, self.options.weights_file()]

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import OptimizationStylizer

        self._stylizer = OptimizationStylizer(self.options, device=context.device)

    def step_span(self, span: Span[GatysMultipassOptions], state: State) -> SpanSteps:
        before = cast("torch.Tensor", state["stylized"]) if state else None
        passes = _Passes(span, before, self._stylizer, self.options)
        passes.stylize_separately()
        for number in range(self.options.passes):
            run_pass = passes.run_forwards if number % 2 == 0 else passes.run_backwards
            run_pass()
        for position, options in enumerate(span.options):
            image = span[position].tensor("image")
            yield {"image": image.lerp(passes.stylized(position), options.strength)}
        return {"stylized": passes.stylized(len(span) - 1)}


class _Passes:
    """A span while passes go over it; the stylized frames are scratch files of the span."""

    def __init__(
        self,
        span: Span[GatysMultipassOptions],
        before: torch.Tensor | None,
        stylizer: OptimizationStylizer,
        options: GatysMultipassOptions,
    ) -> None:
        """``before`` is the last stylized frame of the previous span, (3, H, W)."""
        self._span, self._before, self._stylizer, self._options = span, before, stylizer, options

    def stylized(self, position: int) -> torch.Tensor:
        """The frame as the passes have left it, (3, H, W)."""
        return cast("torch.Tensor", self._span.scratch["stylized", position])

    def stylize_separately(self) -> None:
        """Each frame by itself."""
        for position, options in enumerate(self._span.options):
            if options.strength:
                self._stylize(position, self._options)
            else:
                image = self._span[position].tensor("image")
                self._span.scratch["stylized", position] = image

    def run_forwards(self) -> None:
        """Each frame with the one before it."""
        from vidstyle.stages.stylize.gatys_stylizer import warp_stylized

        for position in range(len(self._span)):
            neighbor = self.stylized(position - 1) if position else self._before
            frame = self._span[position]
            if neighbor is not None:
                flow, visible = frame.tensor("flow"), frame.tensor("visible")
                self._continue(position, warp_stylized(neighbor, flow, visible))

    def run_backwards(self) -> None:
        """Each frame with the one after it."""
        from vidstyle.stages.stylize.gatys_stylizer import warp_stylized

        for position in reversed(range(len(self._span) - 1)):
            later = self._span[position + 1]
            flow = later.tensor("flow_from_previous")
            visible = later.tensor("visible_from_previous")
            self._continue(position, warp_stylized(self.stylized(position + 1), flow, visible))

    def _continue(self, position: int, past: Past) -> None:
        if not self._span.options[position].strength:
            return
        start = self.stylized(position)[None].lerp(past.image, self._options.blend * past.visible)
        # What is coarse is there already.
        changes = {"steps": self._options.steps_per_pass, "start": "previous", "levels": 1}
        self._stylize(position, self._options.model_copy(update=changes), past, start)

    def _stylize(
        self,
        position: int,
        options: GatysMultipassOptions,
        past: Past | None = None,
        start: torch.Tensor | None = None,
    ) -> None:
        from vidstyle.stages.stylize.gatys_stylizer import find_mask

        frame = self._span[position]
        image, mask = frame.tensor("image")[None], find_mask(frame, self._options)
        result = self._stylizer.stylize(image, options, past=past, start=start, mask=mask)
        self._span.scratch["stylized", position] = result.image[0]


STAGE = GatysMultipass
