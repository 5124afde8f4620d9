"""Every term has a weight, and terms are left out where they count nothing or lack inputs."""

from __future__ import annotations

import pytest

from tests.models.gatys_world import small_backbone, waves
from vidstyle.models.loss.loss_options import LossOptions, LossWeights
from vidstyle.models.loss.loss_terms import LOSS_TERMS, Past
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.task import StyleReference


def test_every_weight_has_its_term_and_every_term_its_weight() -> None:
    names = [name for name in LossWeights.model_fields if name.endswith("_weight")]
    assert [name.removesuffix("_weight") for name in names] == list(LOSS_TERMS)


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_a_term_of_weight_0_is_not_computed(term: str) -> None:
    content = waves(40, 48)
    options = LossOptions.model_validate({"structure_weight": 1, f"{term}_weight": 0})
    past = Past(content.flip(3), content[:, :1] * 0 + 1)
    references = [StyleReference(image=waves(32, 32, period=5, color=2))]
    loss = ImageLoss(small_backbone(), content, references, options, past=past)
    assert loss.evaluate(content + 0.1).terms.keys() == LOSS_TERMS.keys() - {term}


def test_without_a_previous_frame_there_is_no_temporal_term() -> None:
    content = waves(40, 48)
    references = [StyleReference(image=waves(32, 32, period=5, color=2))]
    loss = ImageLoss(small_backbone(), content, references, LossOptions(structure_weight=1))
    assert loss.evaluate(content).terms.keys() == LOSS_TERMS.keys() - {"temporal"}
