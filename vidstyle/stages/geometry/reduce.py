"""Work on smaller frames: keep the full ones, until ``geometry/restore`` needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from vidstyle.core import NOW, Clip, GeometryStage, HostArray, Layers, Needs, State, Window
from vidstyle.core.layers import full_layer, reduced_layer
from vidstyle.imaging.strokes import reduced
from vidstyle.stages.geometry.scale import ScaleOptions, scaled_size

# Frames that would lose a smaller part of their pixels stay as they are.
_LEAST_GAIN = 1.4


class ReduceOptions(ScaleOptions):
    size: str = Field(
        "up to 540p",
        description="Size of the frames between here and geometry/restore, as that of"
        " geometry/scale. Smaller is faster; motion is then found less exactly.",
    )
    most: float = Field(
        32, ge=1, le=32, description="Reduce width and height by at most this factor."
    )


class ReduceFrames(GeometryStage[ReduceOptions]):
    """Reduces frames for the stages up to ``geometry/restore``, which gives back size and detail.

    Flow, stylization and blend between the two work on fewer pixels. Frames that would hardly get
    smaller stay as they are. Each pixel is the mean of the area that it covers.
    """

    Options = ReduceOptions

    def __init__(self, options: ReduceOptions, layers: Sequence[str] = ("source", "image")) -> None:
        own = tuple(name for name in layers if reduced_layer(name) is None)
        super().__init__(options, own)
        kept = tuple(full_layer(name) for name in own if name != "image")
        self.needs = Needs(reads=dict.fromkeys(own, NOW), writes=(*own, *kept), geometry=True)

    def describe(self, clip: Clip) -> Clip:
        width, height = self._find(clip)
        return replace(clip, width=width, height=height, full_size=(clip.width, clip.height))

    def open(self, clip: Clip, context: object) -> None:
        self._size = self._find(clip)

    def reshape(self, layer: HostArray, options: ReduceOptions) -> HostArray:
        width, height = self._size
        same = layer.shape[:2] == (height, width)
        return layer if same else reduced(layer, height, width)

    def step(self, window: Window[ReduceOptions], state: State) -> tuple[Layers, State]:
        small: dict[object, HostArray] = {}
        written: dict[str, HostArray] = {}
        for name in self.needs.reads:
            # The image is the source until a stage has changed it.
            layer = window.now.lazy_layer(name)
            full = window.now.host(name)
            if layer not in small:
                small[layer] = self.reshape(full, window.options)
            written[name] = small[layer]
            if name != "image":
                written[full_layer(name)] = full
        return written, None

    def _find(self, clip: Clip) -> tuple[int, int]:
        """Width and height of the reduced frames."""
        size = scaled_size(self.options.size, clip.width, clip.height)
        if clip.width > self.options.most * size[0]:
            size = scaled_size(f"{100 / self.options.most:.6f}%", clip.width, clip.height)
        gains = clip.width * clip.height >= _LEAST_GAIN * size[0] * size[1]
        return size if gains else (clip.width, clip.height)


STAGE = ReduceFrames
