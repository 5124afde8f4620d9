"""The kinds of loss differ in what divides them, and all are measured alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from vidstyle.models.loss.image_losses import style_loss
from vidstyle.models.loss.objective import Objective
from vidstyle.training.objective import load_objective
from vidstyle.training.photos import list_photos, read_squares
from vidstyle.training.settings import TrainingSettings

Load = Callable[[str], ModuleType]
SETTINGS = TrainingSettings(
    crop=32, style_image_side=64, style_scales=(1.0, 0.5), precision="float32"
)


@pytest.fixture
def objectives(photos: Path, style_images: Path, weights: Path) -> list[Objective]:
    """Of both style images, in the order of their names."""
    paths = list_photos(photos)
    return [
        load_objective(SETTINGS, path, paths, weights, "cpu")
        for path in sorted(style_images.iterdir())
    ]


@pytest.mark.slow
def test_tables_have_a_row_a_training_and_a_spread_a_kind(
    benchmark: Load,
    photos: Path,
    style_images: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = sorted(style_images.iterdir())
    given = ["--photos", photos, "--weights", weights, "--iterations", 2, "--crop", 32]
    given += ["--start", "random", "--kinds", "calibrated", "tuned"]
    benchmark("sensitivity").main([str(part) for part in (first, second, *given)])
    lines = capsys.readouterr().out.splitlines()
    trained = [line.split() for line in lines if len(line.split()) == 5][1:]
    values = {tuple(row[:3]): tuple(row[3:]) for row in trained[:12]}
    assert len(values) == 2 * 3 * 2
    assert values["calibrated", first.stem, "1"] == values["tuned", first.stem, "1"]
    styles = [float(values["tuned", name, "1"][0]) for name in (first.stem, second.stem)]
    spread = next(line.split() for line in reversed(lines) if line.startswith("tuned"))
    assert float(spread[1]) == pytest.approx(max(styles) / min(styles), abs=0.02)


def test_raw_terms_are_one_weight_before_the_plain_sum(
    benchmark: Load, photos: Path, objectives: list[Objective]
) -> None:
    first, second = objectives
    raw = benchmark("sensitivity").divided(second, first, "raw")
    photo, other = read_squares(list_photos(photos)[:2], 32)
    features = second.features(other)
    plain = sum(float(style_loss(features[each.key], each.gram)) for each in second.styles)
    common = sum(first.units["style"])
    terms = raw.terms(other, raw.content(photo))
    assert float(terms["style"]) == pytest.approx(plain / common, rel=1e-4)
    assert float(terms["content"]) == float(first.terms(other, first.content(photo))["content"])


def test_tuned_terms_keep_the_weights_of_the_first_style_image(
    benchmark: Load, objectives: list[Objective]
) -> None:
    sensitivity = benchmark("sensitivity")
    first, second = objectives
    assert sensitivity.divided(second, first, "tuned").units == first.units
    assert sensitivity.divided(second, first, "tuned").styles is second.styles
    assert sensitivity.divided(second, first, "calibrated") is second


def test_a_factor_multiplies_the_weight_of_the_style(
    benchmark: Load, photos: Path, style_images: Path, weights: Path
) -> None:
    paths = list_photos(photos)
    own = load_objective(SETTINGS, min(style_images.iterdir()), paths, weights, "cpu")
    photo, other = read_squares(paths[:2], 32)
    terms = own.terms(other, own.content(photo))
    double = benchmark("sensitivity").weighed(own, 2.0).total(terms)
    assert float(double - own.total(terms)) == pytest.approx(float(terms["style"]), rel=1e-4)


def test_a_spread_is_the_largest_over_the_smallest(benchmark: Load) -> None:
    sensitivity = benchmark("sensitivity")
    values = ((0.2, 0.5), (0.1, 1.0), (0.05, 0.8))
    made = [sensitivity.Row("raw", "wave", 1.0, *losses) for losses in values]
    np.testing.assert_allclose(sensitivity.spread(made), (4, 2))
