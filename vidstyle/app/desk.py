"""What belongs to one tab of a browser: its uploads, its jobs and their files.

Uploads are kept on disk under names of ours, and decoded by nobody but a command.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from vidstyle.app.job_queue import BusyError, JobQueue, PageJob
from vidstyle.app.plain_text import on_one_line, shortened
from vidstyle.app.tasks import Slot, Task
from vidstyle.core.errors import InputError
from vidstyle.imaging.image_size import image_size

MakeTask = Callable[[Path], Task]
"""Gives a task that works in this folder."""
Kind = Literal["image", "clip"]
# The name of every upload, in a folder of its own: no letter of it comes from a browser. Commands
# know style images by the suffix; what is in the file is found out from its content.
ORIGINAL: Mapping[Kind, str] = {"image": "original.jpg", "clip": "original"}
# Results of a slot: a tab that is open for days must not fill the disk.
MOST_KEPT = 12
# Of an uploaded image: more than cameras have, and no gigabytes once it is decoded.
_MOST_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody has given."""

    name: str
    """As it is shown; never part of a path."""
    path: Path


class Desk:
    """Of one tab. A slot has the last job of its kind, and the results of earlier ones."""

    def __init__(
        self, parent: Path, jobs: JobQueue, *, downloads: JobQueue, max_upload: int
    ) -> None:
        self._files = UploadFolder(parent)
        self._jobs = jobs
        self._downloads = downloads
        self._max_upload = max_upload
        self._slots: dict[Slot, list[PageJob]] = {}
        self._current: dict[str, tuple[str, Upload]] = {}
        """By the position on the page, with the browser's mark of the file."""
        self._uploads: list[Upload] = []
        """Those, and others that jobs have read."""

    @property
    def folder(self) -> Path:
        return self._files.path

    def upload(self, position: str, mark: str, name: str, content: BinaryIO, kind: Kind) -> Upload:
        """The file that was given at a position of the page; copied once, in place of the last one.

        Raises InputError where it cannot be taken.
        """
        known = self._current.get(position)
        if known and known[0] == mark:
            return known[1]
        self.forget(position)
        kept = self._files.keep(name, content, kind=kind, most_bytes=self._max_upload)
        self._uploads.append(kept)
        self._current[position] = (mark, kept)
        return kept

    def forget(self, position: str) -> None:
        """Remove the file that was given there, unless a job has read it: its result stays."""
        self._current.pop(position, None)
        self._remove_unread()

    def begin(self, slot: Slot, make: MakeTask) -> PageJob:
        """Queue a task. Results of the slot stay; a job that has none is removed.

        Raises BusyError where too many jobs wait or too many results are kept.
        """
        for job in self.jobs(slot):
            if job.status.ended and job.task.result() is None:
                self.remove(job)
        if len(self.jobs(slot)) >= MOST_KEPT:
            raise BusyError(f"{MOST_KEPT} results are kept: remove one of them first")
        task = make(self._files.new())
        queue = self._downloads if slot == "download" else self._jobs
        try:
            job = queue.submit(task)
        except BusyError:
            shutil.rmtree(task.folder)
            raise
        self._slots.setdefault(slot, []).append(job)
        return job

    def with_names(self, text: str) -> str:
        """A line of a command, with the names of uploads in place of ours."""
        for upload in self._uploads:
            text = text.replace(str(upload.path), upload.name)
        for job in self._all_jobs():
            text = text.replace(f"{job.task.folder}/", "")
        return text

    def job(self, slot: Slot) -> PageJob | None:
        """The last job of a slot."""
        return next(iter(self.jobs(slot)), None)

    def jobs(self, slot: Slot) -> tuple[PageJob, ...]:
        """All of a slot, the last one first."""
        return tuple(reversed(self._slots.get(slot, ())))

    def reader(self, slot: Slot, path: Path) -> PageJob | None:
        """The last job of a slot that reads a file."""
        return next((job for job in self.jobs(slot) if path in job.task.inputs), None)

    def position(self, job: PageJob) -> int:
        """How many jobs come before it."""
        return self._queue(job).position(job)

    def stop(self, job: PageJob) -> None:
        """Stop a job; its files stay."""
        self._queue(job).stop(job)

    def remove(self, job: PageJob) -> None:
        """Stop a job and remove its files, and the jobs that read them."""
        for slot, jobs in self._slots.items():
            if job in jobs:
                self._slots[slot] = [other for other in jobs if other is not job]
        self.stop(job)
        for other in self._all_jobs():
            if any(path.parent == job.task.folder for path in other.task.inputs):
                self.remove(other)
        shutil.rmtree(job.task.folder, ignore_errors=True)
        self._remove_unread()

    def close(self) -> None:
        """Stop all jobs and remove all files."""
        for job in self._all_jobs():
            self.stop(job)
        self._files.remove()

    def _queue(self, job: PageJob) -> JobQueue:
        return self._downloads if job.task.kind == "download" else self._jobs

    def _all_jobs(self) -> tuple[PageJob, ...]:
        return tuple(job for jobs in self._slots.values() for job in jobs)

    def _remove_unread(self) -> None:
        """Remove uploads that are on the page no more, and that no job reads."""
        read = {path for job in self._all_jobs() for path in job.task.inputs}
        read |= {upload.path for _, upload in self._current.values()}
        for upload in self._uploads:
            if upload.path not in read:
                shutil.rmtree(upload.path.parent, ignore_errors=True)
        self._uploads = [upload for upload in self._uploads if upload.path in read]


class UploadFolder:
    """The uploads of one tab; nobody else can read the folder."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / uuid.uuid4().hex
        self.path.mkdir(mode=0o700)

    def keep(self, name: str, content: BinaryIO, *, kind: Kind, most_bytes: int) -> Upload:
        """Copy a file. Raises InputError for one that is too large, empty or no image."""
        shown = shortened(on_one_line(name))
        folder = self.new()
        path = folder / ORIGINAL[kind]
        try:
            _copy(content, path, shown, most_bytes)
            if kind == "image":
                _check_image(path, shown)
        except InputError:
            shutil.rmtree(folder)
            raise
        return Upload(shown, path)

    def new(self) -> Path:
        """An empty folder in it."""
        path = self.path / uuid.uuid4().hex
        path.mkdir(mode=0o700)
        return path

    def remove(self) -> None:
        """All that is in it, and itself."""
        shutil.rmtree(self.path, ignore_errors=True)


def _copy(content: BinaryIO, path: Path, shown: str, most_bytes: int) -> None:
    size = 0
    with path.open("xb") as file:
        while block := content.read(2**20):
            size += file.write(block)
            if size > most_bytes:
                raise InputError(
                    f"{shown} is larger than {most_bytes / 2**20:.0f} MiB: make it smaller, or"
                    " start the page with a larger --max-upload"
                )
        if not size:
            raise InputError(f"{shown} is empty: choose another file")


def _check_image(path: Path, shown: str) -> None:
    """By its header alone."""
    size = image_size(path.read_bytes())
    if size is None:
        raise InputError(f"{shown} is not an image that can be read: choose a PNG or JPEG")
    if size[0] * size[1] > _MOST_PIXELS:
        raise InputError(f"{shown} is {size[0]}x{size[1]}: make it smaller")
