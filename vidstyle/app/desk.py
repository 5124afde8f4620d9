"""What belongs to one tab of a browser: its uploads, its jobs and their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

from vidstyle.app.job_queue import Job, JobQueue
from vidstyle.app.tasks import Task
from vidstyle.app.uploads import Kind, Upload, UploadFolder

Slot = Literal["image", "preview", "clip", "evaluation"]
MakeTask = Callable[[Path], Task]
"""Gives a task that works in this folder."""


class Desk:
    """Of one tab. A slot has the last job of its kind; a new one takes its place."""

    def __init__(self, parent: Path, jobs: JobQueue, *, max_upload: int) -> None:
        self._files = UploadFolder(parent)
        self._jobs = jobs
        self._max_upload = max_upload
        self._slots: dict[Slot, Job] = {}
        self._uploads: dict[str, tuple[str, Upload]] = {}
        """By the position on the page, with the browser's mark of the file."""

    @property
    def folder(self) -> Path:
        return self._files.path

    def upload(self, position: str, mark: str, name: str, content: BinaryIO, kind: Kind) -> Upload:
        """The file that was given at a position of the page; copied once, in place of the last one.

        Raises InputError where it cannot be taken.
        """
        known = self._uploads.get(position)
        if known and known[0] == mark:
            return known[1]
        self.forget(position)
        kept = self._files.keep(name, content, kind=kind, most_bytes=self._max_upload)
        self._uploads[position] = (mark, kept)
        return kept

    def forget(self, position: str) -> None:
        """Remove the file that was given there, if one was, and end the jobs that read it."""
        if position in self._uploads:
            _, gone = self._uploads.pop(position)
            self._remove(gone.path.parent)

    def begin(self, slot: Slot, make: MakeTask) -> Job:
        """Queue a task; what the slot had before is stopped and removed. Raises BusyError."""
        self.clear(slot)
        folder = self._files.new()
        self._slots[slot] = self._jobs.submit(make(folder))
        return self._slots[slot]

    def with_names(self, text: str) -> str:
        """A line of a command, with the names of uploads in place of ours."""
        for _, upload in self._uploads.values():
            text = text.replace(str(upload.path), upload.name)
        for job in self._slots.values():
            text = text.replace(f"{job.task.folder}/", "")
        return text

    def job(self, slot: Slot) -> Job | None:
        return self._slots.get(slot)

    def position(self, job: Job) -> int:
        """How many jobs come before it."""
        return self._jobs.position(job)

    def stop(self, slot: Slot) -> None:
        """Stop the job; its files stay."""
        if slot in self._slots:
            self._jobs.stop(self._slots[slot])

    def clear(self, slot: Slot) -> None:
        """Stop the job and remove its files, and the jobs that read them."""
        self.stop(slot)
        if job := self._slots.pop(slot, None):
            self._remove(job.task.folder)

    def _remove(self, folder: Path) -> None:
        """Remove a folder, and before it the jobs that read files of it."""
        for slot, job in tuple(self._slots.items()):
            if any(path.parent == folder for path in job.task.inputs):
                self.clear(slot)
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Stop all jobs and remove all files."""
        for slot in tuple(self._slots):
            self.stop(slot)
        self._files.remove()
