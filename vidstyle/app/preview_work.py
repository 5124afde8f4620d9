"""Single frames of a clip, painted by the pipeline as it is, in the worker process."""

from __future__ import annotations

from pathlib import Path

from vidstyle.app.clip_work import pipeline_in
from vidstyle.app.news import Made, Stage, Step, Tell
from vidstyle.app.tasks import PreviewTask
from vidstyle.core import ExecutionContext
from vidstyle.evaluation.clip_frames import clip_frames
from vidstyle.report.side_by_side import to_bytes
from vidstyle.runner.plan.job import Job, run
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.training.previews import fitted, write_image

_FARTHEST = 300
"""Frames from the start within which frames are chosen: what lies before them is decoded too."""
_SIDE = 640


def preview_frames(task: PreviewTask, tell: Tell) -> None:
    """Paint a few frames of the clip, each as the first of a run. Raises a VidstyleError."""
    pipeline = pipeline_in(task.pipeline, task.style)
    chosen, rate = _chosen(task.clip, task.count)
    tell(Stage(title="Painting single frames"))
    for number, index in enumerate(chosen):
        stylized = task.folder / f"frame-{number}.mp4"
        run(Job(pipeline, task.clip, stylized, frames=(index, index + 1)))
        [image] = clip_frames(stylized)
        shown = f"frame-{number}.jpg"
        write_image(task.folder / shown, fitted(to_bytes(image), _SIDE))
        stylized.unlink()
        tell(Made(name=shown, caption=f"at {index / rate:.1f} s" if rate else f"frame {index}"))
        tell(Step(done=number + 1, total=len(chosen)))


def _chosen(clip: Path, count: int) -> tuple[list[int], float | None]:
    """Indices of frames, spread over the clip's beginning, and frames a second where known."""
    source = DecodePyAV(DecodeOptions())
    try:
        opened = source.open(clip, ExecutionContext())
    finally:
        source.close()
    # The middles of as many parts: where a clip begins and ends there is often nothing to see.
    length = min(opened.frame_count or 1, _FARTHEST)
    spread = {length * (2 * part + 1) // (2 * count) for part in range(count)}
    rate = opened.frame_rate
    return sorted(spread), None if rate is None else float(rate)
