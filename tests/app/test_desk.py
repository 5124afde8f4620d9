"""What belongs to a tab goes with it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.app.test_job_queue import bad_clip, until
from vidstyle.app.desk import Desk
from vidstyle.app.job_queue import JobQueue
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import Task
from vidstyle.core.errors import InputError


@pytest.fixture
def desk(jobs: JobQueue, tmp_path: Path) -> Desk:
    return Desk(tmp_path, jobs, max_upload=100)


def test_a_file_is_copied_once_and_makes_room_for_the_next(desk: Desk) -> None:
    first = desk.upload("clip", "1", "a.mp4", io.BytesIO(b"a"), "clip")
    again = desk.upload("clip", "1", "a.mp4", io.BytesIO(b"a"), "clip")
    assert again is first
    second = desk.upload("clip", "2", "b.mp4", io.BytesIO(b"b"), "clip")
    assert not first.path.exists()
    assert second.path.read_bytes() == b"b"


def test_a_refused_file_is_not_there(desk: Desk) -> None:
    with pytest.raises(InputError):
        desk.upload("clip", "1", "a.mp4", io.BytesIO(b"a" * 101), "clip")
    assert not list(desk.folder.iterdir())


def test_removing_a_clip_ends_the_jobs_that_read_it(desk: Desk) -> None:
    upload = desk.upload("clip", "1", "holiday.mp4", io.BytesIO(b"no clip"), "clip")

    def make(folder: Path) -> Task:
        return bad_clip(folder, upload.path)

    job = desk.begin("clip", make)
    desk.begin("image", bad_clip)
    until(job.ended.is_set)
    assert desk.with_names(job.status.error).startswith("holiday.mp4: ")
    desk.forget("clip")
    assert desk.job("clip") is None
    assert desk.job("image") is not None
    assert not job.task.folder.exists()


def test_a_new_job_replaces_the_last_one_and_those_that_read_it(desk: Desk) -> None:
    first = desk.begin("clip", bad_clip)
    stylized = first.task.folder / "stylized.mp4"
    desk.begin("evaluation", lambda folder: bad_clip(folder, stylized))
    second = desk.begin("clip", bad_clip)
    assert desk.job("clip") is second
    assert desk.job("evaluation") is None
    assert not first.task.folder.exists()


def test_a_closed_tab_leaves_nothing_and_others_stay(studio: Studio) -> None:
    closed, other = studio.desk("closed"), studio.desk("other")
    closed.upload("clip", "1", "a.mp4", io.BytesIO(b"a"), "clip")
    job = closed.begin("clip", bad_clip)
    studio.clear_closed(lambda session: session == "other")
    assert not closed.folder.exists()
    assert job.ended.is_set()
    assert other.folder.exists()
    assert studio.desk("other") is other
    assert studio.desk("closed") is not closed
