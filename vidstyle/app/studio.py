"""All that the page has beside its looks; one in a process."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.app.choices import Choices, PageSettings, find_choices
from vidstyle.app.desk import Desk
from vidstyle.app.job_queue import JobQueue

_LOOK_EVERY_SECONDS = 1.0
logger = logging.getLogger(__name__)

IsOpen = Callable[[str], bool]
"""Whether a tab, by its session's name, is still there."""


class Studio:
    """The lists, the queue, and a desk for each tab."""

    def __init__(self, settings: PageSettings, choices: Choices, folder: Path) -> None:
        self.settings = settings
        self.choices = choices
        self.jobs = JobQueue(most_waiting=settings.most_waiting)
        # Beside the jobs, which need not wait for a slow network.
        self.downloads = JobQueue(most_waiting=settings.most_waiting)
        self._folder = folder
        self._lock = threading.Lock()
        self._desks: dict[str, Desk] = {}
        self._seen: dict[str, float] = {}

    def desk(self, session: str) -> Desk:
        """The desk of a tab; new at the first call."""
        with self._lock:
            self._seen[session] = time.monotonic()
            if session not in self._desks:
                self._desks[session] = Desk(
                    self._folder,
                    self.jobs,
                    downloads=self.downloads,
                    max_upload=self.settings.max_upload,
                )
            return self._desks[session]

    def clear_closed(self, is_open: IsOpen) -> None:
        """Close the desks of tabs that have not been there for a while."""
        now = time.monotonic()
        with self._lock:
            self._seen |= {session: now for session in self._desks if is_open(session)}
            closed = [
                session
                for session, seen in self._seen.items()
                if now - seen > self.settings.grace_seconds
            ]
            for session in closed:
                del self._seen[session]
            desks = [self._desks.pop(session) for session in closed]
        for desk in desks:
            logger.info("a tab was closed: its jobs are stopped")
            desk.close()

    def watch(self, is_open: IsOpen, ended: threading.Event) -> None:
        """Clear what is closed, until the event."""
        while not ended.wait(_LOOK_EVERY_SECONDS):
            self.clear_closed(is_open)


# Streamlit runs the page's script again for each change, in threads of its own: what outlives
# that is kept by a module.
_current: list[Studio] = []


@contextmanager
def open_studio(settings: PageSettings) -> Iterator[Studio]:
    """The studio that ``current`` gives until the context ends; then jobs and files are no more.

    Raises as ``find_choices``.
    """
    choices = find_choices(settings)
    with tempfile.TemporaryDirectory(prefix="vidstyle-app-", ignore_cleanup_errors=True) as folder:
        studio = Studio(settings, choices, Path(folder))
        _current.append(studio)
        try:
            yield studio
        finally:
            _current.remove(studio)
            studio.jobs.close()
            studio.downloads.close()


def current() -> Studio:
    """The studio that is open."""
    return _current[-1]
