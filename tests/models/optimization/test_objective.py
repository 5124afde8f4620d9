"""Losses and gradients equal those written down plainly in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tests.models.gatys_world import small_backbone, vgg_weights, waves
from vidstyle.models.loss.loss_options import LossOptions, Variation
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.task import StyleReference

pytestmark = pytest.mark.usefixtures("one_thread")
HEIGHT, WIDTH = 40, 48
WEIGHTS = {
    "style_weight": 2.0,
    "content_weight": 0.3,
    "variation_weight": 0.05,
    "temporal_weight": 0.7,
}


def plain_features(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """relu1_1, relu1_2 and relu2_1 in float64, as if the image went on mirrored."""
    weights = {key: value.double() for key, value in vgg_weights().items()}
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).reshape(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).reshape(1, 3, 1, 1)
    features = (plain_mirrored(image) - mean) / deviation
    found = {}
    for number, feature_layer in ((0, "relu1_1"), (2, "relu1_2"), (5, "relu2_1")):
        if number == 5:
            features = functional.max_pool2d(features, 2)
        weight, bias = weights[f"features.{number}.weight"], weights[f"features.{number}.bias"]
        features = functional.conv2d(features, weight, bias, padding=1).relu()
        beyond = 4 if number == 5 else 8
        found[feature_layer] = features[:, :, beyond:-beyond, beyond:-beyond]
    return found


def plain_gram(features: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    _, channels, height, width = features.shape
    share = torch.ones(height, width, dtype=torch.float64) if mask is None else mask
    return torch.einsum("cij,dij,ij->cd", features[0], features[0], share) / (
        channels * share.sum()
    )


def plain_mirrored(image: torch.Tensor) -> torch.Tensor:
    """Eight pixels more on each side, those of the edge twice."""
    rows, columns = (
        [*range(7, -1, -1), *range(length), *range(length - 1, length - 9, -1)]
        for length in image.shape[2:]
    )
    return image[:, :, rows][:, :, :, columns]


def plain_half(image: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(image, scale_factor=0.5, mode="bilinear", antialias=True)


def plain_loss(
    image: torch.Tensor,
    content: torch.Tensor,
    style_images: list[tuple[torch.Tensor, float, torch.Tensor | None]],
    past: tuple[torch.Tensor, torch.Tensor],
    kind: Variation,
) -> torch.Tensor:
    """The total, of float64 tensors, as docs/optimization.md has it."""
    feature_layers = {"relu1_1": 0.75, "relu2_1": 0.25}
    style = torch.zeros((), dtype=torch.float64)
    for style_image, weight, mask in style_images:
        for size in (1.0, 0.5):
            at = (lambda each: each) if size == 1.0 else plain_half
            of_image, of_content, of_style_image = (
                plain_features(at(each)) for each in (image, content, style_image)
            )
            for feature_layer, share in feature_layers.items():
                small = None
                if mask is not None:
                    step = HEIGHT // of_image[feature_layer].shape[2]
                    small = functional.avg_pool2d(mask, step)[0, 0]
                target = plain_gram(of_style_image[feature_layer], None)
                error = (plain_gram(of_image[feature_layer], small) - target).square().mean()
                untouched = (plain_gram(of_content[feature_layer], small) - target).square().mean()
                style = style + weight / 4 * share / 2 * error / untouched
    wanted, found = plain_features(content)["relu1_2"], plain_features(image)["relu1_2"]
    spread = (wanted - wanted.mean((2, 3), keepdim=True)).square().mean()
    deep_wanted, deep = plain_features(content)["relu2_1"], plain_features(image)["relu2_1"]
    deep_spread = (deep_wanted - deep_wanted.mean((2, 3), keepdim=True)).square().mean()
    likeness = (found - wanted).square().mean() / spread
    likeness = (likeness + (deep - deep_wanted).square().mean() / deep_spread) / 2

    def variation(each: torch.Tensor) -> torch.Tensor:
        power = 2 if kind == "squared" else 1
        down, across = each.diff(dim=2).abs() ** power, each.diff(dim=3).abs() ** power
        return down.mean() + across.mean()

    before, visible = past
    temporal = (visible * (image - before) ** 2).sum() / (3 * visible.sum())
    temporal = temporal / (content - content.mean((2, 3), keepdim=True)).square().mean()
    range_penalty = (image.clamp(max=0) ** 2 + (image - 1).clamp(min=0) ** 2).mean()
    return (
        2.0 * style
        + 0.3 * likeness
        + 0.05 * variation(image) / variation(content)
        + 0.7 * temporal
        + 10.0 * range_penalty
    )


@pytest.mark.parametrize("kind", ["squared", "absolute"])
def test_loss_and_gradient_equal_the_plain_ones(kind: Variation) -> None:
    generator = torch.Generator().manual_seed(5)
    content, image = waves(HEIGHT, WIDTH), waves(HEIGHT, WIDTH, period=9, color=1)
    image = image + 0.2 * torch.randn(image.shape, generator=generator)
    first, second = waves(44, 36, period=7, color=2), waves(32, 64, period=15, color=3)
    mask = torch.rand(1, 1, HEIGHT, WIDTH, generator=generator)
    before, visible = waves(HEIGHT, WIDTH, color=4), (mask > 0.3).float()

    settings = LossOptions(
        **WEIGHTS,
        style_layers={"relu1_1": 3.0, "relu2_1": 1.0},
        content_layers=("relu1_2", "relu2_1"),
        style_scales=(1.0, 0.5),
        variation=kind,
    )
    references = [
        StyleReference(image=first, weight=3.0, mask=mask),
        StyleReference(image=second, weight=1.0),
    ]
    past = Past(before, visible)
    found = ImageLoss(small_backbone(), content, references, settings, past=past).evaluate(image)

    exact = image.double().requires_grad_()
    wanted = plain_loss(
        exact,
        content.double(),
        [(first.double(), 3.0, mask.double()), (second.double(), 1.0, None)],
        (before.double(), visible.double()),
        kind,
    )
    (gradient,) = torch.autograd.grad(wanted, exact)
    wanted = wanted.detach()
    assert abs(found.loss - wanted) <= 1e-5 * wanted
    assert (found.gradient - gradient).norm() <= 1e-5 * gradient.norm()


def test_an_untouched_image_has_a_style_of_1_and_no_content_loss() -> None:
    content = waves(HEIGHT, WIDTH)
    reference = StyleReference(image=waves(64, 64, period=5, color=2))
    settings = LossOptions(style_scales=(1.0, 0.5))
    terms = ImageLoss(small_backbone(), content, [reference], settings).evaluate(content).terms
    assert terms["style"] == pytest.approx(1, rel=1e-5)
    assert terms["variation"] == pytest.approx(1, rel=1e-5)
    assert terms["content"] == terms["range_penalty"] == 0
    assert "temporal" not in terms


def test_a_content_that_is_its_style_image_and_a_blank_one_have_finite_gradients() -> None:
    content = waves(HEIGHT, WIDTH)
    for untouched, style_image in ((content, content), (torch.full_like(content, 0.5), content)):
        reference = StyleReference(image=style_image)
        objective = ImageLoss(small_backbone(), untouched, [reference], LossOptions())
        found = objective.evaluate(untouched + 0.01)
        assert found.gradient.isfinite().all()
        assert found.loss < 1e3


def test_nothing_is_asked_for_outside_of_a_mask() -> None:
    content = waves(HEIGHT, WIDTH)
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., : WIDTH // 2] = 1
    reference = StyleReference(image=waves(64, 64, period=5, color=2), mask=mask)
    objective = ImageLoss(small_backbone(), content, [reference], LossOptions())
    terms = objective.terms(variable := content.clone().requires_grad_())
    (gradient,) = torch.autograd.grad(terms["style"], variable)
    # The layers look a few pixels far; at half the size twice as many.
    assert not gradient[..., WIDTH // 2 + 16 :].any()
    assert gradient[..., : WIDTH // 2].abs().min() >= 0
    assert gradient[..., : WIDTH // 2].any()


def test_a_gray_image_is_measured_as_its_three_equal_channels() -> None:
    content = waves(HEIGHT, WIDTH).mean(dim=1, keepdim=True)
    reference = StyleReference(image=waves(64, 64, color=2))
    objective = ImageLoss(
        small_backbone(), content.expand(-1, 3, -1, -1), [reference], LossOptions()
    )
    gray = content.flip(3).contiguous()
    single, three = objective.evaluate(gray), objective.evaluate(gray.repeat(1, 3, 1, 1))
    assert single.loss == pytest.approx(three.loss, rel=1e-6)
    torch.testing.assert_close(single.gradient, three.gradient.sum(1, keepdim=True))


def test_what_cannot_be_is_refused() -> None:
    content, backbone = waves(HEIGHT, WIDTH), small_backbone()
    reference = StyleReference(image=content)
    with pytest.raises(ValueError, match="vgg19 has no layer relu4_1; there are relu1_1"):
        ImageLoss(backbone, content, [reference], LossOptions(style_layers={"relu4_1": 1.0}))
    with pytest.raises(ValueError, match="there is no style image"):
        ImageLoss(backbone, content, [], LossOptions())
