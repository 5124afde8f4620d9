"""The loss terms against sums written out, closed forms and differences."""

from __future__ import annotations

import pytest
import torch

from vidstyle.models.loss.image_losses import (
    content_loss,
    gram_matrix,
    range_penalty,
    style_loss,
    temporal_error,
    total_variation,
    warp,
)
from vidstyle.training.objective import noise_gain


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def gram_in_float64(values: torch.Tensor) -> torch.Tensor:
    count, channels, height, width = values.shape
    found = torch.zeros(count, channels, channels, dtype=torch.float64)
    for n in range(count):
        for a in range(channels):
            for b in range(channels):
                for y in range(height):
                    for x in range(width):
                        found[n, a, b] += values[n, a, y, x].double() * values[n, b, y, x].double()
    return found / (channels * height * width)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gram_matrix_equals_a_loop_in_float64(layout: torch.memory_format) -> None:
    values = features(2, 3, 4, 5).contiguous(memory_format=layout)
    torch.testing.assert_close(gram_matrix(values).double(), gram_in_float64(values))


def test_gram_matrix_of_bfloat16_is_within_its_rounding() -> None:
    values = features(1, 4, 16, 16).bfloat16()
    found = gram_matrix(values)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), gram_in_float64(values), rtol=2**-8, atol=2**-9)


def test_style_loss_does_not_see_where_things_are() -> None:
    values = features(1, 3, 6, 6)
    moved = values.flatten(2)[..., torch.randperm(36)].reshape(values.shape)
    assert style_loss(moved, gram_matrix(values)) < 1e-12
    assert style_loss(2 * values, gram_matrix(values)) > 1e-3


def test_style_loss_takes_one_target_for_a_batch() -> None:
    values, target = features(2, 3, 4, 4), gram_matrix(features(1, 3, 9, 7, seed=1))
    separate = [style_loss(each[None], target) for each in values]
    torch.testing.assert_close(style_loss(values, target), torch.stack(separate).mean())


def test_style_loss_has_the_gradient_of_its_differences() -> None:
    values = features(1, 2, 3, 3).double().requires_grad_()
    target = gram_in_float64(features(1, 2, 3, 3, seed=1)).float()
    # The Gram matrix is rounded to float32: its differences need room.
    assert torch.autograd.gradcheck(
        lambda given: style_loss(given, target), values, eps=1e-2, atol=1e-3, rtol=1e-2
    )


def test_content_loss_is_the_mean_square() -> None:
    values = features(1, 2, 3, 4)
    assert content_loss(values, values) == 0
    torch.testing.assert_close(content_loss(values + 0.5, values), torch.tensor(0.25))


def test_total_variation_of_a_ramp_is_the_square_of_its_slopes() -> None:
    down, across = torch.arange(5.0).reshape(1, 1, 5, 1), torch.arange(7.0).reshape(1, 1, 1, 7)
    ramp = (0.1 * down + 0.03 * across).expand(2, 3, 5, 7)
    torch.testing.assert_close(total_variation(ramp), torch.tensor(0.1**2 + 0.03**2))
    assert total_variation(torch.full((1, 3, 4, 4), 0.7)) == 0


def test_total_variation_of_a_chessboard_is_two() -> None:
    board = ((torch.arange(4)[:, None] + torch.arange(6)) % 2).float().reshape(1, 1, 4, 6)
    assert total_variation(board) == 2


def test_range_penalty_counts_what_is_outside_only() -> None:
    values = torch.tensor([[-0.5, 0.0, 0.4], [0.2, 0.9, 3.0]]).reshape(1, 2, 1, 3)
    lowest, highest = torch.tensor([[0.0, 0.3], [1.0, 0.9]]).reshape(2, 1, 2, 1, 1)
    wanted = (0.5**2 + 0.1**2 + 2.1**2) / 6
    torch.testing.assert_close(range_penalty(values, lowest, highest), torch.tensor(wanted))


def test_noise_gain_of_a_factor_is_its_square() -> None:
    photo, noise = features(1, 3, 64, 64), 0.02 * features(1, 3, 64, 64, seed=1)
    gain = noise_gain(3 * photo, 3 * (photo + noise), 0.02)
    torch.testing.assert_close(gain, torch.tensor(9.0), rtol=0.05, atol=0)


def test_warping_by_whole_pixels_is_a_shift() -> None:
    previous = features(1, 3, 12, 16)
    flow = torch.empty(1, 2, 12, 16)
    flow[:, 0], flow[:, 1] = 2.0, -3.0
    warped = warp(previous, flow)
    torch.testing.assert_close(warped[:, :, 3:, :14], previous[:, :, :9, 2:], rtol=0, atol=1e-4)


def test_warping_looks_between_pixels_without_blur() -> None:
    x = torch.arange(32.0)
    previous = torch.sin(x / 2).expand(1, 1, 8, 32)
    flow = torch.zeros(1, 2, 8, 32)
    flow[:, 0] = 0.5
    wanted = torch.sin((x + 0.5) / 2)
    found = warp(previous, flow)[0, 0, 4]
    # Bilinear interpolation is off by 0.03 here.
    assert (found - wanted)[4:-4].abs().max() < 0.015


def test_the_temporal_error_is_the_mean_over_what_was_visible() -> None:
    current = torch.zeros(1, 3, 4, 6)
    previous = torch.ones(1, 3, 4, 6)
    previous[..., 3:] = 0.5
    visible = torch.zeros(1, 1, 4, 6)
    visible[..., 1, 1:5] = 1.0
    found = temporal_error(current, previous, torch.zeros(1, 2, 4, 6), visible)
    assert float(found) == pytest.approx((2 * 1.0 + 2 * 0.25) / 4, abs=1e-5)


def test_the_temporal_error_of_an_image_that_moves_is_zero() -> None:
    previous = features(1, 3, 10, 10)
    current = torch.roll(previous, 1, dims=3)
    flow = torch.zeros(1, 2, 10, 10)
    flow[:, 0] = -1.0
    visible = torch.ones(1, 1, 10, 10)
    visible[..., 0] = 0.0
    assert float(temporal_error(current, previous, flow, visible)) < 1e-8


def test_nothing_visible_is_no_error() -> None:
    images = features(1, 3, 4, 4)
    flow, visible = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
    assert float(temporal_error(images, images + 1, flow, visible)) == 0
