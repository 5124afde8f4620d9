"""An image that is optimized: its levels, starts, masks and ends."""

from __future__ import annotations

from dataclasses import replace

import cv2
import pytest
import torch

from tests.models.gatys_world import small_backbone, waves
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.gatys import OptimizationResult, OptimizationStep, optimize_image
from vidstyle.models.optimization.options import DescentOptions
from vidstyle.models.optimization.task import OptimizationTask, StyleReference

pytestmark = pytest.mark.usefixtures("one_thread")
FEW = DescentOptions(steps=8)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return small_backbone()


@pytest.fixture
def task() -> OptimizationTask:
    reference = StyleReference(image=waves(32, 40, period=5, color=2))
    return OptimizationTask(waves(32, 44), (reference,))


class Kept:
    """The steps that were reported; ends after so many."""

    def __init__(self, most: int = 10**6) -> None:
        self.steps: list[OptimizationStep] = []
        self._most = most

    def __call__(self, progress: OptimizationStep) -> bool:
        self.steps.append(progress)
        return len(self.steps) < self._most


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_loss_falls_and_each_step_is_reported(
    backbone: Backbone, task: OptimizationTask, optimizer: str
) -> None:
    settings = FEW.model_copy(update={"optimizer": optimizer})  # type: ignore[arg-type]  # one of the two
    stylized = optimize_image(backbone, task, options=settings, watch=(kept := Kept()))
    assert [each.step for each in kept.steps] == list(range(1, 9))
    assert kept.steps[-1].loss == stylized.loss < 0.8 * kept.steps[0].loss
    assert (stylized.steps, stylized.ending) == (8, "steps")
    assert kept.steps[0].terms.keys() == {"style", "content", "variation", "range_penalty"}
    torch.testing.assert_close(kept.steps[-1].image(), stylized.image)
    assert stylized.image.shape == task.content.shape
    assert stylized.image.min() >= 0
    assert stylized.image.max() <= 1


def test_two_runs_are_equal_and_a_seed_makes_another(
    backbone: Backbone, task: OptimizationTask
) -> None:
    noise = FEW.model_copy(update={"start": "noise", "steps": 3})
    first, again = (optimize_image(backbone, task, options=noise).image for _ in range(2))
    other = optimize_image(backbone, task, options=noise.model_copy(update={"seed": 1})).image
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_levels_go_from_coarse_to_fine_and_share_the_steps(backbone: Backbone) -> None:
    big = StyleReference(image=waves(140, 150, period=9, color=2))
    content = waves(131, 160)
    kept = Kept()
    stylized = optimize_image(
        backbone,
        OptimizationTask(content, (big,)),
        options=FEW.model_copy(update={"levels": 3}),
        watch=kept,
    )
    # A quarter of 131 pixels would be too small to stylize.
    assert [each.size for each in kept.steps] == [(80, 66)] * 4 + [(160, 131)] * 4
    assert kept.steps[0].image().shape == stylized.image.shape == content.shape


def test_a_watcher_ends_it_with_what_there_is(backbone: Backbone, task: OptimizationTask) -> None:
    stylized = optimize_image(backbone, task, options=FEW, watch=(kept := Kept(most=3)))
    assert (stylized.steps, stylized.ending, len(kept.steps)) == (3, "stopped", 3)
    three = optimize_image(backbone, task, options=FEW.model_copy(update={"steps": 3}))
    assert torch.equal(stylized.image, three.image)


def test_it_ends_when_the_loss_falls_no_more(backbone: Backbone, task: OptimizationTask) -> None:
    settings = DescentOptions(steps=400, tolerance=0.02)
    stylized = optimize_image(backbone, task, options=settings, watch=(kept := Kept()))
    assert stylized.ending == "converged"
    assert 20 < stylized.steps < 400
    assert kept.steps[-21].loss - stylized.loss < 0.02 * kept.steps[-21].loss


def test_an_image_that_is_its_own_style_image_stays_nearly_as_it_is(backbone: Backbone) -> None:
    content = waves(32, 44)
    own = OptimizationTask(content, (StyleReference(image=content),))
    losses = LossOptions(variation_weight=0)
    stylized = optimize_image(backbone, own, losses=losses, options=FEW)
    assert stylized.ending == "stalled"
    torch.testing.assert_close(stylized.image, content)


def test_outside_of_the_masks_nothing_changes(backbone: Backbone, task: OptimizationTask) -> None:
    mask = torch.zeros(1, 1, 32, 44)
    mask[..., :20] = 1
    masked = replace(task, references=(replace(task.references[0], mask=mask),))
    stylized = optimize_image(backbone, masked, options=FEW).image
    assert torch.equal(stylized[..., 20:], task.content[..., 20:])
    assert (stylized[..., :20] - task.content[..., :20]).abs().mean() > 0.01
    both = replace(task, references=(*masked.references, *task.references))
    assert not torch.equal(
        optimize_image(backbone, both, options=FEW).image[..., 20:], stylized[..., 20:]
    )


def test_the_past_holds_where_it_is_visible(backbone: Backbone, task: OptimizationTask) -> None:
    before = optimize_image(backbone, task, options=FEW.model_copy(update={"steps": 20})).image
    visible = torch.zeros(1, 1, 32, 44)
    visible[..., :22] = 1
    dark = task.content * 0.95
    single = optimize_image(backbone, OptimizationTask(dark, task.references), options=FEW)
    after = OptimizationTask(dark, task.references, Past(before, visible))
    held = optimize_image(backbone, after, options=FEW.model_copy(update={"start": "previous"}))

    def change(stylized: OptimizationResult) -> torch.Tensor:
        return (stylized.image - before)[..., :22].square().mean()

    assert change(held) < 0.2 * change(single)
    assert "temporal" in held.terms


def test_what_was_hidden_leaves_no_ghost(backbone: Backbone, task: OptimizationTask) -> None:
    hidden = torch.zeros(1, 1, 32, 44)
    before = waves(32, 44, period=20, color=4)
    settings = FEW.model_copy(update={"start": "previous"})
    first, other = (
        optimize_image(backbone, replace(task, past=Past(image, hidden)), options=settings).image
        for image in (before, before.flip(3))
    )
    # Its colors alone are taken over, and those two have the same.
    torch.testing.assert_close(first, other)


def test_luminance_keeps_the_contents_colors(backbone: Backbone, task: OptimizationTask) -> None:
    stylized = optimize_image(backbone, task, options=FEW, colors="content-luminance").image
    difference = stylized - task.content
    # Only light changes: all three channels by the same, but where they would leave [0, 1].
    inside = ((stylized > 0.01) & (stylized < 0.99)).all(dim=1)
    spread = (difference.amax(dim=1) - difference.amin(dim=1))[inside]
    assert spread.quantile(0.9) < 1e-4
    assert difference.abs().mean() > 0.01


def test_what_cannot_be_is_refused(backbone: Backbone, task: OptimizationTask) -> None:
    with pytest.raises(ValueError, match="the start is the previous frame, and there is none"):
        optimize_image(backbone, task, options=FEW.model_copy(update={"start": "previous"}))
    small = replace(task, references=(StyleReference(image=waves(1, 40)),))
    with pytest.raises(ValueError, match="images of 40x1 are too small for relu2_1 of vgg19"):
        optimize_image(backbone, small, options=FEW)


@pytest.mark.slow
def test_edges_are_stylized_as_the_rest_is(backbone: Backbone) -> None:
    task = OptimizationTask(
        waves(48, 64), (StyleReference(image=waves(48, 64, period=5, color=2)),)
    )
    gray = optimize_image(backbone, task, options=FEW.model_copy(update={"steps": 40})).image.mean(
        dim=1
    )[0]
    detail = torch.as_tensor(cv2.Laplacian(gray.numpy(), cv2.CV_32F)).abs()
    inner = torch.zeros(48, 64, dtype=torch.bool)
    inner[4:-4, 4:-4] = True
    edge = torch.ones(48, 64, dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    # The zeros that a network pads with would make them 3 % darker, and a quarter flatter.
    assert gray[edge].mean() == pytest.approx(float(gray[inner].mean()), rel=0.02)
    assert detail[edge].mean() > 0.88 * detail[inner].mean()


@pytest.mark.slow
def test_bfloat16_comes_to_the_same_image_roughly(
    backbone: Backbone, task: OptimizationTask
) -> None:
    exact = optimize_image(backbone, task, options=FEW.model_copy(update={"steps": 30}))
    coarse = optimize_image(
        backbone,
        task,
        losses=LossOptions(precision="bfloat16"),
        options=FEW.model_copy(update={"steps": 30}),
    )
    assert coarse.loss < 1.5 * exact.loss
