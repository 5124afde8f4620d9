"""Loss terms of masked and gray images, beside what tests/training/test_losses.py has."""

from __future__ import annotations

import pytest
import torch

from vidstyle.models.loss.image_losses import (
    gram_matrix,
    range_penalty,
    structure_loss,
    total_variation,
    visible_difference,
    warp,
)


def random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_a_white_mask_changes_nothing_and_a_half_is_the_half() -> None:
    features = random(2, 5, 6, 8)
    white = torch.ones(1, 1, 6, 8)
    torch.testing.assert_close(gram_matrix(features, white), gram_matrix(features))
    left = white.clone()
    left[..., 4:] = 0
    torch.testing.assert_close(gram_matrix(features, left), gram_matrix(features[..., :4]))
    assert not gram_matrix(features, torch.zeros_like(white)).any()


def test_absolute_variation_of_a_step_is_its_height_whatever_its_width() -> None:
    sharp, soft = torch.zeros(1, 1, 4, 9), torch.zeros(1, 1, 4, 9)
    sharp[..., 4:] = 1
    soft[0, 0] = torch.linspace(0, 1, 9)
    assert total_variation(sharp, "absolute") == total_variation(soft, "absolute") == 1 / 8
    assert total_variation(soft) < total_variation(sharp)


def test_only_visible_pixels_are_compared() -> None:
    one, other = random(1, 3, 4, 6), random(1, 3, 4, 6).flip(3)
    visible = torch.zeros(1, 1, 4, 6)
    assert visible_difference(one, other, visible) == 0
    visible[0, 0, 1, 2] = 1
    wanted = (one - other)[0, :, 1, 2].square().mean()
    torch.testing.assert_close(visible_difference(one, other, visible), wanted)


def test_range_penalty_counts_what_no_file_can_hold() -> None:
    image = torch.tensor([-0.5, 0.0, 1.0, 2.0]).reshape(1, 1, 2, 2)
    assert range_penalty(image, 0.0, 1.0) == (0.25 + 1) / 4


def test_an_image_one_pixel_wide_has_no_neighbors_across() -> None:
    narrow = random(1, 3, 5, 1)
    wide = narrow.repeat(1, 1, 1, 2)
    torch.testing.assert_close(total_variation(narrow), total_variation(wide))
    torch.testing.assert_close(warp(narrow, torch.zeros(1, 2, 5, 1)), narrow)


def textured(height: int = 64, width: int = 64, seed: int = 0) -> torch.Tensor:
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise, 9, stride=1, padding=4) * 4 - 1.5


def test_structure_is_free_of_brightness_contrast_and_color() -> None:
    photo = textured()
    gray = (photo * torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
    assert float(structure_loss(photo, photo)) == pytest.approx(0, abs=1e-6)
    assert float(structure_loss(gray.expand_as(photo), photo)) == pytest.approx(0, abs=1e-6)
    small = float(structure_loss(0.8 * photo + 0.1, photo))
    other, negative = (
        float(structure_loss(image, photo)) for image in (textured(seed=1), 1 - photo)
    )
    assert small < 0.02 * other
    assert 1.5 * other < negative < 2


def test_what_is_drawn_where_the_content_is_flat_is_free() -> None:
    wall = torch.full((1, 3, 64, 64), 0.5)
    assert float(structure_loss(textured(), wall)) == pytest.approx(0, abs=1e-6)
    half = torch.cat([wall[..., :32], textured()[..., 32:]], dim=3)
    drawn = torch.cat([textured(seed=2)[..., :32], half[..., 32:]], dim=3)
    assert float(structure_loss(drawn, half)) < 0.4 * float(structure_loss(drawn.flip(3), half))


def test_structure_of_gray_and_of_small_images() -> None:
    photo = textured(12, 20)[:, :1]
    assert float(structure_loss(photo, photo)) == pytest.approx(0, abs=1e-6)
    assert float(structure_loss(1 - photo, photo)) > 0.1
