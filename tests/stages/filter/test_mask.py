"""The source outside of a mask, the image inside of it, exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vidstyle.core import Clip, Frame, Window
from vidstyle.core.errors import PipelineError
from vidstyle.stages.filter.mask import STAGE, MaskFilter, MaskFilterOptions

RANDOM = np.random.default_rng(0)
IMAGE, SOURCE = RANDOM.random((2, 24, 32, 3), np.float32)


def masked(mask: np.ndarray, *, invert: bool = False) -> np.ndarray:
    stage = MaskFilter(MaskFilterOptions(mask="face", invert=invert))
    frame = Frame(0, 0, 1, {"image": IMAGE, "source": SOURCE, "face": mask})
    layers, _ = stage.step(Window(frame, stage.options), None)
    return np.asarray(layers["image"])


@pytest.mark.parametrize("invert", [False, True])
def test_both_sides_are_exact(invert: bool) -> None:
    mask = np.zeros((24, 32), np.float32)
    mask[:, 16:] = 1
    found = masked(mask, invert=invert)
    left, right = (IMAGE, SOURCE) if invert else (SOURCE, IMAGE)
    assert np.array_equal(found[:, :16], left[:, :16])
    assert np.array_equal(found[:, 16:], right[:, 16:])


def test_between_it_mixes() -> None:
    found = masked(np.full((24, 32), 0.25, np.float32))
    np.testing.assert_allclose(found, 0.25 * IMAGE + 0.75 * SOURCE, atol=1e-6)


def test_it_needs_a_mask_of_one_value_a_pixel() -> None:
    with pytest.raises(PipelineError, match="needs a mask"):
        STAGE(MaskFilterOptions()).describe(Clip(64, 48, Fraction(1, 25)))
    with pytest.raises(ValueError, match="one value a pixel"):
        masked(np.zeros((24, 32, 3), np.float32))
