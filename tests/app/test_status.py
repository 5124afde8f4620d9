"""What is told adds up to what is shown."""

from __future__ import annotations

import pytest

from vidstyle.app.news import Failed, Made, Note, Stage, Step
from vidstyle.app.page.progress import progress_line
from vidstyle.app.status import Status


def test_pace_and_rest_leave_out_the_time_before_the_first_step() -> None:
    status = Status().after(Stage(title="Painting"), 0.0)
    for done, now in ((1, 10.0), (5, 12.0)):
        status = status.after(Step(done=done, total=11), now)
    assert status.rate == pytest.approx(2.0)
    assert status.seconds_left == pytest.approx(3.0)
    assert status.share == pytest.approx(5 / 11)
    assert progress_line(status) == "Painting: 5 of 11, 2.0 a second, 0:03 left"


def test_a_new_part_counts_anew() -> None:
    status = Status().after(Step(done=5, total=5), 1.0).after(Stage(title="Then"), 2.0)
    assert (status.done, status.total, status.rate) == (0, None, None)
    assert progress_line(status) == "Then …"


def test_slow_steps_are_given_in_seconds() -> None:
    status = Status().after(Step(done=1, total=3), 0.0).after(Step(done=2, total=3), 90.0)
    assert progress_line(status) == "Starting: 2 of 3, 90.0 s each, 1:30 left"


def test_a_file_that_is_made_again_is_listed_once() -> None:
    status = Status().after(Made(name="a"), 0).after(Made(name="b"), 0).after(Made(name="a"), 0)
    assert [made.name for made in status.made] == ["b", "a"]
    assert status.changes == 3


def test_notes_are_kept_once_and_errors_stay() -> None:
    status = Status()
    for news in (Note(text="cut"), Note(text="cut"), Failed(text="no")):
        status = status.after(news, 0.0)
    assert (status.notes, status.error) == (("cut",), "no")
