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

from vidstyle.app.job_queue import JobQueue, PageJob
from vidstyle.app.plain_text import on_one_line, shortened
from vidstyle.app.tasks import Task
from vidstyle.core.errors import InputError
from vidstyle.imaging.image_size import image_size

Slot = Literal["image", "preview", "clip", "evaluation"]
MakeTask = Callable[[Path], Task]
"""Gives a task that works in this folder."""
Kind = Literal["image", "clip"]
# The name of every upload, in a folder of its own: no letter of it comes from a browser. Commands
# know style images by the suffix; what is in the file is found out from its content.
ORIGINAL: Mapping[Kind, str] = {"image": "original.jpg", "clip": "original"}
# Of an uploaded image: more than cameras have, and no gigabytes once it is decoded.
_MOST_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody has given."""

    name: str
    """As it is shown; never part of a path."""
    path: Path


class Desk:
    """Of one tab. A slot has the last job of its kind; a new one takes its place."""

    def __init__(self, parent: Path, jobs: JobQueue, *, max_upload: int) -> None:
        self._files = UploadFolder(parent)
        self._jobs = jobs
        self._max_upload = max_upload
        self._slots: dict[Slot, PageJob] = {}
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

    def begin(self, slot: Slot, make: MakeTask) -> PageJob:
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

    def job(self, slot: Slot) -> PageJob | None:
        return self._slots.get(slot)

    def position(self, job: PageJob) -> int:
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
