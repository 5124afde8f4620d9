"""``vidstyle evaluate``: how temporally consistent a stylized clip is, and what that cost."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_values import check_new, indices_of
from vidstyle.cli.terminal import is_quiet, say_unless_quiet
from vidstyle.cli.waiting import Waiting, show_waiting

if TYPE_CHECKING:
    from vidstyle.evaluation.file_evaluation import ClipPaths
    from vidstyle.evaluation.scores import Evaluation

EvaluatorName = Literal["raft-small", "raft-large", "farneback", "dis"]


_SECTIONS = {
    "Clips": ("per_frame", "style_image", "frames", "resize"),
    "Evaluator": ("evaluator", "blended_with", "weights", "device"),
}


def register(app: typer.Typer) -> None:
    app.command("evaluate")(as_command(evaluate, _SECTIONS, quiet=True))


def evaluate(
    source: Annotated[
        Path, typer.Argument(help="The clip before it was stylized.", metavar="SOURCE")
    ],
    stylized: Annotated[
        list[Path],
        typer.Argument(help="Clips made of it, by vidstyle or by others.", metavar="STYLIZED..."),
    ],
    per_frame: Annotated[
        Path | None,
        typer.Option(
            help="The per-frame baseline: SOURCE in the same style without a blend.",
            metavar="FILE",
        ),
    ] = None,
    evaluator: Annotated[
        EvaluatorName | None,
        typer.Option(
            help="The optical flow that evaluates; by default raft-small where its weights are,"
            " else farneback.",
        ),
    ] = None,
    blended_with: Annotated[
        EvaluatorName | None,
        typer.Option(help="The flow that STYLIZED was blended with; it cannot evaluate."),
    ] = None,
    frames: given.Frames = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Scale clips of another size to that of SOURCE.")
    ] = False,
    style_image: Annotated[
        Path | None,
        typer.Option(
            help="The image of the style: also measure how much of the style is kept.",
            metavar="FILE",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="The folder with weights of RAFT, VGG and AlexNet; default: VIDSTYLE_WEIGHTS.",
            metavar="DIR",
        ),
    ] = None,
    device: given.Device = "auto",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the JSON to a file.", metavar="FILE.json"),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write a page with curves and images.", metavar="FILE.html"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the outputs.")] = False,
    json: given.Json = False,
) -> None:
    """Evaluate clips: flicker, sharpness, ghosting, drift.

    The motion is that of SOURCE. Scores compare only under one evaluator. Lossy coding adds
    flicker of its own, and hides some.
    """
    from vidstyle.cli.evaluation_text import print_evaluations
    from vidstyle.evaluation.evaluators import check_evaluator, choose_evaluator
    from vidstyle.evaluation.file_evaluation import check_clips, evaluate_files, name_clips
    from vidstyle.evaluation.network_metrics import find_network_metrics

    if style_image and not per_frame:
        raise typer.BadParameter("--style-image compares with --per-frame: give both")
    check_evaluator(evaluator, blended_with=blended_with)
    interval = indices_of(frames, source)
    clips = name_clips(source, per_frame, stylized)
    outputs = [path for path in (output, report) if path]
    beside = [path for path in (style_image, weights) if path]
    _check_outputs(outputs, list(clips.named.values()), beside, overwrite=overwrite)
    with show_waiting("loading the evaluator ...", as_json=json) as waiting:
        check = check_clips(clips, frames=interval, resize=resize)
        size = check.source_size
        chosen = choose_evaluator(
            evaluator, blended_with=blended_with, weights=weights, device=device, size=size
        )
        metrics = None
        if per_frame is not None:
            metrics = find_network_metrics(style_image=style_image, weights=weights, size=size)
        progress = _print_progress if json else _ProgressLine(waiting)
        waiting.update("evaluating the first frames ...")
        evaluations = evaluate_files(clips, check, chosen, metrics=metrics, report=progress)
    scores = _all_json(clips, evaluations, interval)
    if not json and not (is_quiet() and outputs):
        print_evaluations(evaluations)
    if output:
        from vidstyle.report.flicker_report import write_text
        from vidstyle.runner.storage.destination import Destination

        write_text(Destination(output, overwrite), json_module.dumps(scores) + "\n")
    if report:
        from vidstyle.report.flicker_report import write_report

        write_report(report, evaluations, clips.named, chosen.flow, interval, overwrite=overwrite)
    if json:
        put_json({"event": "done", **scores})
    else:
        for path in outputs:
            say_unless_quiet(f"wrote {path}")


def _print_progress(done: int, total: int) -> None:
    put_json({"event": "frame", "done": done, "total": total})


def _check_outputs(
    outputs: Sequence[Path], clips: Sequence[Path], beside: Sequence[Path], *, overwrite: bool
) -> None:
    """Refuse what cannot be written, or would change an input: some evaluators take hours."""
    from vidstyle.core.errors import OutputError, UsageError
    from vidstyle.core.paths import is_folder

    inputs = [*clips, *beside]
    files = [*inputs, *(file for folder in inputs for file in _files_in(folder))]
    for path in outputs:
        if is_folder(path):
            raise OutputError(f"{path} is a folder; give the name of a file")
        check_new(path, overwrite=overwrite, inputs=files)
        for clip in clips:
            if clip.is_dir() and path.parent.samefile(clip):
                raise UsageError(f"{path} would lie among the images of a clip; choose another")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UsageError(f"-o and --report are two outputs: {outputs[0]} cannot be both")


def _files_in(folder: Path) -> Iterator[Path]:
    """The entries of a folder, any of which may be read; nothing where it is a file."""
    from vidstyle.core.errors import InputError

    try:
        yield from folder.iterdir() if folder.is_dir() else ()
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error


class _ProgressLine:
    """What is shown meanwhile: some evaluators take seconds a frame."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting, self._started = waiting, time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        from vidstyle.cli.progress import progress_line

        seconds = time.perf_counter() - self._started
        self._waiting.update(progress_line(done, total, seconds))


def _all_json(
    clips: ClipPaths, evaluations: Mapping[str, Evaluation], interval: tuple[int, int | None]
) -> dict[str, Any]:
    from vidstyle.cli.evaluation_text import evaluation_json

    return {
        "source": str(clips.source),
        "per_frame": None if clips.per_frame is None else str(clips.per_frame),
        "evaluator": next(iter(evaluations.values())).evaluator,
        "interval": list(interval),
        "clips": {
            name: {"file": str(clips.stylized[name]), **evaluation_json(evaluation)}
            for name, evaluation in evaluations.items()
        },
    }
