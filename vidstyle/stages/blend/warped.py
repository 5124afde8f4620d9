"""Recurrent temporal blend: carry the painting along with what it was painted on."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from vidstyle.core import (
    NOW,
    BaseStage,
    Frame,
    HostArray,
    Layers,
    Needs,
    Reach,
    State,
    Window,
)
from vidstyle.imaging.bands import three_times
from vidstyle.imaging.contrast import detail_energy, sharpened
from vidstyle.imaging.derived import Latest, halved
from vidstyle.stages.blend.ahead import Ahead, Stylized, look_ahead
from vidstyle.stages.blend.anchors import Memory, longer_paths, remembered
from vidstyle.stages.blend.dials import Dials, dials_of
from vidstyle.stages.blend.history import Moved, carried
from vidstyle.stages.blend.mixing import mixed
from vidstyle.stages.blend.warped_options import WarpedOptions

_NOISE = 0.5
# Of the detail that is put back, what a place at rest does without: much of it is noise.


class Warped(BaseStage[WarpedOptions]):
    """Writes ``image``: the new painting mixed with the previous output, moved along the flow.

    ``image + strength · trust · (warped - image)``, the recurrent blend of Ruder et al. 2016 and
    Chen et al. 2017 without their networks. Beside the painting its source is carried along and
    mixed in the same shares: trust is visibility times the agreement of that history with the
    source, so that what once went wrong, or what light has changed since, is found in every later
    frame and not only in the first. Where flow says that something is hidden, the source decides
    alone, and pixel for pixel.

    Coarse and fine are mixed in different shares: flicker lies in the coarse, sharpness in the
    fine. Where nothing moves averaging cannot blur, and both get the whole share. What mixing
    takes from fine detail is put back within the recurrence, up to the strength that the new
    painting has nearby. Over wide areas the history changes the new painting by at most
    ``drift``. With ``look_ahead`` the next painting is mixed in as well, and not carried on.

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
        # What was ahead is the frame itself next.
        self._half_image, self._half_source = Latest(halved), Latest(halved)

    def step(self, window: Window[WarpedOptions], state: State) -> tuple[Layers, State]:
        now = self._stylized(window.now)
        if state is None or window.options.strength == 0:
            return {"image": now.image}, self._next_state({}, now.image, now.source)
        dials = dials_of(window.options)
        memory = dict(cast("Memory", state))
        if self._far > 1:
            memory |= longer_paths(memory, window.now.host("flow"), far=self._far)
        moved = _moved(window, now.source)
        history = carried(memory, moved, window.options, dials)
        used = history.weight * (dials.share + (dials.share_at_rest - dials.share) * history.still)
        ahead = self._ahead(window, now, 1 - used, dials)
        image = mixed(now, history, ahead, dials)
        if dials.gain > 1:
            stable = 1 - _NOISE * history.still
            energy = detail_energy(now.image)
            image = sharpened(image, energy, history.confidence, part=stable, limit=dials.gain)
        source = now.source + three_times(used) * (history.source - now.source)
        return {"image": image}, self._next_state(memory, image, source)

    def _stylized(self, frame: Frame) -> Stylized:
        image = frame.host("image")
        return Stylized(image, self._half_image(image), self._half_source(frame.host("source")))

    def _ahead(
        self, window: Window[WarpedOptions], now: Stylized, left: HostArray, dials: Dials
    ) -> Ahead:
        following = window.ahead[0] if window.ahead else None
        if not dials.ahead or following is None or "flow_from_previous" not in following.layers:
            return Ahead()
        flow = following.host("flow_from_previous")
        return look_ahead(now, self._stylized(following), flow, left, dials)

    @property
    def _far(self) -> int:
        """How many frames back the memory goes."""
        return max(self.options.anchors, default=1)

    def _next_state(self, memory: Memory, blended: HostArray, source: HostArray) -> State:
        kept = dict(remembered(memory, blended, source, far=self._far))
        paths = {f"path_{distance}" for distance in range(1, self._far)}
        return kept | {name: memory[name] for name in paths & memory.keys()}


def _moved(window: Window[WarpedOptions], half: HostArray) -> Moved:
    flow, visible, source = (window.now.host(name) for name in ("flow", "visible", "source"))
    return Moved(flow, visible, source, half, window.behind[0].host("source"))


STAGE = Warped
