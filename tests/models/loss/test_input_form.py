"""A folded first convolution gives what the network's own gives for its own images."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidstyle.models.loss.input_form import INPUT_FORMS
from vidstyle.models.weights.catalog import InputForm


def own_images(form: InputForm, images: torch.Tensor) -> torch.Tensor:
    """RGB in [0, 1] as the network wants it, written down plainly."""
    red, green, blue = images.unbind(1)
    if form == "caffe-bgr":
        channels = [blue * 255 - 103.939, green * 255 - 116.779, red * 255 - 123.68]
    elif form == "caffe-rgb":
        channels = [red * 255 - 123.68, green * 255 - 116.779, blue * 255 - 103.939]
    elif form == "half-rgb":
        channels = [2 * channel - 1 for channel in (red, green, blue)]
    else:
        channels = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    return torch.stack(channels, dim=1)


@pytest.mark.parametrize("form", list(INPUT_FORMS))
def test_folding_changes_nothing_borders_included(form: InputForm) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 5, 6, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64)
    kept = weight.clone()

    mean, folded = INPUT_FORMS[form].fold(weight)

    wanted = functional.conv2d(own_images(form, images), weight, padding=1)
    torch.testing.assert_close(functional.conv2d(images - mean, folded, padding=1), wanted)
    torch.testing.assert_close(weight, kept, rtol=0, atol=0)
    assert folded.dtype == mean.dtype == torch.float64
