"""The views of a pair are the pair, its motion and its difference, by exact motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.report.conftest import WriteClip
from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.report.pair_views import GAIN, PairViews, view_pairs
from vidstyle.testing import pan

STEP = (3.0, 0.0)
"""Pixels a frame, to the right: whole, so that warping is exact."""
FLASH = 20 / 255


class ExactFlow:
    """The truth about a pan; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        self.asked += 1
        forward = np.broadcast_to(np.float32(STEP), (*first.shape[:2], 2)).copy()
        return forward, -forward


@pytest.fixture
def panned() -> list[HostArray]:
    frames = [frame.host("source") for frame in pan(frames=8, step=STEP).frames]
    # Room for a flash above, in whole levels.
    return [np.rint(frame * 200).astype(np.float32) / 255 for frame in frames]


@pytest.fixture
def clips(panned: list[HostArray], write_clip: WriteClip) -> dict[str, Path]:
    flashing = [frame + (FLASH if at == 5 else 0) for at, frame in enumerate(panned)]
    return {"still": write_clip("1.mkv", panned), "flash": write_clip("2.mkv", flashing)}


def levels(image: HostArray) -> np.ndarray:
    return np.rint(image * 255).astype(int)


def flashing(clips: dict[str, Path], *wanted: int, first: int = 0) -> tuple[PairViews, ...]:
    asked = {"flash": wanted}
    flash = {"flash": clips["flash"]}
    return view_pairs(clips["still"], flash, asked, ExactFlow(), (first, None))["flash"]


def test_views_of_a_flash(clips: dict[str, Path], panned: list[HostArray]) -> None:
    (views,) = flashing(clips, 5)
    assert (views.index, views.longest) == (5, 3.0)
    np.testing.assert_array_equal(views.earlier, levels(panned[4]))
    np.testing.assert_array_equal(views.later, levels(panned[5] + FLASH))
    # What has come in at the left is not to be seen at the right of the earlier frame.
    inside = np.s_[:, :-3]
    np.testing.assert_array_equal(views.warped[inside], levels(panned[4][inside]) + 20)
    assert (views.mask[inside] == 255).all()
    assert (views.mask[:, -3:] == 0).all()
    assert (np.abs(views.difference[inside].astype(int) - 20 * GAIN) <= 1).all()
    assert (views.difference[:, -3:] == 0).all()
    assert (views.flow == (255, 0, 0)).all()


def test_a_pair_without_a_flash_has_no_difference(clips: dict[str, Path]) -> None:
    (views,) = flashing(clips, 2)
    assert (views.difference == 0).all()


def test_order_is_that_of_the_wish(clips: dict[str, Path]) -> None:
    assert [views.index for views in flashing(clips, 6, 1, 5)] == [6, 1, 5]


def test_frames_are_counted_from_the_interval(
    clips: dict[str, Path], panned: list[HostArray]
) -> None:
    (views,) = flashing(clips, 3, first=2)
    np.testing.assert_array_equal(views.earlier, levels(panned[4]))


def test_a_flow_is_found_once_for_all_clips(clips: dict[str, Path]) -> None:
    flow = ExactFlow()
    wanted = {"still": (1, 5), "flash": (5,)}
    found = view_pairs(clips["still"], clips, wanted, flow, (0, None))
    assert flow.asked == 2
    assert [views.index for views in found["still"]] == [1, 5]
    assert [views.index for views in found["flash"]] == [5]


def test_no_wish_reads_nothing(clips: dict[str, Path]) -> None:
    flow = ExactFlow()
    assert view_pairs(clips["still"], clips, dict.fromkeys(clips, ()), flow, (0, None)) == {
        "still": (),
        "flash": (),
    }
    assert flow.asked == 0


def test_a_frame_behind_the_end_is_refused(clips: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="end before frame 12"):
        flashing(clips, 10, first=2)


def test_a_clip_may_be_called_the_source(clips: dict[str, Path]) -> None:
    flash = {"the source": clips["flash"]}
    found = view_pairs(clips["still"], flash, {"the source": (5,)}, ExactFlow(), (0, None))
    (views,), (expected,) = found["the source"], flashing(clips, 5)
    np.testing.assert_array_equal(views.difference, expected.difference)
