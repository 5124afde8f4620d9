"""Terms are 1 where they are measured, and weigh what the settings say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch

from vidstyle.models.loss.backbone import load_backbone
from vidstyle.models.loss.image_losses import gram_matrix
from vidstyle.models.loss.objective import Objective
from vidstyle.training.objective import calibrate
from vidstyle.training.photos import list_photos, read_photo, read_squares, to_tensor
from vidstyle.training.settings import TrainingSettings


@pytest.fixture
def squares(photos: Path) -> tuple[torch.Tensor, ...]:
    return read_squares(list_photos(photos), 32)


@pytest.fixture
def objective(
    settings: TrainingSettings, weights: Path, style_image: Path, squares: tuple[torch.Tensor, ...]
) -> Objective:
    plain = settings.model_copy(update={"precision": "float32", "variation_weight": 0.01})
    image = to_tensor(read_photo(style_image))
    return calibrate(load_backbone("vgg19", folder=weights), image, squares, plain)


def terms(objective: Objective, image: torch.Tensor, photo: torch.Tensor) -> dict[str, float]:
    found = objective.terms(image, objective.content(photo))
    return {name: float(value) for name, value in found.items()}


def test_terms_of_the_median_photo_are_one(
    objective: Objective, squares: tuple[torch.Tensor, ...]
) -> None:
    rows = [terms(objective, square, square) for square in squares]
    assert median(row["variation"] for row in rows) == pytest.approx(1, rel=1e-4)
    for target, unit in zip(objective.styles, objective.units["style"], strict=True):
        single = replace(target, layer_weight=1.0)
        only = replace(objective, styles=(single,), units={**objective.units, "style": (unit,)})
        styles = [terms(only, square, square)["style"] for square in squares]
        assert median(styles) == pytest.approx(1, rel=1e-3)
    assert all(row["content"] == 0 for row in rows)


def test_a_weight_doubles_what_its_term_counts(objective: Objective) -> None:
    options = objective.options.model_copy(update={"style_weight": 2.0})
    values = {"style": torch.tensor(0.25), "content": torch.tensor(0.5)}
    strong = replace(objective, options=options)
    assert float(strong.total(values) - objective.total(values)) == pytest.approx(0.25)


def test_a_term_of_weight_0_is_left_out(
    objective: Objective, squares: tuple[torch.Tensor, ...]
) -> None:
    options = objective.options.model_copy(update={"variation_weight": 0.0})
    found = terms(replace(objective, options=options), squares[0], squares[0])
    assert found.keys() == {"style", "content", "structure", "range_penalty"}


def test_each_layer_and_size_counts_alike(
    objective: Objective, squares: tuple[torch.Tensor, ...]
) -> None:
    keys = {target.key for target in objective.styles}
    assert keys == {(f"relu{n}_1", size) for n in (1, 2) for size in (1.0, 0.5)}
    assert {target.layer_weight for target in objective.styles} == {0.25}
    # In place of the style image's, a target at half the untouched distance quarters its ratio.
    [target] = [each for each in objective.styles if each.key == ("relu2_1", 0.5)]
    units = {**objective.units, "style": objective.units["style"][:1]}
    found = gram_matrix(objective.features(squares[0])[target.key])
    nearer = replace(target, gram=(found + target.gram) / 2)
    ratios = [
        terms(replace(objective, styles=(each,), units=units), squares[0], squares[0])["style"]
        for each in (target, nearer)
    ]
    assert ratios[1] == pytest.approx(ratios[0] / 4)


def test_the_style_image_itself_has_almost_no_style_loss(
    objective: Objective, style_image: Path, squares: tuple[torch.Tensor, ...]
) -> None:
    image = to_tensor(read_photo(style_image))
    assert terms(objective, image, image)["style"] < 1e-6
    assert terms(objective, squares[0], squares[0])["style"] > 0.1


def test_colors_beyond_the_style_image_are_penalized(
    objective: Objective, style_image: Path
) -> None:
    image = to_tensor(read_photo(style_image))
    assert terms(objective, image, image)["range_penalty"] == 0
    # The style image's brightest is (230, 220, 200) and its darkest (20, 60, 120).
    white = torch.ones_like(image)
    wanted = sum(((255 - value) / 255) ** 2 for value in (230, 220, 200)) / 3
    assert terms(objective, white, image)["range_penalty"] == pytest.approx(wanted, rel=1e-4)


def test_the_total_is_the_weighted_sum(objective: Objective, settings: TrainingSettings) -> None:
    values = {
        "style": torch.tensor(2.0),
        "content": torch.tensor(3.0),
        "range_penalty": torch.tensor(1.0),
    }
    wanted = 2 * settings.style_weight + 3 * settings.content_weight + settings.range_penalty_weight
    assert float(objective.total(values)) == pytest.approx(wanted)


def test_gradients_reach_the_image(objective: Objective, squares: tuple[torch.Tensor, ...]) -> None:
    image = (squares[0] + 0.1).requires_grad_()
    loss = objective.total(objective.terms(image, objective.content(squares[0])))
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    assert image.grad is not None
    assert image.grad.abs().max() > 0


def test_a_blank_photo_does_not_divide_by_zero(
    settings: TrainingSettings, weights: Path, style_image: Path
) -> None:
    blank = torch.full((1, 3, 32, 32), 0.5)
    image = to_tensor(read_photo(style_image))
    objective = calibrate(load_backbone("vgg19", folder=weights), image, [blank], settings)
    assert all(np.isfinite(value) for value in terms(objective, blank, blank).values())
