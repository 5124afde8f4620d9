"""Passes of an optimization over the frames of a span."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch

from vidstyle.core import Span
from vidstyle.models.optimization.settings import DescentSettings, Past
from vidstyle.stages.stylize.gatys_options import GatysMultipassOptions
from vidstyle.stages.stylize.gatys_stylizer import (
    Stylizer,
    following,
    mask_of,
    warped,
)


class OptimizationPasses:
    """A span while passes go over it; the paintings lie on the span's shelf."""

    def __init__(
        self,
        span: Span[GatysMultipassOptions],
        before: torch.Tensor | None,
        stylizer: Stylizer,
        options: GatysMultipassOptions,
    ) -> None:
        """``before`` is the painting of the last frame of the span before, (3, H, W)."""
        self._span, self._before, self._stylizer, self._options = span, before, stylizer, options

    def stylized(self, position: int) -> torch.Tensor:
        """The frame as the passes have left it, (3, H, W)."""
        return cast("torch.Tensor", self._span.scratch["stylized", position])

    def stylize_alone(self) -> None:
        """Each frame from itself."""
        for position, options in enumerate(self._span.options):
            if options.strength:
                self._stylize(position, self._options.descent(self._options.steps), None)
            else:
                image = self._span[position].tensor("image")
                self._span.scratch["stylized", position] = image

    def forwards(self) -> None:
        """Each frame on from the one before it."""
        for position in range(len(self._span)):
            neighbor = self.stylized(position - 1) if position else self._before
            frame = self._span[position]
            if neighbor is not None:
                flow, visible = frame.tensor("flow"), frame.tensor("visible")
                self._go_on(position, warped(neighbor, flow, visible))

    def backwards(self) -> None:
        """Each frame on from the one after it."""
        for position in reversed(range(len(self._span) - 1)):
            later = self._span[position + 1]
            flow = later.tensor("flow_from_previous")
            visible = later.tensor("visible_from_previous")
            self._go_on(position, warped(self.stylized(position + 1), flow, visible))

    def _go_on(self, position: int, past: Past) -> None:
        if not self._span.options[position].strength:
            return
        mixed = self.stylized(position)[None].lerp(past.image, self._options.blend * past.visible)
        settings = following(self._options.descent(self._options.steps_pass))
        self._stylize(position, settings, replace(past, start=mixed))

    def _stylize(self, position: int, settings: DescentSettings, past: Past | None) -> None:
        frame = self._span[position]
        mask = mask_of(frame, self._options.mask)
        image = frame.tensor("image")[None]
        stylized = self._stylizer.stylize(image, settings, past=past, mask=mask).image
        self._span.scratch["stylized", position] = stylized[0]
