"""Loss terms of masked and gray images, beside what tests/training/test_losses.py has."""

from __future__ import annotations

import torch

from vidstyle.models.loss.image_losses import (
    gram_matrix,
    range_penalty,
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
