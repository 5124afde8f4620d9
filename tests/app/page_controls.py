"""What the tests of the page press and look at, in Streamlit's own harness."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.app.test_job_queue import until
from vidstyle.app.desk import Desk
from vidstyle.app.job_queue import PageJob
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import Slot


def desk_of(studio: Studio) -> Desk:
    """The desk of the one tab that the test harness has."""
    return studio.desk("test session id")


def press(page: AppTest, label: str) -> AppTest:
    [button] = [button for button in page.button if button.label == label]
    return button.click().run()


def enabled(page: AppTest, label: str) -> bool:
    [button] = [button for button in page.button if button.label == label]
    return not button.disabled


def finished(page: AppTest, studio: Studio, slot: Slot) -> PageJob:
    """The last job of a slot, once it has succeeded and is drawn."""
    job = desk_of(studio).job(slot)
    assert job
    until(job.ended.is_set)
    assert job.status.state == "done", job.status.error
    page.run()
    assert not page.exception
    return job


def downloads(page: AppTest) -> list[str]:
    """The labels of the download buttons."""
    return [button.label for button in page.get("download_button")]
