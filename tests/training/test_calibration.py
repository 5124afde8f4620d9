"""Terms are 1 where they are measured, and weigh what the settings say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
import torch

from vidstyle.models.loss.backbone import load_backbone
from vidstyle.training.calibration import Objective, calibrate
from vidstyle.training.losses import gram_matrix
from vidstyle.training.photos import list_photos, read_image, read_squares, to_tensor
from vidstyle.training.settings import Settings


@pytest.fixture
def squares(photos: Path) -> tuple[torch.Tensor, ...]:
    return read_squares(list_photos(photos), 32)


@pytest.fixture
def objective(
    settings: Settings, weights: Path, style_image: Path, squares: tuple[torch.Tensor, ...]
) -> Objective:
    plain = settings.model_copy(update={"precision": "float32"})
    image = to_tensor(read_image(style_image))
    return calibrate(load_backbone("vgg19", folder=weights), image, squares, plain)


def test_terms_of_the_median_photo_are_one(
    objective: Objective, squares: tuple[torch.Tensor, ...]
) -> None:
    rows = [objective.terms(square, square) for square in squares]
    assert median(float(row["variation"]) for row in rows) == pytest.approx(1, rel=1e-4)
    for key in objective.targets:
        only = replace(objective, targets={key: objective.targets[key]})
        styles = [float(only.terms(square, square)["style"]) for square in squares]
        assert median(styles) == pytest.approx(1, rel=1e-3)
    assert all(row["content"] == 0 for row in rows)


def test_strength_doubles_the_weight_of_the_style(objective: Objective) -> None:
    strong = replace(objective, settings=objective.settings.model_copy(update={"strength": 2.0}))
    terms = {"style": torch.tensor(0.25), "content": torch.tensor(0.5)}
    assert float(strong.total(terms) - objective.total(terms)) == pytest.approx(0.25)


def test_each_layer_and_size_counts_alike(
    objective: Objective, squares: tuple[torch.Tensor, ...]
) -> None:
    assert set(objective.targets) == {f"relu{n}_1@{size}" for n in (1, 2) for size in ("1", "0.5")}
    # In place of the painting's, a target at half the untouched distance quarters its ratio.
    key = "relu2_1@0.5"
    features = objective.features(squares[0])[key]
    found = gram_matrix(features)
    nearer = replace(objective, targets={key: (found + objective.targets[key]) / 2})
    only = replace(objective, targets={key: objective.targets[key]})
    ratio = only.terms(squares[0], squares[0])["style"]
    torch.testing.assert_close(nearer.terms(squares[0], squares[0])["style"], ratio / 4)


def test_the_painting_itself_has_almost_no_style_loss(
    objective: Objective, style_image: Path, squares: tuple[torch.Tensor, ...]
) -> None:
    image = to_tensor(read_image(style_image))
    assert objective.terms(image, image)["style"] < 1e-6
    assert objective.terms(squares[0], squares[0])["style"] > 0.1


def test_colors_beyond_the_painting_are_an_excess(objective: Objective, style_image: Path) -> None:
    image = to_tensor(read_image(style_image))
    assert objective.terms(image, image)["range_penalty"] == 0
    # The painting's brightest is (230, 220, 200) and its darkest (20, 60, 120).
    white = torch.ones_like(image)
    wanted = sum(((255 - value) / 255) ** 2 for value in (230, 220, 200)) / 3
    assert float(objective.terms(white, image)["range_penalty"]) == pytest.approx(wanted, rel=1e-4)


def test_the_total_is_the_weighted_sum(objective: Objective, settings: Settings) -> None:
    terms = {
        "style": torch.tensor(2.0),
        "content": torch.tensor(3.0),
        "range_penalty": torch.tensor(1.0),
    }
    wanted = 2 * settings.strength + 3 * settings.content + settings.range_penalty
    assert float(objective.total(terms)) == pytest.approx(wanted)


def test_gradients_reach_the_image(objective: Objective, squares: tuple[torch.Tensor, ...]) -> None:
    image = (squares[0] + 0.1).requires_grad_()
    objective.total(objective.terms(image, squares[0])).backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert image.grad.abs().max() > 0


def test_a_blank_photo_does_not_divide_by_zero(
    settings: Settings, weights: Path, style_image: Path
) -> None:
    blank = torch.full((1, 3, 32, 32), 0.5)
    image = to_tensor(read_image(style_image))
    objective = calibrate(load_backbone("vgg19", folder=weights), image, [blank], settings)
    assert all(value.isfinite() for value in objective.terms(blank, blank).values())
