"""Colors move as Gatys et al. 2016b have it, and come back exactly."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from tests.models.gatys_world import waves
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.color_transfer import (
    finish_colors,
    luma_of,
    match_colors,
    prepare_colors,
)
from vidstyle.models.optimization.task import OptimizationTask, StyleReference, match_histogram


def colors(image: torch.Tensor) -> np.ndarray:
    """(pixels, 3)."""
    return image[0].flatten(1).T.double().numpy()


def test_transferred_colors_have_the_others_mean_and_covariance() -> None:
    # Of little contrast, so that nothing is clipped.
    style_image = 0.4 + 0.2 * waves(30, 40, color=2)
    content = 0.3 + 0.2 * waves(50, 20, period=7)[:, [2, 0, 1]] * torch.tensor(
        [1, 0.5, 0.8]
    ).reshape(3, 1, 1)
    moved, wanted = colors(match_colors(style_image, content)), colors(content)
    np.testing.assert_allclose(moved.mean(0), wanted.mean(0), atol=1e-6)
    # To the little variance that keeps gray style images from being divided by nothing.
    np.testing.assert_allclose(np.cov(moved.T), np.cov(wanted.T), atol=3e-5)
    again = match_colors(content, content)
    torch.testing.assert_close(again, content, atol=1e-5, rtol=0)


def test_a_gray_style_image_stays_finite() -> None:
    gray = torch.full((1, 3, 8, 8), 0.5)
    assert match_colors(gray, waves(16, 16)).isfinite().all()


def test_a_histogram_is_the_others_and_ranks_stay() -> None:
    image, other = waves(20, 30), waves(9, 13, period=5, color=1)
    same = match_histogram(image, image.flip(3))
    torch.testing.assert_close(same, image)
    found = match_histogram(image, other)
    for channel in range(3):
        before, after = image[0, channel].flatten(), found[0, channel].flatten()
        assert (after[before.argsort(stable=True)].diff() >= 0).all()
        quantiles = torch.linspace(0, 1, 11)
        wanted = other[0, channel].quantile(quantiles)
        torch.testing.assert_close(after.quantile(quantiles), wanted, atol=0.01, rtol=0)


def test_luminance_alone_is_stylized_on_the_contents_colors() -> None:
    content, style_image = waves(20, 24), waves(16, 16, color=3)
    past = Past(waves(20, 24, color=1), torch.ones(1, 1, 20, 24))
    task = prepare_colors(
        OptimizationTask(content, (StyleReference(image=style_image),), past), "content-luminance"
    )
    luma = cv2.cvtColor(content[0].permute(1, 2, 0).numpy().copy(), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(task.content[0, 0], luma, atol=1e-6)
    assert task.past is not None
    assert task.past.image.shape == task.content.shape
    light = task.references[0].image
    assert abs(float(light.mean() - luma.mean())) < 0.01
    # What was not stylized comes back as it was.
    torch.testing.assert_close(finish_colors(task.content, content), content, atol=1e-5, rtol=0)
    darker = finish_colors(task.content * 0.9, content)
    torch.testing.assert_close(luma_of(darker), task.content * 0.9, atol=1e-5, rtol=0)


def test_other_choices_leave_the_content_alone() -> None:
    task = OptimizationTask(waves(20, 24), (StyleReference(image=waves(16, 16, color=3)),))
    assert prepare_colors(task, "style") is task
    moved = prepare_colors(task, "content-matched")
    assert moved.content is task.content
    assert not torch.equal(moved.references[0].image, task.references[0].image)
