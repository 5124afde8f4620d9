"""The blend of frames that were reduced: pixels count in those of the full size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidstyle.core import ExecutionContext, Frame, HostArray, State, Window
from vidstyle.stages.blend.warped import Warped
from vidstyle.stages.blend.warped_options import WarpedOptions, resolve_weights
from vidstyle.testing.clips import SyntheticClip, pan

REDUCTION = 4


def test_what_is_fine_in_reduced_frames_is_coarse_in_the_source() -> None:
    options = WarpedOptions(fine=0.2)
    assert resolve_weights(options).fine == 0.2
    assert resolve_weights(options, reduction=2).fine == pytest.approx(0.8)
    assert resolve_weights(options, reduction=REDUCTION).fine == pytest.approx(0.95)
    smooth = options.model_copy(update={"smoothing": 1.0})
    assert resolve_weights(smooth, reduction=2).fine == pytest.approx(1)


def test_a_slow_motion_is_one_of_the_source() -> None:
    # A fifth of a pixel, which stands for 0.8: what seems to stand still moves.
    clip = pan(frames=12, height=64, width=96, step=(0.2, 0.0))
    source = clip.with_truth()[-1].host("source")
    followed, averaged = (
        np.abs(blend_clip(clip, reduction) - source)[8:-8, 8:-8].mean()
        for reduction in (REDUCTION, 1)
    )
    assert followed < 0.7 * averaged


def blend_clip(clip: SyntheticClip, reduction: int) -> HostArray:
    """The last frame."""
    stage = Warped(WarpedOptions(detail=1, strokes=1, fine=1))
    full = clip.clip.width * reduction, clip.clip.height * reduction
    stage.open(replace(clip.clip, full_size=full), ExecutionContext())
    state: State = stage.initial_state()
    behind: tuple[Frame, ...] = ()
    image = None
    for frame in clip.with_truth():
        layers, state = stage.step(Window(frame, stage.options, behind), state)
        image, behind = np.asarray(layers["image"]), (frame,)
    assert image is not None
    return image
