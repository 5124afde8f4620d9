"""The stage: its contract, what it mends, what it says, and what it leaves alone."""

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


def stage(**options: object) -> Repair:
    made = Repair(RepairOptions.model_validate(options))
    made.open(CLIP, ExecutionContext())
    return made


def run(made: Repair, images: Sequence[HostArray], first: int = 0) -> list[HostArray]:
    results = []
    for index, image in enumerate(images, first):
        frame = Frame(index, index, 1, {"image": image, "source": np.full_like(image, 0.5)})
        layers, state = made.step(Window(frame, made.options), None)
        assert state is None
        results.append(np.asarray(layers["image"]))
    return results


def said(made: Repair) -> list[str]:
    return [f"{note.kind}: {note.text}" for note in made.notes]


def test_damage_is_mended_and_said() -> None:
    made = stage()
    results = run(made, [clean(), damaged(), damaged()], first=7)
    for result in results:
        np.testing.assert_allclose(result, clean(), atol=0.03)
    assert said(made) == [
        "dead-pixels: mended 4 dead pixels, 2 dead blobs in 2 frames, first in frame 8"
    ]


def test_a_clean_image_passes_bit_for_bit_and_in_silence() -> None:
    made, image = stage(), clean()
    np.testing.assert_array_equal(run(made, [image])[0], image)
    assert said(made) == []


def test_report_changes_nothing_and_says_the_same() -> None:
    made, image = stage(action="report"), damaged()
    np.testing.assert_array_equal(run(made, [image])[0], image)
    assert said(made) == [
        "dead-pixels: found 2 dead pixels, 1 dead blob in 1 frame, first in frame 0"
    ]


def test_nan_is_mended_where_the_stage_is_used_alone() -> None:
    made, image = stage(), clean()
    image[9, 9:11] = np.nan
    np.testing.assert_allclose(run(made, [image])[0], clean(), atol=0.03)
    assert said(made) == ["dead-pixels: mended 2 pixels of NaN in 1 frame, first in frame 0"]


def test_each_run_counts_anew() -> None:
    made = stage()
    run(made, [damaged()])
    made.open(CLIP, ExecutionContext())
    assert said(made) == []


def test_options_reach_the_detector() -> None:
    image = clean()
    image[:, 20] = 0.9
    assert said(stage_after(image)) == []
    assert "48 dead pixels" in said(stage_after(image, strokes="counted"))[0]
    assert said(stage_after(image, strokes="counted", jump=0.9)) == []
    assert said(stage_after(damaged(), blob_area=37)) != said(stage_after(damaged(), blob_area=36))
    assert "blob" not in said(stage_after(damaged(), allowed_fraction=0.1))[0]


def stage_after(image: HostArray, **options: object) -> Repair:
    made = stage(**options)
    run(made, [image])
    return made


@pytest.mark.parametrize(
    "options", [{"jump": 0}, {"calm": -1}, {"blob_area": 1}, {"action": "fix"}, {"mend": True}]
)
def test_options_out_of_bounds_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RepairOptions.model_validate(options)
