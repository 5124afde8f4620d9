"""How a painting of a still is shown while it comes about: lines, images, a film."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidstyle.cli.image_files import to_bytes
from vidstyle.cli.image_request import PREVIEW_VIDEO_CODECS
from vidstyle.cli.style_progress import losses_line, training_line
from vidstyle.cli.terminal import say
from vidstyle.core.errors import OutputError
from vidstyle.models.optimization.gatys import Progress as Step

Show = Callable[[Step], None]

_PLAIN_EVERY_SECONDS = 10.0
_PREVIEW_VIDEO_IMAGES = 60
_PREVIEW_VIDEO_RATE = 12
_PREVIEW_VIDEO_HOLD = 18
"""Images of a film at most, a second, and how long the last one stays."""


@contextmanager
def shown(*, as_json: bool) -> Generator[Show, None, None]:
    """Shows each step: JSON lines, a bar on a terminal, or a line now and then."""
    console = Console(stderr=True, highlight=False)
    if as_json:
        yield _print_json
    elif console.is_terminal:
        bar = Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=None, losses="getting ready")
            yield lambda step: bar.update(
                task, completed=step.step, total=step.steps, losses=_losses(step)
            )
    else:
        yield _Lines()


def _print_json(step: Step) -> None:
    print(
        json.dumps(
            {
                "event": "step",
                "step": step.step,
                "steps": step.steps,
                "size": step.size,
                "loss": step.loss,
                "terms": dict(step.terms),
            }
        ),
        flush=True,
    )


class _Lines:
    """For logs."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()

    def __call__(self, step: Step) -> None:
        now = time.perf_counter()
        if now - self._last < _PLAIN_EVERY_SECONDS:
            return
        self._last = now
        rate = step.step / (now - self._started)
        say(f"{training_line(step.step, step.steps, rate)}, {_losses(step)}")


def _losses(step: Step) -> str:
    return losses_line({"loss": step.loss, **step.terms})


class Previews:
    """Writes ``step-000100.png`` into a folder, every so many steps."""

    def __init__(self, every: int, folder: Path) -> None:
        self._every, self._folder = every, folder
        self._count = 0

    def __call__(self, step: Step) -> None:
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
    """Collects images of the way, the early ones more closely: there most of it happens."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder = folder
        last = _PREVIEW_VIDEO_IMAGES - 1
        self._wanted = {
            max(1, round(steps * (at / last) ** 2)) for at in range(_PREVIEW_VIDEO_IMAGES)
        }
        self._count = 0

    def __call__(self, step: Step) -> None:
        if step.step in self._wanted:
            self._add(step)

    def finish(self, last: Step, path: Path, *, overwrite: bool) -> None:
        """Make the film, its last image held. Raises OutputError."""
        for _ in range(_PREVIEW_VIDEO_HOLD):
            self._add(last)
        _encode(self._folder, path, overwrite=overwrite)

    def _add(self, step: Step) -> None:
        _write(self._folder / f"{self._count:06}.png", step)
        self._count += 1


@contextmanager
def preview_video_of(path: Path | None, steps: int) -> Generator[PreviewVideo | None, None, None]:
    """A film that is to be made, and a place for its images meanwhile."""
    if path is None:
        yield None
        return
    with TemporaryDirectory(prefix="vidstyle-") as folder:
        yield PreviewVideo(Path(folder), steps)


def _write(path: Path, step: Step) -> None:
    made, data = cv2.imencode(".png", to_bytes(step.image()))
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
    """A folder of images as a film, by a pipeline as any other."""
    from vidstyle.runner.config.discovery import Registry
    from vidstyle.runner.config.pipeline import load_pipeline
    from vidstyle.runner.plan.job import Job, run

    with TemporaryDirectory(prefix="vidstyle-") as beside:
        written = Path(beside) / "film.yaml"
        written.write_text(
            "version: 1\nstages:\n"
            f"  - {{use: decode/images, frame_rate: {_PREVIEW_VIDEO_RATE}}}\n"
            f"  - {{use: encode/pyav, codec: {PREVIEW_VIDEO_CODECS[path.suffix.lower()]}}}\n"
        )
        pipeline = load_pipeline(written, registry=Registry())
        run(Job(pipeline, folder, path, device="cpu", overwrite=overwrite, resume=False))
