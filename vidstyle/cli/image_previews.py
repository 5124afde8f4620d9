"""Images of an optimization while it works: files in a folder, and a preview video."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from vidstyle.cli.image_files import preview_pixels
from vidstyle.cli.image_request import PREVIEW_VIDEO_CODECS
from vidstyle.core.errors import OutputError
from vidstyle.models.optimization.gatys import OptimizationStep

# Images of a preview video at most, images a second, and how often the last one is repeated.
_MOST_IMAGES, _FRAME_RATE, _LAST_REPEATED = 60, 12, 18


class Previews:
    """Writes ``step-000100.png`` into a folder, every so many steps."""

    def __init__(self, every: int, folder: Path) -> None:
        self._every, self._folder = every, folder
        self._count = 0

    def __call__(self, step: OptimizationStep) -> None:
        if step.step % self._every:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {self._folder}: {error.strerror}") from error
        _write(self._folder / f"step-{step.step:06}.png", step)
        self._count += 1

    @property
    def written(self) -> Path | None:
        """The folder, once there is one of them in it."""
        return self._folder if self._count else None


class PreviewVideo:
    """Collects images of steps, more of the early ones: there most of it happens."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder = folder
        last = _MOST_IMAGES - 1
        self._wanted = {max(1, round(steps * (at / last) ** 2)) for at in range(_MOST_IMAGES)}
        self._count = 0

    def __call__(self, step: OptimizationStep) -> None:
        if step.step in self._wanted:
            self._add(step)

    def finish(self, last: OptimizationStep, path: Path, *, overwrite: bool) -> None:
        """Write the video, its last image repeated. Raises OutputError."""
        for _ in range(_LAST_REPEATED):
            self._add(last)
        _encode(self._folder, path, overwrite=overwrite)

    def _add(self, step: OptimizationStep) -> None:
        _write(self._folder / f"{self._count:06}.png", step)
        self._count += 1


@contextmanager
def open_preview_video(path: Path | None, steps: int) -> Generator[PreviewVideo | None, None, None]:
    """A preview video, whose images lie in a temporary folder until it is finished."""
    if path is None:
        yield None
        return
    with TemporaryDirectory(prefix="vidstyle-") as folder:
        yield PreviewVideo(Path(folder), steps)


def _write(path: Path, step: OptimizationStep) -> None:
    made, data = cv2.imencode(".png", preview_pixels(step.image()))
    if not made:
        raise OutputError(f"cannot write {path}")
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data.tobytes())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _encode(folder: Path, path: Path, *, overwrite: bool) -> None:
    """Write a folder of images as a video, by a pipeline."""
    from vidstyle.runner.config.discovery import Registry
    from vidstyle.runner.config.pipeline import load_pipeline
    from vidstyle.runner.job import Job, run

    with TemporaryDirectory(prefix="vidstyle-") as beside:
        written = Path(beside) / "video.yaml"
        written.write_text(
            "version: 1\nstages:\n"
            f"  - {{use: decode/images, frame_rate: {_FRAME_RATE}}}\n"
            f"  - {{use: encode/pyav, codec: {PREVIEW_VIDEO_CODECS[path.suffix.lower()]}}}\n"
        )
        pipeline = load_pipeline(written, registry=Registry())
        run(Job(pipeline, folder, path, device="cpu", overwrite=overwrite, resume=False))
