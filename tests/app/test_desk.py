"""What belongs to a tab goes with it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.test_job_queue import bad_clip
from vidstyle.app.desk import MOST_KEPT, Desk
from vidstyle.app.job_queue import BusyError, JobQueue
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import STYLIZED, Commands, Task
from vidstyle.core.errors import InputError


@pytest.fixture
def desk(jobs: JobQueue, tmp_path: Path) -> Iterator[Desk]:
    downloads = JobQueue(most_waiting=8)
    yield Desk(tmp_path, jobs, downloads=downloads, max_upload=100)
    downloads.close()


def good_clip(folder: Path, clip: Path | None = None) -> Task:
    """Succeeds at once."""

    def commands() -> Commands:
        (folder / STYLIZED).write_bytes(b"stylized")
        return
        yield

    return replace(bad_clip(folder, clip), commands=commands)


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


def test_a_file_that_a_job_has_read_stays_as_long_as_its_result(desk: Desk) -> None:
    upload = desk.upload("clip", "1", "holiday.mp4", io.BytesIO(b"clip"), "clip")
    job = desk.begin("clip", lambda folder: good_clip(folder, upload.path))
    job.ended.wait()
    desk.upload("clip", "2", "other.mp4", io.BytesIO(b"other"), "clip")
    desk.forget("clip")
    assert desk.job("clip") is job
    assert upload.path.read_bytes() == b"clip"
    assert desk.with_names(f"{upload.path}: damaged") == "holiday.mp4: damaged"
    desk.remove(job)
    assert desk.job("clip") is None
    assert not list(desk.folder.iterdir())


def test_a_new_job_leaves_earlier_results_and_removes_failures(desk: Desk) -> None:
    first = desk.begin("clip", good_clip)
    first.ended.wait()
    failed = desk.begin("clip", bad_clip)
    failed.ended.wait()
    assert failed.status.state == "failed"
    last = desk.begin("clip", good_clip)
    assert desk.jobs("clip") == (last, first)
    assert first.task.result() == first.task.folder / STYLIZED
    assert not failed.task.folder.exists()


def test_jobs_that_read_a_result_go_with_it(desk: Desk) -> None:
    first = desk.begin("clip", good_clip)
    second = desk.begin("clip", good_clip)
    evaluations = []
    for job in (first, second):
        stylized = job.task.folder / STYLIZED
        evaluations.append(
            desk.begin("evaluation", lambda folder, path=stylized: good_clip(folder, path))
        )
        assert desk.reader("evaluation", stylized) is evaluations[-1]
    for job in evaluations:
        job.ended.wait()
    desk.remove(first)
    assert desk.jobs("clip") == (second,)
    assert desk.jobs("evaluation") == (evaluations[1],)


def test_many_results_are_refused_and_not_replaced(desk: Desk) -> None:
    for _ in range(MOST_KEPT):
        desk.begin("clip", good_clip).ended.wait()
    with pytest.raises(BusyError, match="results are kept: remove one of them first"):
        desk.begin("clip", good_clip)
    assert len(desk.jobs("clip")) == MOST_KEPT
    desk.remove(desk.jobs("clip")[3])
    desk.begin("clip", good_clip)


def test_a_download_waits_for_no_job(desk: Desk, jobs: JobQueue, tmp_path: Path) -> None:
    go = threading.Event()

    def slow(folder: Path) -> Task:
        def commands() -> Commands:
            go.wait(60)
            return
            yield

        return replace(bad_clip(folder), commands=commands)

    first, waiting = desk.begin("clip", slow), desk.begin("preview", bad_clip)
    download = desk.begin("download", lambda folder: replace(good_clip(folder), kind="download"))
    assert download.ended.wait(60)
    assert (desk.position(waiting), desk.position(download)) == (1, 0)
    assert not first.status.ended
    go.set()


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
