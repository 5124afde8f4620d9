"""The work of ``vidstyle image``: from files to a file, with the image so far on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from vidstyle.cli.image_files import (
    OPAQUE,
    reserved,
    to_planes,
    write_still,
)
from vidstyle.cli.image_previews import Previews, PreviewVideo, open_preview_video
from vidstyle.cli.image_request import CheckedRequest, ImageRequest
from vidstyle.cli.json_output import put_json
from vidstyle.cli.main import INTERRUPTED
from vidstyle.cli.step_progress import ShowStep, StepView, losses_line, show_steps
from vidstyle.cli.terminal import say_note, say_unless_quiet
from vidstyle.core.errors import DeviceError, VidstyleError, is_out_of_memory
from vidstyle.models.optimization.gatys import OptimizationResult, OptimizationStep
from vidstyle.stages.stylize.gatys_stylizer import OptimizationStylizer


class OptimizationInterruptedError(VidstyleError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


def stylize_image(request: ImageRequest, checked: CheckedRequest) -> None:
    """Stylize an image, show the steps, and write it.

    Raises:
        OptimizationInterruptedError: Ctrl-C; the image so far was written.
        VidstyleError: the output is untouched.
    """
    started = time.perf_counter()
    steps = checked.options.steps
    if not request.as_json:
        say_unless_quiet(_start_line(checked))
    with ExitStack() as stack, _within_memory():
        destination = stack.enter_context(reserved(request.output, overwrite=request.overwrite))
        preview_video = stack.enter_context(open_preview_video(request.preview_video, steps))
        work = _ImageWork(request, checked, preview_video)
        work.stylize(stack.enter_context(show_steps(as_json=request.as_json)))
        write_still(destination, work.result(), checked.still)
        work.finish_preview_video()
    work.report(time.perf_counter() - started)


def _start_line(checked: CheckedRequest) -> str:
    """``vgg16 (/w/vgg16-397923af.pth), bfloat16 on cpu, 500x333, at most 300 steps``."""
    options, (height, width) = checked.options, checked.still.colors.shape[:2]
    return (
        f"{options.backbone} ({checked.weights}), {options.precision} on {checked.device},"
        f" {width}x{height}, at most {options.steps} steps"
    )


class _ImageWork:
    """An optimization whose last step is always at hand."""

    def __init__(
        self, request: ImageRequest, checked: CheckedRequest, preview_video: PreviewVideo | None
    ) -> None:
        self._request, self._checked, self._preview_video = request, checked, preview_video
        self._content = to_planes(checked.still.colors)
        self._previews = None if request.previews is None else Previews(*request.previews)
        self._last: OptimizationStep | None = None
        self._result: OptimizationResult | None = None
        self._preview_video_file: Path | None = None

    def stylize(self, show: ShowStep) -> None:
        """Go through all steps, or up to Ctrl-C once there is an image to keep."""
        options, device = self._checked.options, self._checked.device
        stylizer = OptimizationStylizer(options, device=device)
        watchers: list[Callable[[OptimizationStep], None]] = [
            each for each in (self._preview_video, self._previews) if each is not None
        ]

        def watch(step: OptimizationStep) -> bool:
            self._last = shown = replace(step, image=partial(self._image_of, step))
            show(_view(step))
            for each in watchers:
                each(shown)
            return True

        try:
            self._result = stylizer.stylize(
                self._content.to(device), options, mask=self._mask(), watch=watch
            )
        except KeyboardInterrupt:
            if self._last is None:
                raise

    def _mask(self) -> torch.Tensor | None:
        mask = self._checked.mask
        return None if mask is None else to_planes(mask).to(self._checked.device)

    def finish_preview_video(self) -> None:
        """Write the preview video, unless it ended early. Raises OutputError."""
        path = self._request.preview_video
        if self._preview_video and path and self._last and self._result:
            self._preview_video.finish(self._last, path, overwrite=self._request.overwrite)
            self._preview_video_file = path

    def result(self) -> torch.Tensor:
        """(1, 3, H, W), with the strength that was asked for."""
        if self._result is not None:
            return self._mix(self._result.image)
        assert self._last is not None  # otherwise Ctrl-C has ended it all
        return self._last.image()

    def _image_of(self, step: OptimizationStep) -> torch.Tensor:
        """The image of a step as ``result`` would write it."""
        return self._mix(step.image())

    def _mix(self, image: torch.Tensor) -> torch.Tensor:
        return self._content.lerp(image.cpu(), self._checked.options.strength)

    def report(self, seconds: float) -> None:
        """Say what was written. Raises OptimizationInterruptedError where that is not all."""
        output, result = self._request.output, self._result
        if result is None:
            steps = 0 if self._last is None else self._last.step
            raise OptimizationInterruptedError(
                f"interrupted after {steps} of {self._checked.options.steps} steps; {output} holds"
                " the image so far"
            )
        previews = self._previews and self._previews.written
        if self._request.as_json:
            row = {
                "event": "done",
                "output": str(output),
                "preview_video": self._preview_video_file and str(self._preview_video_file),
                "previews": previews and str(previews),
                "steps": result.steps,
                "ending": result.ending,
                "loss": result.loss,
                "terms": dict(result.terms),
                "seconds": round(seconds, 3),
            }
            put_json(row)
            return
        if self._checked.still.alpha is not None and output.suffix.lower() in OPAQUE:
            say_note("JPEG holds no opacity: left out")
        ended = {
            "converged": ", the loss falls no more",
            "stalled": ", no step gains any more",
        }
        losses = losses_line({"loss": result.loss, **result.terms})
        say_unless_quiet(
            f"{result.steps} steps in {seconds:.1f} s{ended.get(result.ending, '')}: {losses}"
        )
        more = (self._preview_video_file, previews and f"previews to {previews}")
        say_unless_quiet(f"wrote {', '.join(str(each) for each in (output, *more) if each)}")


def _view(step: OptimizationStep) -> StepView:
    losses = {"loss": step.loss, **step.terms}
    return StepView(step.step, step.steps, losses, {"size": step.size})


@contextmanager
def _within_memory() -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError("out of memory: give a smaller --size, or another --device") from error
