"""Recurrent temporal blend: the previous output, warped along the flow, in each new frame."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    HostArray,
    Layers,
    Needs,
    Reach,
    State,
    Window,
)
from vidstyle.imaging.derived import Latest
from vidstyle.stages.blend.anchors import Memory, extend_paths, remember
from vidstyle.stages.blend.halves import (
    HalvedSource,
    mix_sources,
    reduce_image,
    reduce_source,
)
from vidstyle.stages.blend.history import FrameMotion, History, warp_history
from vidstyle.stages.blend.mixing import BlendFrame, NextChange, look_ahead, mix
from vidstyle.stages.blend.warped_options import BlendWeights, WarpedOptions, resolve_weights


class Warped(BaseStage[WarpedOptions]):
    """Reduces flicker: mixes each stylized frame with the previous output, warped along the flow.

    ``image + strength · confidence · (warped - image)``, the recurrent blend of Ruder et al. 2016
    and Chen et al. 2017 without their networks. The source of the previous output is warped and
    mixed in the same weights: confidence is visibility times the agreement of that source with
    the new one, so that an error, or a change of light, is found in every later frame and not
    only in the first. Where the flow says that something is hidden, the source decides by itself,
    pixel for pixel.

    Coarse and fine are mixed in different weights: flicker lies in the coarse, sharpness in the
    fine. Where nothing moves averaging cannot blur, and both get the whole weight. Fine detail
    that mixing takes is restored within the recurrence, up to the contrast that the stylized
    frame has nearby. Over wide areas the history changes the stylized frame by at most ``drift``.
    With ``look_ahead`` the next stylized frame is mixed in as well, and not carried on.

    The first frame of a shot passes unchanged, and so does every frame at strength 0. Results are
    in [0, 1].
    """

    Options = WarpedOptions

    def __init__(self, options: WarpedOptions) -> None:
        super().__init__(options)
        ahead = Reach(ahead=1) if options.look_ahead else NOW
        reads = {"image": ahead, "source": Reach(behind=1, ahead=ahead.ahead)}
        reads |= {"flow": NOW, "visible": NOW}
        if options.look_ahead:
            reads["flow_from_previous"] = replace(ahead, optional=True)
        self.needs = Needs(reads=reads, writes=("image",), scope="shot")
        self._reduction = 1.0
        # The next frame becomes this frame one step later.
        self._halve_image, self._halve_source = Latest(reduce_image), Latest(reduce_source)

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._reduction = clip.reduction

    def step(self, window: Window[WarpedOptions], state: State) -> tuple[Layers, State]:
        now = self._halve_frame(window.now)
        if state is None or window.options.strength == 0:
            return {"image": now.image}, self._next_state({}, now.image, now.source.half)
        weights = resolve_weights(window.options, self._reduction)
        memory = dict(cast("Memory", state))
        if self._most > 1:
            memory |= extend_paths(memory, window.now.host("flow"), most=self._most)
        motion = self._motion(window, now.source)
        history = warp_history(memory, now.image, motion, window.options, weights)
        used = _weight_of(history, weights)
        following = self._look_ahead(window, now, used, weights)
        image = mix(now, history, following, weights)
        source = mix_sources(now.source.half, history.source, used)
        return {"image": image}, self._next_state(memory, image, source)

    def _halve_frame(self, frame: Frame) -> BlendFrame:
        image = frame.host("image")
        return BlendFrame(image, self._halve_image(image), self._halve_source(frame.host("source")))

    def _motion(self, window: Window[WarpedOptions], now: HalvedSource) -> FrameMotion:
        before = self._halve_source(window.behind[0].host("source"))
        flow, visible = window.now.host("flow"), window.now.host("visible")
        return FrameMotion(flow, visible, now.half, now.luma, before.luma)

    def _look_ahead(
        self, window: Window[WarpedOptions], now: BlendFrame, used: HostArray, weights: BlendWeights
    ) -> NextChange:
        following = window.ahead[0] if window.ahead else None
        if not weights.ahead or following is None or "flow_from_previous" not in following.layers:
            return NextChange()
        flow = following.host("flow_from_previous")
        return look_ahead(now, self._halve_frame(following), flow, used, weights)

    @property
    def _most(self) -> int:
        """How many frames back the memory goes."""
        return max(self.options.anchors, default=1)

    def _next_state(self, memory: Memory, blended: HostArray, source: HostArray) -> State:
        kept = dict(remember(memory, blended, source, most=self._most))
        paths = {f"path_{distance}" for distance in range(1, self._most)}
        return kept | {name: memory[name] for name in paths & memory.keys()}


def _weight_of(history: History, weights: BlendWeights) -> HostArray:
    """The weight that the history gets in the coarse, (h, w)."""
    more = weights.history_at_rest - weights.history
    weight = weights.history + more * history.still
    return history.warped.half_confidence * weight


STAGE = Warped
