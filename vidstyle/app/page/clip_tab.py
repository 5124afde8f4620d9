"""The video job: try frames, stylize the clip, compare, evaluate, download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from vidstyle.app.captions import file_name
from vidstyle.app.choices import ListEntry, find_flow_network, find_learning_network
from vidstyle.app.desk import MakeTask
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.network import draw_missing_network
from vidstyle.app.page.progress import (
    columns,
    current_desk,
    draw_button,
    draw_job,
    draw_nothing_yet,
    draw_start,
    draw_stop,
)
from vidstyle.app.page.results import draw_caption, draw_keeping, draw_remove
from vidstyle.app.page.sources import IMAGE_TYPES, ChosenFile, draw_source, draw_upload
from vidstyle.app.page.trained_style import draw_choice
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.app.tasks import (
    COMPARED_FRAMES,
    COMPARISON,
    EVALUATED_FRAMES,
    REPORT,
    ClipChoices,
    JsonLine,
    Task,
    clip_task,
    evaluation_task,
    preview_task,
)
from vidstyle.core.errors import InputError
from vidstyle.evaluation.scores import summarize_scores
from vidstyle.models.style.styles import is_image
from vidstyle.training.style_cache import find_image_style

# Of a video that Streamlit may keep in memory, to play it or for a download.
_MOST_KEPT_BYTES = 64 * 2**20
_LEARNED_FIRST = "The style is learned from the image first: that takes minutes, once."


def draw_clip_tab() -> None:
    choices = current().choices
    left, right = columns()
    with left:
        clip = draw_source("Video", "clip", choices.clips, "clip")
        style = _draw_style(choices.styles, choices.learnable)
        pipeline = draw_choice("How", choices.pipelines, "pipeline")
        chosen = None
        if clip is not None and style is not None and _has_network(pipeline):
            chosen = ClipChoices(
                clip=clip.path,
                clip_name=clip.name,
                pipeline=pipeline.path,
                pipeline_name=pipeline.title,
                style=style.path,
                style_name=style.name,
            )
        first, second = st.columns(2, gap="small")
        with first:
            draw_button("Try three frames", "preview", _maker(preview_task, chosen), "secondary")
        with second:
            draw_button("Stylize the video", "clip", _maker(clip_task, chosen), "primary")
    with right:
        clips, previews = current_desk().jobs("clip"), current_desk().jobs("preview")
        if previews:
            with st.expander("Single frames", expanded=not clips):
                for job in previews:
                    draw_job(job, _draw_preview)
        if clips:
            _draw_clips(clips)
        if clip is None and not clips:
            draw_nothing_yet("Choose a video: <b>Try three frames</b> is quick.")
        elif clip is not None and not previews and not any(job.task.result() for job in clips):
            _draw_player(clip)


def _draw_player(clip: ChosenFile) -> None:
    if clip.path.stat().st_size <= _MOST_KEPT_BYTES:
        st.video(str(clip.path), muted=True)
        st.caption(f"{plain(clip.name)}: Try three frames takes seconds.")
    else:
        draw_nothing_yet("The video is here: <b>Try three frames</b> is quick.")


def _draw_style(styles: tuple[ListEntry, ...], images: tuple[ListEntry, ...]) -> ChosenFile | None:
    """A style, or an image that it is learned from; an upload wins. None where it cannot be."""
    learned = tuple(replace(image, about=_LEARNED_FIRST) for image in images)
    listed = draw_choice("Style", (*styles, *learned), "clip-style")
    with st.expander("Learn a style from your own image"):
        upload = draw_upload("Image", "clip_style", IMAGE_TYPES, "image")
        st.caption(_LEARNED_FIRST)
    chosen = (
        ChosenFile(upload.name, upload.path) if upload else ChosenFile(listed.title, listed.path)
    )
    return chosen if not is_image(str(chosen.path)) or _can_learn(chosen) else None


def _can_learn(image: ChosenFile) -> bool:
    """Whether a style is, or can be, learned from an image; what is missing is shown."""
    network = find_learning_network()
    try:
        if network.is_here or find_image_style([image.path]).is_learned():
            return True
    except InputError as error:
        st.error(plain(current_desk().with_names(str(error))))
        return False
    draw_missing_network(network, "Learning a style", "download-for-clip")
    return False


def _has_network(pipeline: ListEntry) -> bool:
    """Whether all is here that a pipeline computes flow with; what is missing is shown."""
    network = find_flow_network(pipeline.path)
    if network is None or network.is_here:
        return True
    draw_missing_network(network, plain(pipeline.title), "download-for-flow")
    return False


def _maker(
    make: Callable[[Path, ClipChoices], Task], chosen: ClipChoices | None
) -> MakeTask | None:
    if chosen is None:
        return None
    return lambda folder: make(folder, chosen)


def _draw_preview(job: PageJob) -> None:
    frames = sorted(job.task.folder.glob("frame-*/*.png"))
    for path, column in zip(frames, st.columns(3), strict=False):
        number = int(path.parent.name.removeprefix("frame-"))
        column.image(path.read_bytes(), caption=f"frame {number}")
    if job.status.ended and frames:
        draw_caption(job)
        draw_remove(job)


def _draw_clips(jobs: tuple[PageJob, ...]) -> None:
    """The last clip, and below it the earlier results."""
    last, *earlier = jobs
    draw_job(last, _draw_comparison)
    _draw_kept_clip(last)
    if earlier:
        st.markdown("**Earlier results**")
    for job in earlier:
        with st.container(border=True):
            # Its page holds both videos: it is not sent again and again unless it is looked at.
            if st.toggle("Show", key=f"show-{job.task.folder.name}"):
                _draw_comparison(job)
            _draw_kept_clip(job)


def _draw_comparison(job: PageJob) -> None:
    page = job.task.folder / COMPARISON
    if job.status.state != "done":
        return
    st.iframe(page.read_text(encoding="utf-8"))
    if (job.status.result or {}).get("frames") == COMPARED_FRAMES:
        st.caption(f"Compared by the first {COMPARED_FRAMES} frames.")


def _draw_kept_clip(job: PageJob) -> None:
    """Below a stylized clip: what it was made of, its download, and its evaluation."""
    stylized, chosen = job.task.result(), job.task.chosen
    assert isinstance(chosen, ClipChoices)
    if stylized is None or not job.status.ended:
        return
    draw_caption(job)
    row = draw_keeping(job, _content(stylized), stylized.suffix, "video/mp4")
    evaluation = current_desk().reader("evaluation", stylized)
    if evaluation is None or evaluation.status.state in ("failed", "stopped"):

        def make(folder: Path) -> Task:
            return evaluation_task(folder, chosen, stylized)

        key = f"evaluate-{job.task.folder.name}"
        with row:
            draw_start("Evaluate", "evaluation", make, "secondary", key=key, width="content")
    elif not evaluation.status.ended:
        draw_stop(evaluation)
    if evaluation is not None:
        draw_job(evaluation, _draw_report)


def _content(stylized: Path) -> bytes | Callable[[], bytes]:
    """The content of a download; read at the click where it is large.

    That has another address in each run of the page, and a click between two runs is lost.
    """
    if stylized.stat().st_size <= _MOST_KEPT_BYTES:
        return stylized.read_bytes()
    return stylized.read_bytes


def _draw_report(job: PageJob) -> None:
    if job.status.state != "done":
        return
    st.markdown(f"**{plain(_summary(job.status.result or {}))}**")
    evaluated = job.task.chosen
    page = (job.task.folder / REPORT).read_text(encoding="utf-8")
    with st.expander("Report", expanded=True):
        st.iframe(page, height=600)
    st.download_button(
        "Download the report",
        page,
        file_name(evaluated, "-flicker.html"),
        "text/html",
        key=f"report-{job.task.folder.name}",
        on_click="ignore",
    )


def _summary(result: JsonLine) -> str:
    """``Removes 54 % of the flicker and keeps 91 % of the sharpness (…).``"""
    [clip] = result["clips"].values()
    gains = summarize_scores(clip["scores"]).capitalize()
    return f"{gains} (the first {EVALUATED_FRAMES} frames at most)."
