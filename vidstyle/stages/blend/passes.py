"""Passes over the frames of a span, each frame mixed with its neighbor in time."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from vidstyle.core import HostArray, Span, State
from vidstyle.imaging.clipping import clip_to_neighborhood
from vidstyle.imaging.confidence import confidence, without_creep
from vidstyle.imaging.derived import smooth
from vidstyle.imaging.detail import detail_gain, fine_band
from vidstyle.imaging.warp import sample, targets
from vidstyle.stages.blend.multipass_options import MultipassOptions

_JOINING = 12
# Frames over which a step is spread: not seen as one any more, and soon forgotten.


class Passes:
    """A span while passes go over it; what they make lies on the span's shelf."""

    def __init__(self, span: Span[MultipassOptions], state: State, passes: int) -> None:
        self._span, self._state, self._passes = span, state, passes

    def prepare(self) -> None:
        """Start at the paintings, and find out what can be trusted, once for all passes."""
        for position, frame in enumerate(self._span):
            self._span.scratch["mixed", position] = frame.host("image")
        for position in range(len(self._span)):
            if position or self._state:
                self._span.scratch["before", position] = self._confidence_before(position)
            if position + 1 < len(self._span):
                self._span.scratch["after", position] = self._confidence_after(position)

    def mixed(self, position: int) -> HostArray:
        """The frame as the passes have left it, (H, W, 3)."""
        return cast("HostArray", self._span.scratch["mixed", position])

    def forwards(self) -> None:
        """Mix each frame with the one before it."""
        for position, options in enumerate(self._span.options):
            self._mix_before(position, options.strength)

    def backwards(self) -> None:
        """Mix each frame with the one after it."""
        for position in reversed(range(len(self._span) - 1)):
            flow = self._span[position + 1].host("flow_from_previous")
            strength = self._span.options[position].strength
            self._mix(position, "after", self.mixed(position + 1), flow, strength)

    def join(self) -> None:
        """Spread the step from a frame that no pass may change over the frames after it.

        That is the last one of the span before, which could not look at these, or the first
        of the shot. The next one follows it as closely as all forward passes together make it,
        the later ones less and less.
        """
        start = 0 if self._state else 1
        if start == 1 and not self._kept(0):
            return
        forwards = (self._passes + 1) // 2
        for position, options in list(enumerate(self._span.options))[start : start + _JOINING]:
            share = 1 - (position - start) / _JOINING
            self._mix_before(position, share * (1 - (1 - options.strength) ** forwards))

    def crisp(self, position: int) -> HostArray:
        """The mixed frame with detail of the painting, where it was mixed."""
        image, mixed = self._span[position].host("image"), self.mixed(position)
        weights = [self._span.scratch[side, position] for side in self._sides(position)]
        if self._kept(position) or not weights:
            return mixed
        options = self._span.options[position]
        return _crisp(mixed, image, np.maximum.reduce(weights), options)

    def _mix_before(self, position: int, strength: float) -> None:
        if position:
            previous = self.mixed(position - 1)
        elif self._state:
            previous = cast("HostArray", self._state["mixed"])
        else:
            return
        self._mix(position, "before", previous, self._span[position].host("flow"), strength)

    def _mix(
        self, position: int, side: str, neighbor: HostArray, flow: HostArray, strength: float
    ) -> None:
        if self._kept(position):
            return
        options, own = self._span.options[position], self.mixed(position)
        columns, rows = targets(without_creep(flow, options.snap))
        change = sample(neighbor, columns, rows, kernel=options.kernel)
        if options.clipping:
            image = self._span[position].host("image")
            change = clip_to_neighborhood(change, image, deviations=options.clipping)
        change -= own
        weight = self._span.scratch[side, position] * np.float32(strength)
        cv2.multiply(change, cv2.merge([weight] * 3), dst=change)
        change += own
        self._span.scratch["mixed", position] = np.clip(change, 0, 1, out=change)

    def _kept(self, position: int) -> bool:
        options = self._span.options[position]
        starts_shot = position == 0 and not self._state
        return options.strength == 0 or (starts_shot and options.first == "kept")

    def _sides(self, position: int) -> list[str]:
        before = ["before"] if position or self._state else []
        return before + (["after"] if position + 1 < len(self._span) else [])

    def _confidence_before(self, position: int) -> HostArray:
        frame = self._span[position]
        if position:
            neighbor = self._span[position - 1].host("source")
        else:
            assert self._state is not None
            neighbor = cast("HostArray", self._state["source"])
        return self._confidence(position, neighbor, frame.host("flow"), frame.host("visible"))

    def _confidence_after(self, position: int) -> HostArray:
        later = self._span[position + 1]
        flow, visible = later.host("flow_from_previous"), later.host("visible_from_previous")
        return self._confidence(position, later.host("source"), flow, visible)

    def _confidence(
        self, position: int, neighbor: HostArray, flow: HostArray, visible: HostArray
    ) -> HostArray:
        options = self._span.options[position]
        return confidence(
            self._span[position].host("source"),
            neighbor,
            without_creep(flow, options.snap),
            visible,
            tolerance=options.tolerance,
            tolerance_hidden=options.tolerance_hidden,
        )


def _crisp(
    mixed: HostArray, image: HostArray, weight: HostArray, options: MultipassOptions
) -> HostArray:
    """``mixed`` with some of the fine detail of ``image``, and its own in strength."""
    wanted = cv2.merge([weight] * 3)
    own = np.subtract(image, mixed)
    own -= smooth(own, options.split)
    own *= wanted
    own *= np.float32(1 - options.fine)
    crisp = np.add(mixed, own, out=own)
    if options.detail > 1:
        extra = detail_gain(crisp, image, limit=options.detail)
        extra -= 1
        extra *= weight
        crisp += fine_band(crisp) * extra[..., np.newaxis]
    return np.clip(crisp, 0, 1, out=crisp)
