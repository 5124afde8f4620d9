"""The stage: its contract, what it repairs, what it notes, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Window
from vidstyle.stages.filter.repair import STAGE, Repair, RepairOptions
from vidstyle.testing import checks_for

HEIGHT, WIDTH = 48, 64
CLIP = Clip(WIDTH, HEIGHT, Fraction(1, 25))


@pytest.mark.parametrize(
    ("name", "check"), [*checks_for(STAGE), *checks_for(STAGE, action="report", strokes="counted")]
)
def test_repair_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def clean() -> HostArray:
    across = np.linspace(0.2, 0.8, WIDTH, dtype=np.float32)
    return np.broadcast_to(across[:, np.newaxis], (HEIGHT, WIDTH, 3)).copy()


def damaged() -> HostArray:
    image = clean()
    image[5, 5] = image[40, 50] = (1, 0, 1)
    image[20:26, 30:36] = 0
    return image


def make_stage(**options: object) -> Repair:
    stage = Repair(RepairOptions.model_validate(options))
    stage.open(CLIP, ExecutionContext())
    return stage


def run(stage: Repair, images: Sequence[HostArray], first: int = 0) -> list[HostArray]:
    results = []
    for index, image in enumerate(images, first):
        frame = Frame(index, index, 1, {"image": image, "source": np.full_like(image, 0.5)})
        layers, state = stage.step(Window(frame, stage.options), None)
        assert state is None
        results.append(np.asarray(layers["image"]))
    return results


def notes_of(stage: Repair) -> list[str]:
    return [f"{note.kind}: {note.text}" for note in stage.notes]


def test_damage_is_repaired_and_noted() -> None:
    stage = make_stage()
    results = run(stage, [clean(), damaged(), damaged()], first=7)
    for result in results:
        np.testing.assert_allclose(result, clean(), atol=0.03)
    assert notes_of(stage) == [
        "dead-pixels: repaired 4 dead pixels, 2 dead blobs in 2 frames, first in frame 8"
    ]


def test_a_clean_image_passes_bit_for_bit_and_in_silence() -> None:
    stage, image = make_stage(), clean()
    np.testing.assert_array_equal(run(stage, [image])[0], image)
    assert notes_of(stage) == []


def test_report_changes_nothing_and_says_the_same() -> None:
    stage, image = make_stage(action="report"), damaged()
    np.testing.assert_array_equal(run(stage, [image])[0], image)
    assert notes_of(stage) == [
        "dead-pixels: found 2 dead pixels, 1 dead blob in 1 frame, first in frame 0"
    ]


def test_nan_is_repaired_where_the_stage_is_the_only_one() -> None:
    stage, image = make_stage(), clean()
    image[9, 9:11] = np.nan
    np.testing.assert_allclose(run(stage, [image])[0], clean(), atol=0.03)
    assert notes_of(stage) == ["dead-pixels: repaired 2 pixels of NaN in 1 frame, first in frame 0"]


def test_each_run_counts_from_zero() -> None:
    stage = make_stage()
    run(stage, [damaged()])
    stage.open(CLIP, ExecutionContext())
    assert notes_of(stage) == []


def test_options_reach_the_detector() -> None:
    image = clean()
    image[:, 20] = 0.9
    assert notes_of(stage_after(image)) == []
    assert "48 dead pixels" in notes_of(stage_after(image, strokes="counted"))[0]
    assert notes_of(stage_after(image, strokes="counted", jump=0.9)) == []
    larger, all_blobs = (stage_after(damaged(), blob_area=area) for area in (37, 36))
    assert notes_of(larger) != notes_of(all_blobs)
    assert "blob" not in notes_of(stage_after(damaged(), allowed_fraction=0.1))[0]


def stage_after(image: HostArray, **options: object) -> Repair:
    stage = make_stage(**options)
    run(stage, [image])
    return stage


@pytest.mark.parametrize(
    "options", [{"jump": 0}, {"stable": -1}, {"blob_area": 1}, {"action": "fix"}, {"repair": True}]
)
def test_options_out_of_bounds_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RepairOptions.model_validate(options)
