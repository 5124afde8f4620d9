from __future__ import annotations

import pytest

from vidstyle.core.errors import StageError
from vidstyle.runner.plan.guard import Guard


def _fail(text: str) -> None:
    raise ValueError(text)


def test_a_long_message_of_a_stage_is_shortened() -> None:
    with pytest.raises(StageError) as caught:
        Guard("filter")(3, _fail, "word " * 10_000)
    assert len(str(caught.value)) < 500
    assert "ValueError: word word" in str(caught.value)
    assert "--debug" in str(caught.value)


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit])
def test_a_stage_that_would_end_the_process_has_failed(kind: type[BaseException]) -> None:
    def leave() -> None:
        raise kind

    with pytest.raises(StageError, match=f"stage filter, frame 3: {kind.__name__}"):
        Guard("filter")(3, leave)


def test_a_short_message_of_a_stage_stays() -> None:
    with pytest.raises(StageError, match=r"ValueError: what happened$"):
        Guard("filter")(3, _fail, "what\nhappened")
