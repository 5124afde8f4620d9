"""How temporally consistent a stylized clip is, as ``vidstyle evaluate`` measures it."""

from __future__ import annotations

from vidstyle.app.clip_work import listener, pipeline_in, without
from vidstyle.app.news import Made, Note, Stage, Step, Tell
from vidstyle.app.tasks import REPORT, FlickerTask
from vidstyle.evaluation.evaluators import EvaluatorName, choose_evaluator
from vidstyle.evaluation.file_evaluation import check_clips, evaluate_files, name_clips
from vidstyle.evaluation.network_metrics import find_network_metrics
from vidstyle.report.flicker_report import write_report
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.plan.job import Job, run

EVALUATED = (0, 250)
"""The frames that are evaluated: ten seconds of most clips."""
_MOST_BYTES = 16 * 2**20


def evaluate_flicker(task: FlickerTask, tell: Tell) -> None:
    """Stylize the clip once more without a blend, evaluate both, and write the report.

    Raises a VidstyleError.
    """
    pipeline = pipeline_in(task.pipeline, task.style)
    per_frame = task.folder / "per frame.mp4"
    tell(Stage(title="Stylizing without a blend, to compare with"))
    plain = without(pipeline, ("shots", "flow", "blend"))
    run(Job(plain, task.clip, per_frame, frames=EVALUATED), listen=listener(tell))
    tell(Stage(title="Measuring flicker"))
    clips = name_clips(task.clip, per_frame, [task.stylized])
    check = check_clips(clips, frames=EVALUATED)
    evaluator = choose_evaluator(_evaluator_of(pipeline), size=check.source_size)
    evaluations = evaluate_files(
        clips,
        check,
        evaluator,
        metrics=find_network_metrics(size=check.source_size),
        report=lambda done, total: tell(Step(done=done, total=total)),
    )
    tell(Stage(title="Writing the report"))
    write_report(
        task.folder / REPORT,
        evaluations,
        clips.named,
        evaluator.flow,
        EVALUATED,
        most_bytes=_MOST_BYTES,
    )
    per_frame.unlink()
    reduction = next(iter(evaluations.values())).scores.get("warping_error_reduction")
    caption = "" if reduction is None else f"Removes {max(0, reduction):.0%} of the flicker"
    tell(Made(name=REPORT, caption=caption))
    if check.frames == EVALUATED[1]:
        tell(Note(text=f"evaluated on the first {check.frames} frames"))


def _evaluator_of(pipeline: Pipeline) -> EvaluatorName:
    """A flow that is quick, and not the one of the blend."""
    used = {stage.use for stage in pipeline.stages}
    return "dis" if "flow/farneback" in used else "farneback"
