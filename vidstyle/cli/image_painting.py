"""The work of ``vidstyle image``: from files to a file, with what is there on Ctrl-C."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from vidstyle.cli.image_files import (
    OPAQUE,
    Still,
    read_mask,
    read_still,
    reserved,
    to_planes,
    write_still,
)
from vidstyle.cli.image_memory import check_memory
from vidstyle.cli.image_progress import Film, Previews, Show, check_film, film_of, shown
from vidstyle.cli.main import INTERRUPTED
from vidstyle.cli.style_progress import losses_line
from vidstyle.cli.terminal import say
from vidstyle.core.errors import DeviceError, VidstyleError, is_out_of_memory
from vidstyle.models.gatys import Painted, Progress
from vidstyle.models.painting_file import check_painting
from vidstyle.runner.destination import Destination
from vidstyle.runner.device import resolve_device
from vidstyle.stages.stylize.gatys_options import PaintingOptions
from vidstyle.stages.stylize.gatys_painter import Painter


class InterruptedPaintingError(VidstyleError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for, beside the options of the painting."""

    content: Path
    output: Path
    size: int
    steps: int
    strength: float
    start: Literal["content", "noise"]
    mask: Path | None
    device: str
    budget: int
    """Bytes of memory."""
    previews: tuple[int, Path] | None
    film: Path | None
    overwrite: bool
    as_json: bool


def paint_still(request: Request, options: PaintingOptions) -> None:
    """Paint it, show how it comes about, and write it.

    Raises a VidstyleError, and then the output is untouched; but InterruptedPaintingError where
    what is painted so far was written.
    """
    place = resolve_device(request.device, needs_torch=True)
    still = read_still(request.content, request.size)
    for path in options.paintings:
        check_painting(path)
    height, width = still.colours.shape[:2]
    check_memory(options, width, height, device=place, budget=request.budget)
    if request.film is not None:
        check_film(request.film)
        Destination(request.film, request.overwrite).check(request.content)
    started = time.perf_counter()
    with ExitStack() as held, _within_memory():
        destination = held.enter_context(reserved(request.output, overwrite=request.overwrite))
        film = held.enter_context(film_of(request.film, request.steps))
        work = _Work(request, still, film)
        work.paint(options, place, held.enter_context(shown(as_json=request.as_json)))
        write_still(destination, work.result(), still)
        if film and request.film and work.last and work.is_whole:
            film.finish(work.last, request.film, overwrite=request.overwrite)
    work.tell(time.perf_counter() - started)


class _Work:
    """A painting on its way, of which the last step is always at hand."""

    def __init__(self, request: Request, still: Still, film: Film | None) -> None:
        self._request, self._still = request, still
        self._content = to_planes(still.colours)
        self._others: list[Show] = [] if film is None else [film]
        if request.previews is not None:
            self._others.append(Previews(*request.previews))
        self.last: Progress | None = None
        self._painted: Painted | None = None

    def paint(self, options: PaintingOptions, device: str, show: Show) -> None:
        """Go on to the end, or to Ctrl-C once there is something to keep."""
        settings = replace(options.descent(self._request.steps), start=self._request.start)
        painter = Painter(options, device=device)

        def watch(progress: Progress) -> bool:
            self.last = progress
            for each in (show, *self._others):
                each(progress)
            return True

        try:
            self._painted = painter.paint(
                self._content.to(device),
                settings,
                mask=self._mask(device),
                watch=watch,
            )
        except KeyboardInterrupt:
            if self.last is None:
                raise

    def _mask(self, device: str) -> torch.Tensor | None:
        if self._request.mask is None:
            return None
        return to_planes(read_mask(self._request.mask, self._still)).to(device)

    @property
    def is_whole(self) -> bool:
        """Whether nobody ended it early."""
        return self._painted is not None

    def result(self) -> torch.Tensor:
        """(1, 3, H, W), with the strength that was asked for."""
        if self._painted is not None:
            picture = self._painted.picture
        else:
            assert self.last is not None  # otherwise Ctrl-C has ended it all
            picture = self.last.picture()
        return self._content.lerp(picture.cpu(), self._request.strength)

    def tell(self, seconds: float) -> None:
        """Say what was made. Raises InterruptedPaintingError where that is not all."""
        output, painted = self._request.output, self._painted
        if painted is None:
            steps = 0 if self.last is None else self.last.step
            raise InterruptedPaintingError(
                f"interrupted after {steps} of {self._request.steps} steps; {output} holds what was"
                " painted so far"
            )
        if self._request.as_json:
            row = {
                "event": "done",
                "output": str(output),
                "steps": painted.steps,
                "ending": painted.ending,
                "loss": painted.loss,
                "terms": dict(painted.terms),
                "seconds": round(seconds, 3),
            }
            print(json.dumps(row), flush=True)
            return
        if self._still.alpha is not None and output.suffix.lower() in OPAQUE:
            say("note: JPEG holds no opacity: left out")
        ended = {"settled": ", the loss falls no more", "stuck": ", no step gains any more"}
        losses = losses_line({"loss": painted.loss, **painted.terms})
        say(f"{painted.steps} steps in {seconds:.1f} s{ended.get(painted.ending, '')}: {losses}")
        say(f"wrote {output}")


@contextmanager
def _within_memory() -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            "the painting is out of memory: give a smaller --size, or another --device"
        ) from error
