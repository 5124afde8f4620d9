"""The lines of commands add up to what is shown."""

from __future__ import annotations

import pytest

from vidstyle.app.page.progress import status_line
from vidstyle.app.status import Status
from vidstyle.app.tasks import JsonLine


def frame(done: int, total: int | None) -> JsonLine:
    return {"event": "frame", "done": done, "total": total}


def test_rate_and_rest_leave_out_the_time_before_the_first_step() -> None:
    status = Status().start("Stylizing")
    for done, now in ((1, 10.0), (5, 12.0)):
        status = status.after({"event": "step", "step": done, "steps": 11}, now)
    assert status.rate == pytest.approx(2.0)
    assert status.seconds_left == pytest.approx(3.0)
    assert status.fraction == pytest.approx(5 / 11)
    assert status_line(status) == "Stylizing: 5 of 11, 2.0 a second, 0:03 left"


def test_a_new_command_starts_the_counts_over() -> None:
    status = Status().after(frame(5, 5), 1.0).start("Then")
    assert (status.done, status.total, status.rate) == (0, None, None)
    assert status_line(status) == "Then …"


def test_steps_of_a_style_have_a_title_of_their_own_and_frames_start_over() -> None:
    status = Status().start("Stylizing").after({"event": "plan"}, 0.0)
    for step, now in ((11, 10.0), (12, 12.0)):
        status = status.after({"event": "style-step", "step": step, "steps": 20}, now)
    assert status_line(status) == "Learning the style: 12 of 20, 2.0 s each, 0:16 left"
    status = status.after(frame(1, 5), 20.0).after(frame(3, 5), 21.0)
    assert status_line(status) == "Stylizing: 3 of 5, 2.0 a second, 0:01 left"


def test_a_download_is_counted_in_mebibytes() -> None:
    status = Status().start("Downloading vgg16")
    for done, now in ((2**20, 0.0), (5 * 2**20, 2.0)):
        status = status.after(
            {"event": "download", "name": "vgg16", "bytes": done, "total": 9 * 2**20}, now
        )
    line = "Downloading vgg16: 5 of 9 MiB, 2.0 MiB a second, 0:02 left"
    assert status_line(status) == line
    assert status.fraction == pytest.approx(5 / 9)
    assert not status.start("Stylizing").counts_bytes


def test_slow_frames_are_given_in_seconds() -> None:
    status = Status().after(frame(1, 3), 0.0).after(frame(2, 3), 90.0)
    assert status_line(status) == "Starting: 2 of 3, 90.0 s each, 1:30 left"


def test_a_clip_of_unknown_length_is_counted() -> None:
    status = Status().after(frame(7, None), 0.0)
    assert (status.done, status.fraction) == (7, None)


def test_notes_are_kept_once_and_the_last_other_line_is_the_result() -> None:
    status = Status()
    note = {"event": "note", "kind": "cut", "text": "cut"}
    for row in (note, note, {"event": "plan"}, {"event": "done", "frames": 3}):
        status = status.after(row, 0.0)
    assert status.notes == ("cut",)
    assert status.result == {"event": "done", "frames": 3}
