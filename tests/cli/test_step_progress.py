"""Steps are shown with their pace and losses."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from vidstyle.cli import step_progress
from vidstyle.cli.step_progress import StepView, losses_line, show_steps, step_line


def view(step: int, style: float, *, steps: int = 4) -> StepView:
    return StepView(step, steps, {"style": style, "variation": 2.0}, seconds=0.1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as the only item; it passes when a test says so."""
    now = [100.0]
    monkeypatch.setattr(step_progress.time, "perf_counter", lambda: now[0])
    return now


def test_the_time_left_is_in_hours_where_there_are_some() -> None:
    assert step_line(500, 5000, 2.3) == "step 500 of 5000, 2.3 a second, 32:37 left"
    assert step_line(0, 5000, 0.5) == "step 0 of 5000, 0.5 a second, 2:46:40 left"
    assert step_line(9, 9, 1.0).endswith(" 0:00 left")


def test_losses_are_named() -> None:
    assert losses_line({"style": 0.12345, "content": 2.0}) == "style 0.123, content 2.000"


def test_a_log_gets_a_line_now_and_then_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with show_steps(average=50) as show:
        for step in range(1, 5):
            clock[0] += 6.0
            show(view(step, float(step)))
    first, later, last = capsys.readouterr().err.splitlines()
    assert first.startswith("step 1 of 4, ")
    # The clock of the pace starts with the first step, which took 0.1 s of the first 6.
    assert later.startswith("step 3 of 4, 0.2 a second, ")
    assert last == "step 4 of 4, 0.2 a second, 0:00 left, style 2.500, variation 2.000"


def test_the_pace_of_a_resumed_training_is_that_of_its_own_steps(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with show_steps(average=50) as show:
        for step in (901, 902, 903):
            clock[0] += 0.1
            show(view(step, 1.0, steps=903))
    assert "step 903 of 903, 10.0 a second" in capsys.readouterr().err


def test_a_terminal_gets_a_bar_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80)
    monkeypatch.setattr(step_progress, "Console", lambda **_: terminal)
    with show_steps(average=50) as show:
        for step in range(1, 5):
            show(view(step, 0.25, steps=40_000))
        show._bar.refresh()  # type: ignore[attr-defined]  # the bar redraws by the clock
    text = screen.getvalue()
    assert "4/40000" in text
    assert "style 0.250" in text
    assert "variation" not in text


def test_standard_output_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    with show_steps(average=50) as show:
        show(view(4, 1.0))
    assert capsys.readouterr().out == ""


def test_json_has_the_loss_and_its_terms(capsys: pytest.CaptureFixture[str]) -> None:
    with show_steps(as_json=True) as show:
        show(StepView(2, 3, {"loss": 0.5, "style": 0.25}, {"size": (8, 6)}))
    row = {"event": "step", "step": 2, "steps": 3, "size": [8, 6], "loss": 0.5}
    assert json.loads(capsys.readouterr().out) == {**row, "terms": {"style": 0.25}}
