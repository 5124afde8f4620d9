"""How steady a painted clip is, as ``vidstyle evaluate`` judges it, in the worker process."""

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

JUDGED = (0, 250)
"""The frames that are judged: ten seconds of most clips."""
_MOST_BYTES = 16 * 2**20


def evaluate_flicker(task: FlickerTask, tell: Tell) -> None:
    """Paint the clip once more without any blend, judge both, and write the report.

    Raises a VidstyleError.
    """
    pipeline = pipeline_in(task.pipeline, task.style)
    alone = task.folder / "every frame alone.mp4"
    tell(Stage(title="Painting every frame alone, to compare with"))
    plain = without(pipeline, ("shots", "flow", "blend"))
    run(Job(plain, task.clip, alone, frames=JUDGED), listen=listener(tell))
    tell(Stage(title="Looking for flicker"))
    clips = name_clips(task.clip, alone, [task.stylized])
    known = check_clips(clips, frames=JUDGED)
    judge = choose_evaluator(_judge(pipeline), size=known.source_size)
    extras = find_network_metrics(size=known.source_size)
    judged = evaluate_files(
        clips,
        known,
        judge,
        extras=extras,
        seen=lambda done, total: tell(Step(done=done, total=total)),
    )
    tell(Stage(title="Writing the report"))
    write_report(
        task.folder / REPORT, judged, clips.named, judge.flow, JUDGED, most_bytes=_MOST_BYTES
    )
    alone.unlink()
    removed = next(iter(judged.values())).scores.get("warping_error_reduction")
    verdict = "" if removed is None else f"{max(0, removed):.0%} of the flicker is gone"
    tell(Made(name=REPORT, caption=verdict))
    if known.frames == JUDGED[1]:
        tell(Note(text=f"judged by the first {known.frames} frames"))


def _judge(pipeline: Pipeline) -> EvaluatorName:
    """A flow that is quick, and not the one that blended."""
    used = {stage.use for stage in pipeline.stages}
    return "dis" if "flow/farneback" in used else "farneback"
