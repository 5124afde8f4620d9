"""A worker process, from the side of who started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from vidstyle.app.news import NEWS, News
from vidstyle.app.tasks import TASK, Task


class WorkerProcess:
    """Does one task. ``kill`` may be called by any thread, at any time."""

    def __init__(self, task: Task) -> None:
        # -P: nothing is imported from the current folder. A session of its own: Ctrl-C on the
        # terminal is the page's to answer.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vidstyle.app.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._task = task

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def news(self) -> Iterator[News]:
        """Hand over the task; what is told until the process ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            # Left open: the worker ends when nobody holds the other side any more.
            self._process.stdin.write(TASK.dump_json(self._task).decode() + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # It was killed before it began.
        for line in self._process.stdout:
            yield NEWS.validate_json(line)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int:
        """Wait for the process; its exit code, or less than 0: the signal that ended it."""
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return code
