"""Several clips in one image, to compare them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    HostArray,
    Layers,
    Needs,
    Note,
    Planes,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.errors import PipelineError
from vidstyle.imaging.labels import Label, label_margin, make_label
from vidstyle.imaging.layouts import (
    PAIRS,
    Layout,
    amplify_difference,
    layout_cells,
    split_images,
    tile_images,
)
from vidstyle.imaging.plane_layouts import may_be_tiled, split_decoded, tile_decoded

# Pixels on a side of an image, which is what encoders take.
_LARGEST: Final = 16384
# A clip's memory for each pixel beyond the one channel that a plan counts: two more of the frames
# that wait, and those of its decoder.
_CLIP_BYTES: Final = 128


class CompareOptions(StageOptions):
    clips: tuple[str, ...] = Field(
        (), description="Layers to show beside the image: side inputs with `color: true`."
    )
    layout: Layout = Field(
        "side-by-side",
        description="A row, a column (stacked), a grid, two clips split by an upright line, or"
        " their absolute difference.",
    )
    labels: tuple[str, ...] = Field(
        (), description="A text for the image and one for each of the clips; none if empty."
    )
    split: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Where the line of a split stands, as a part of the width. If not set, it moves"
        " across and back.",
    )
    period: float = Field(
        6.0, ge=0.1, le=3600, description="Seconds in which the line moves across and back."
    )
    gain: float = Field(
        4.0, ge=0.01, le=1000, description="Factor by which a difference is amplified."
    )


class CompareClips(BaseStage[CompareOptions]):
    """Shows the image beside other clips, in rows, split by a line, or as their difference.

    Rows, columns and grids have one cell a clip, of the size of the image. In a split the image is
    on the left of the line, which begins in the middle and moves to the left first.
    """

    Options = CompareOptions

    def __init__(self, options: CompareOptions) -> None:
        super().__init__(options)
        reads = {"image": NOW, "alpha": Reach(optional=True), **dict.fromkeys(options.clips, NOW)}
        self.needs = Needs(reads=reads, writes=("source", "image", "alpha"), geometry=True)
        self._labels: tuple[Label, ...] = ()
        self._opaque: HostArray | None = None
        self._transparent = False

    @property
    def notes(self) -> Sequence[Note]:
        """Labels that did not fit, and transparency."""
        found = [
            Note("label", f"a label is too long for the image and is {_shown(label)}")
            for label in self._labels
            if not label.whole
        ]
        if self._transparent:
            found.append(Note("alpha", "the first clip's transparency is shown on black"))
        return found

    def describe(self, clip: Clip) -> Clip:
        options = self.options
        if not options.clips:
            raise PipelineError(
                "filter/compare needs clips: `vidstyle compare A B -o OUT`, or `clips: [other]`"
                " in a pipeline"
            )
        count = 1 + len(options.clips)
        if options.layout in PAIRS and count != 2:
            raise PipelineError(
                f"the layout {options.layout} takes 2 clips, got {count}; use side-by-side or grid"
            )
        if options.labels and len(options.labels) != count:
            raise PipelineError(
                f"there are {count} clips and {len(options.labels)} labels; give one for each"
            )
        columns, rows = layout_cells(options.layout, count)
        width, height = columns * clip.width, rows * clip.height
        if max(width, height) > _LARGEST:
            raise PipelineError(
                f"{count} clips of {clip.width}x{clip.height} make an image of {width}x{height},"
                f" with more than {_LARGEST} pixels on a side; scale them down first, or use"
                " another layout"
            )
        return replace(clip, width=width, height=height, alpha=False)

    def memory(self, clip: Clip, context: object) -> int:
        return len(self.options.clips) * _CLIP_BYTES * clip.width * clip.height

    def open(self, clip: Clip, context: object) -> None:
        after, self._transparent = self.describe(clip), clip.alpha
        self._labels = tuple(self._make_labels(clip))
        self._opaque = np.ones((after.height, after.width), np.float32)
        self._opaque.flags.writeable = False

    def step(self, window: Window[CompareOptions], state: State) -> tuple[Layers, State]:
        assert self._opaque is not None
        planes = self._compose_planes(window)
        whole = self._compose(window) if planes is None else planes
        return {"source": whole, "image": whole, "alpha": self._opaque}, None

    def _compose_planes(self, window: Window[CompareOptions]) -> Planes | None:
        """The result as planes; None where the clips have none, or other ones than each other."""
        options, now = window.options, window.now
        if options.layout == "difference" or "alpha" in now.layers:
            return None
        found = [now.planes(name) for name in ("image", *options.clips)]
        images = [planes for planes in found if planes is not None]
        columns, _ = layout_cells(options.layout, len(found))
        if len(images) < len(found) or not may_be_tiled(images, columns):
            return None
        if options.layout == "split":
            position = line_position(float(now.time), options)
            samples = split_decoded(images[0], images[1], position, self._labels)
        else:
            samples = tile_decoded(images, columns, self._labels)
        return Planes(samples, images[0].format, lambda: self._compose(window))

    def _compose(self, window: Window[CompareOptions]) -> HostArray:
        """The result as RGB."""
        options, now = window.options, window.now
        image = now.host("image")
        if "alpha" in now.layers:
            image = image * now.host("alpha")[..., np.newaxis]
        images = [image, *(now.host(name) for name in options.clips)]
        for name, other in zip(options.clips, images[1:], strict=True):
            if other.shape != image.shape:
                raise ValueError(
                    f"the clip {name} must have colors, {image.shape}, got {other.shape};"
                    " write `{file: other.mp4, color: true}`"
                )
        if options.layout == "split":
            position = line_position(float(now.time), options)
            return split_images(images[0], images[1], position, self._labels)
        if options.layout == "difference":
            return amplify_difference(images[0], images[1], options.gain, self._labels)
        columns, _ = layout_cells(options.layout, len(images))
        return tile_images(images, columns, self._labels)

    def _make_labels(self, clip: Clip) -> list[Label]:
        texts, room = self.options.labels, clip.width - 2 * label_margin(clip.height)
        if texts and self.options.layout == "split":
            room = (clip.width - 3 * label_margin(clip.height)) // 2
        elif texts and self.options.layout == "difference":
            texts = (f"difference x {self.options.gain:g}: {texts[0]}, {texts[1]}",)
        return [make_label(text, width=max(1, room), height=clip.height) for text in texts]


def _shown(label: Label) -> str:
    """What became of a label that does not fit."""
    return f"shortened: {label.text}" if label.text else "left out"


def line_position(seconds: float, options: CompareOptions) -> float:
    """Compute where the line of a split stands.

    Args:
        seconds: Since the first frame.
        options: Of the stage.

    Returns:
        0 to 1, from left to right. A line that moves begins in the middle, where both clips are
        seen in the first frame.
    """
    if options.split is not None:
        return options.split
    return 0.5 - 0.5 * math.sin(2 * math.pi * seconds / options.period)


STAGE = CompareClips
