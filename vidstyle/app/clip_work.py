"""Painting a clip, in the worker process: the run of the command line, and films to compare by."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.app.news import Note, Stage, Step, Tell
from vidstyle.app.tasks import PREVIEW_VIDEOS, STYLIZED, ClipTask
from vidstyle.core.errors import UsageError
from vidstyle.report.preview_video import encode_previews
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.execution.events import Event, FrameDone, Listener, NoteEvent
from vidstyle.runner.plan.job import Job, run

COMPARED_FRAMES = 500
"""Of a clip, that can be compared on the page: films of more take long to make."""
_MOST_BYTES = 12 * 2**20
_TOLD_EVERY_SECONDS = 0.2


def stylize_clip(task: ClipTask, tell: Tell) -> None:
    """Paint the clip and make two small films of it. Raises a VidstyleError."""
    stylized = task.folder / STYLIZED
    tell(Stage(title="Painting"))
    run(Job(pipeline_in(task.pipeline, task.style), task.clip, stylized), listen=listener(tell))
    tell(Stage(title="Making the comparison"))
    frames = _write_preview_videos(task.folder / PREVIEW_VIDEOS, task.clip, stylized)
    if frames == COMPARED_FRAMES:
        tell(Note(text=f"the comparison ends after {frames} frames; the video is whole"))


def pipeline_in(pipeline: Path, style: Path) -> Pipeline:
    """A pipeline with a style. Raises PipelineError."""
    # JSON is YAML, whatever characters a name has.
    changed = f"stylize.style={json.dumps(str(style), ensure_ascii=False)}"
    return load_pipeline(pipeline, registry=Registry(), overrides=[changed])


def without(pipeline: Pipeline, kinds: Sequence[str]) -> Pipeline:
    """A pipeline without its stages of these kinds."""
    return replace(pipeline, stages=tuple(s for s in pipeline.stages if s.kind not in kinds))


def listener(tell: Tell) -> Listener:
    """Tells of a run's frames, a few times a second, and of what was noticed."""
    last = 0.0

    def listen(event: Event) -> None:
        nonlocal last
        match event:
            case FrameDone(done=done, total=total):
                now = time.monotonic()
                if done == total or now - last >= _TOLD_EVERY_SECONDS:
                    last = now
                    tell(Step(done=done, total=total))
            case NoteEvent(note):
                tell(Note(text=note.text))

    return listen


def _write_preview_videos(path: Path, clip: Path, stylized: Path) -> int:
    """Small films of both; how many frames they have."""
    preview_videos = encode_previews(
        {"before": clip, "after": stylized}, (0, COMPARED_FRAMES), most_bytes=_MOST_BYTES
    )
    if preview_videos is None:
        raise UsageError("one frame of the clip is too large to be compared on the page")
    content = {
        name: base64.b64encode(preview_video).decode()
        for name, preview_video in preview_videos.content.items()
    }
    path.write_text(json.dumps({"size": preview_videos.size, **content}))
    return len(preview_videos.seconds)
