"""From a decoded image to the layers of a frame."""

from __future__ import annotations

import numpy as np
from av import VideoFrame

from vidstyle.core import HostArray
from vidstyle.media.to_rgb import ToRGB
from vidstyle.media.tonemap import ToneMap
from vidstyle.stages.decode.policies import Decision
from vidstyle.stages.decode.probe import Found


class ToLayers:
    """Converts, tone-maps and turns the images of one clip."""

    def __init__(self, found: Found, decision: Decision) -> None:
        color, peak = found.color, decision.hdr_peak
        self._to_rgb = ToRGB(color, alpha=decision.alpha, size=found.size)
        self._tone = None if peak is None else ToneMap(color.transfer, peak)
        self._orientation = decision.orientation
        self._alpha = decision.alpha

    def __call__(self, image: VideoFrame) -> dict[str, HostArray]:
        """``source``, and ``alpha`` if the clip has it: read-only, upright."""
        source, alpha = self._to_rgb(image)
        layers = {"source": self._tone(source) if self._tone else source}
        if self._alpha:
            # A clip may change to a format without alpha midway.
            layers["alpha"] = np.ones(source.shape[:2], np.float32) if alpha is None else alpha
        return {name: self._finished(layer) for name, layer in layers.items()}

    def _finished(self, layer: HostArray) -> HostArray:
        turned = self._orientation.apply(np.ascontiguousarray(layer))
        turned.flags.writeable = False
        return turned
