"""The work of ``vidstyle image``: from files to a file, with what is there on Ctrl-C."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from vidstyle.cli.image_files import (
    OPAQUE,
    reserved,
    to_planes,
    write_still,
)
from vidstyle.cli.image_progress import Previews, PreviewVideo, Show, preview_video_of, shown
from vidstyle.cli.image_request import Checked, Request
from vidstyle.cli.main import INTERRUPTED
from vidstyle.cli.style_progress import losses_line
from vidstyle.cli.terminal import say
from vidstyle.core.errors import DeviceError, VidstyleError, is_out_of_memory
from vidstyle.models.optimization.gatys import Progress, Stylized
from vidstyle.stages.stylize.gatys_options import OptimizationOptions
from vidstyle.stages.stylize.gatys_stylizer import Stylizer


class OptimizationInterruptedError(VidstyleError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


def optimize_still(request: Request, found: Checked, options: OptimizationOptions) -> None:
    """Paint it, show how it comes about, and write it.

    Raises a VidstyleError, and then the output is untouched; but InterruptedPaintingError where
    what is painted so far was written.
    """
    started = time.perf_counter()
    with ExitStack() as held, _within_memory():
        destination = held.enter_context(reserved(request.output, overwrite=request.overwrite))
        preview_video = held.enter_context(preview_video_of(request.preview_video, request.steps))
        work = _Work(request, found, preview_video)
        work.stylize(options, held.enter_context(shown(as_json=request.as_json)))
        write_still(destination, work.result(), found.still)
        work.finish_preview_video()
    work.tell(time.perf_counter() - started)


class _Work:
    """A painting on its way, of which the last step is always at hand."""

    def __init__(
        self, request: Request, found: Checked, preview_video: PreviewVideo | None
    ) -> None:
        self._request, self._found, self._preview_video = request, found, preview_video
        self._content = to_planes(found.still.colors)
        self._previews = None if request.previews is None else Previews(*request.previews)
        self._last: Progress | None = None
        self._stylized: Stylized | None = None
        self._preview_video_file: Path | None = None

    def stylize(self, options: OptimizationOptions, show: Show) -> None:
        """Go on to the end, or to Ctrl-C once there is something to keep."""
        settings = replace(options.descent(self._request.steps), start=self._request.start)
        device = self._found.device
        stylizer = Stylizer(options, device=device)
        shows = [each for each in (show, self._preview_video, self._previews) if each is not None]

        def watch(progress: Progress) -> bool:
            self._last = progress
            for each in shows:
                each(progress)
            return True

        try:
            self._stylized = stylizer.stylize(
                self._content.to(device),
                settings,
                mask=self._mask(),
                watch=watch,
            )
        except KeyboardInterrupt:
            if self._last is None:
                raise

    def _mask(self) -> torch.Tensor | None:
        mask = self._found.mask
        return None if mask is None else to_planes(mask).to(self._found.device)

    def finish_preview_video(self) -> None:
        """Write the film, unless it ended early. Raises OutputError."""
        path = self._request.preview_video
        if self._preview_video and path and self._last and self._stylized:
            self._preview_video.finish(self._last, path, overwrite=self._request.overwrite)
            self._preview_video_file = path

    def result(self) -> torch.Tensor:
        """(1, 3, H, W), with the strength that was asked for."""
        if self._stylized is not None:
            image = self._stylized.image
        else:
            assert self._last is not None  # otherwise Ctrl-C has ended it all
            image = self._last.image()
        return self._content.lerp(image.cpu(), self._request.strength)

    def tell(self, seconds: float) -> None:
        """Say what was made. Raises InterruptedPaintingError where that is not all."""
        output, stylized = self._request.output, self._stylized
        if stylized is None:
            steps = 0 if self._last is None else self._last.step
            raise OptimizationInterruptedError(
                f"interrupted after {steps} of {self._request.steps} steps; {output} holds what was"
                " painted so far"
            )
        previews = self._previews and self._previews.written
        if self._request.as_json:
            row = {
                "event": "done",
                "output": str(output),
                "film": self._preview_video_file and str(self._preview_video_file),
                "previews": previews and str(previews),
                "steps": stylized.steps,
                "ending": stylized.ending,
                "loss": stylized.loss,
                "terms": dict(stylized.terms),
                "seconds": round(seconds, 3),
            }
            print(json.dumps(row), flush=True)
            return
        if self._found.still.alpha is not None and output.suffix.lower() in OPAQUE:
            say("note: JPEG holds no opacity: left out")
        ended = {"settled": ", the loss falls no more", "stuck": ", no step gains any more"}
        losses = losses_line({"loss": stylized.loss, **stylized.terms})
        say(f"{stylized.steps} steps in {seconds:.1f} s{ended.get(stylized.ending, '')}: {losses}")
        more = (self._preview_video_file, previews and f"previews to {previews}")
        say(f"wrote {', '.join(str(each) for each in (output, *more) if each)}")


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
