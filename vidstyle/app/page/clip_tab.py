"""The video job: try frames, paint the clip, compare, look for flicker, take it home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from vidstyle.app.choices import Choice
from vidstyle.app.comparison import comparison_page
from vidstyle.app.desk import MakeTask
from vidstyle.app.job_queue import Job
from vidstyle.app.page.look import columns, draw_nothing_yet
from vidstyle.app.page.progress import draw_button, draw_job
from vidstyle.app.page.sources import CLIP_TYPES, draw_upload
from vidstyle.app.page.tab_session import desk
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.app.tasks import (
    PREVIEW_VIDEOS,
    REPORT,
    STYLIZED,
    ClipTask,
    FlickerTask,
    PreviewTask,
    Task,
)
from vidstyle.app.uploads import Upload

_MOST_HELD_BYTES = 64 * 2**20
"""Of a video that Streamlit may hold in memory, to play it or to hand it out."""


def draw_clip_tab() -> None:
    choices = current().choices
    left, right = columns()
    with left:
        clip = draw_upload("Video", "clip", CLIP_TYPES, "clip")
        style = _draw_choice("Style", choices.styles)
        pipeline = _draw_pipeline(choices.pipelines)
        draw_button(
            "Try three frames", "preview", _task(PreviewTask, clip, style, pipeline), "secondary"
        )
        draw_button("Paint the video", "clip", _task(ClipTask, clip, style, pipeline), "primary")
    with right:
        if clip is None and desk().job("clip") is None:
            draw_nothing_yet("Choose a video: <b>Try three frames</b> is quick.")
            return
        if desk().job("preview"):
            with st.expander("Single frames", expanded=desk().job("clip") is None):
                draw_job("preview", _draw_preview)
        draw_job("clip", _draw_clip)
        _draw_afterwards()
        if clip and desk().job("preview") is None and desk().job("clip") is None:
            _draw_player(clip)


def _draw_player(clip: Upload) -> None:
    if clip.path.stat().st_size <= _MOST_HELD_BYTES:
        st.video(str(clip.path), muted=True)
    else:
        draw_nothing_yet("The video is here: <b>Try three frames</b> is quick.")


def _draw_choice(label: str, choices: tuple[Choice, ...]) -> Choice:
    number = st.selectbox(
        label, range(len(choices)), format_func=lambda index: choices[index].title
    )
    st.caption(plain(choices[number].about))
    return choices[number]


def _draw_pipeline(choices: tuple[Choice, ...]) -> Choice:
    number = st.radio(
        "How",
        range(len(choices)),
        format_func=lambda index: plain(choices[index].title),
        captions=[plain(choice.about) for choice in choices],
    )
    return choices[number or 0]


def _task(
    sort: type[PreviewTask] | type[ClipTask],
    clip: Upload | None,
    style: Choice,
    pipeline: Choice,
) -> MakeTask | None:
    if clip is None:
        return None

    def make(folder: Path) -> Task:
        return sort(folder=folder, clip=clip.path, pipeline=pipeline.path, style=style.path)

    return make


def _draw_preview(job: Job) -> None:
    for made, column in zip(job.status.made, st.columns(3), strict=False):
        column.image((job.task.folder / made.name).read_bytes(), caption=made.caption)


def _draw_clip(job: Job) -> None:
    if job.status.state != "done":
        return
    preview_videos = job.task.folder / PREVIEW_VIDEOS
    st.iframe(comparison_page(preview_videos))


def _draw_afterwards() -> None:
    """Below a painted clip: taking it home, and how steady it is."""
    job = desk().job("clip")
    if job is None or job.status.state != "done" or not isinstance(job.task, ClipTask):
        return
    task = job.task
    stylized = task.folder / STYLIZED

    def make(folder: Path) -> FlickerTask:
        return FlickerTask(
            folder=folder,
            clip=task.clip,
            pipeline=task.pipeline,
            style=task.style,
            stylized=stylized,
        )

    first, second = st.columns(2)
    with first:
        st.download_button(
            "Download",
            _content(stylized),
            STYLIZED,
            "video/mp4",
            key="clip-download",
            on_click="ignore",
            type="primary",
            width="stretch",
        )
    with second:
        draw_button("Measure flicker", "flicker", make, "secondary")
    draw_job("flicker", _draw_report)


def _content(stylized: Path) -> bytes | Callable[[], bytes]:
    """What a download hands out; read at the click where it is large.

    That has an address of its own in each run of the page, and a click between two runs is lost.
    """
    if stylized.stat().st_size <= _MOST_HELD_BYTES:
        return stylized.read_bytes()
    return stylized.read_bytes


def _draw_report(job: Job) -> None:
    if job.status.state != "done":
        return
    [made] = job.status.made
    st.markdown(f"**{plain(made.caption)}**" if made.caption else "")
    page = (job.task.folder / REPORT).read_text(encoding="utf-8")
    with st.expander("Flicker report", expanded=True):
        st.iframe(page, height=600)
    st.download_button(
        "Download the report",
        page,
        "flicker.html",
        "text/html",
        key="report-download",
        on_click="ignore",
    )
