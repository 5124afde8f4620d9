"""The guide to a loss term works as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.gatys_world import small_backbone, waves
from vidstyle.cli.model_options import add_options
from vidstyle.models.loss import loss_options, loss_terms, objective
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.task import StyleReference

GUIDE = Path(__file__).parents[3] / "docs" / "extending.md"


@pytest.fixture
def blocks() -> tuple[str, str]:
    """The two pieces of code: an option, and a term."""
    section = GUIDE.read_text().partition("## Add a loss term\n")[2].partition("\n## ")[0]
    option, term = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return option, term


def options_with(option: str) -> type[LossOptions]:
    """The options, with one more."""
    names: dict[str, Any] = {**vars(loss_options), "__annotations__": {}}
    exec(compile(option, str(GUIDE), "exec", dont_inherit=True), names)
    fields = {name: names[name] for name in names["__annotations__"]}
    space = {"__annotations__": names["__annotations__"], "__module__": __name__, **fields}
    return type("Options", (LossOptions,), space)


def test_a_term_counts_where_its_option_says_so(
    blocks: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    option, term = blocks
    names = dict(vars(loss_terms))
    exec(compile(term, str(GUIDE), "exec", dont_inherit=True), names)
    terms = {**loss_terms.LOSS_TERMS, "detail": names["DETAIL"]}
    monkeypatch.setattr(objective, "LOSS_TERMS", terms)
    options = options_with(option)
    content = waves(40, 48)
    references = [StyleReference(image=waves(32, 32, period=5, color=2))]

    without = ImageLoss(small_backbone(), content, references, options()).evaluate(content)
    assert "detail" not in without.terms
    loss = ImageLoss(small_backbone(), content, references, options(detail_weight=0.5))
    assert loss.evaluate(content).terms["detail"] == 0
    blank = loss.evaluate(torch.full_like(content, 0.5))
    assert blank.terms["detail"] == pytest.approx(1, rel=1e-5)
    assert blank.gradient.isfinite().all()

    @add_options(options)
    def command(given: dict[str, Any]) -> None:
        """Has the option."""

    assert "detail_weight" in command.__annotations__


def test_every_weight_has_its_term_and_every_term_its_weight() -> None:
    names = [name for name in loss_options.LossWeights.model_fields if name.endswith("_weight")]
    assert [name.removesuffix("_weight") for name in names] == list(loss_terms.LOSS_TERMS)
