"""Passes of an optimisation over the frames of a span."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch

from vidstyle.core import Span
from vidstyle.models.optimization.settings import DescentSettings, Past
from vidstyle.stages.stylize.gatys_options import GatysMultipassOptions
from vidstyle.stages.stylize.gatys_stylizer import (
    Painter,
    following,
    mask_of,
    warped,
)


class PaintedPasses:
    """A span while passes go over it; the paintings lie on the span's shelf."""

    def __init__(
        self,
        span: Span[GatysMultipassOptions],
        before: torch.Tensor | None,
        painter: Painter,
        options: GatysMultipassOptions,
    ) -> None:
        """``before`` is the painting of the last frame of the span before, (3, H, W)."""
        self._span, self._before, self._painter, self._options = span, before, painter, options

    def painted(self, position: int) -> torch.Tensor:
        """The frame as the passes have left it, (3, H, W)."""
        return cast("torch.Tensor", self._span.shelf["painted", position])

    def paint_alone(self) -> None:
        """Each frame from itself."""
        for position, options in enumerate(self._span.options):
            if options.strength:
                self._paint(position, self._options.descent(self._options.steps), None)
            else:
                picture = self._span[position].tensor("image")
                self._span.shelf["painted", position] = picture

    def forwards(self) -> None:
        """Each frame on from the one before it."""
        for position in range(len(self._span)):
            neighbour = self.painted(position - 1) if position else self._before
            frame = self._span[position]
            if neighbour is not None:
                flow, visible = frame.tensor("flow"), frame.tensor("visible")
                self._go_on(position, warped(neighbour, flow, visible))

    def backwards(self) -> None:
        """Each frame on from the one after it."""
        for position in reversed(range(len(self._span) - 1)):
            later = self._span[position + 1]
            flow = later.tensor("flow_from_previous")
            visible = later.tensor("visible_from_previous")
            self._go_on(position, warped(self.painted(position + 1), flow, visible))

    def _go_on(self, position: int, past: Past) -> None:
        if not self._span.options[position].strength:
            return
        mixed = self.painted(position)[None].lerp(past.picture, self._options.blend * past.visible)
        settings = following(self._options.descent(self._options.steps_pass))
        self._paint(position, settings, replace(past, start=mixed))

    def _paint(self, position: int, settings: DescentSettings, past: Past | None) -> None:
        frame = self._span[position]
        mask = mask_of(frame, self._options.mask)
        picture = frame.tensor("image")[None]
        painted = self._painter.paint(picture, settings, past=past, mask=mask).picture
        self._span.shelf["painted", position] = painted[0]
