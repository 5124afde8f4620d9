"""The video job: try frames, stylize the clip, compare, evaluate, download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from vidstyle.app.choices import ListEntry
from vidstyle.app.desk import MakeTask, Upload
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.progress import (
    columns,
    current_desk,
    draw_button,
    draw_job,
    draw_nothing_yet,
)
from vidstyle.app.page.sources import CLIP_TYPES, IMAGE_TYPES, draw_upload
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.app.tasks import (
    COMPARED_FRAMES,
    COMPARISON,
    EVALUATED_FRAMES,
    REPORT,
    STYLIZED,
    ClipChoices,
    JsonLine,
    Task,
    clip_task,
    evaluation_task,
    preview_task,
)

# Of a video that Streamlit may keep in memory, to play it or for a download.
_MOST_KEPT_BYTES = 64 * 2**20
_LEARNED_FIRST = "The style is learned from the image first: that takes minutes, once."


def draw_clip_tab() -> None:
    choices = current().choices
    left, right = columns()
    with left:
        clip = draw_upload("Video", "clip", CLIP_TYPES, "clip")
        style = _draw_style(choices.styles, choices.style_images)
        pipeline = _draw_pipeline(choices.pipelines)
        chosen = None
        if clip is not None:
            chosen = ClipChoices(clip=clip.path, pipeline=pipeline.path, style=style)
        draw_button("Try three frames", "preview", _maker(preview_task, chosen), "secondary")
        draw_button("Stylize the video", "clip", _maker(clip_task, chosen), "primary")
    with right:
        if clip is None and current_desk().job("clip") is None:
            draw_nothing_yet("Choose a video: <b>Try three frames</b> is quick.")
            return
        if current_desk().job("preview"):
            with st.expander("Single frames", expanded=current_desk().job("clip") is None):
                draw_job("preview", _draw_preview)
        draw_job("clip", _draw_clip)
        _draw_afterwards()
        if clip and current_desk().job("preview") is None and current_desk().job("clip") is None:
            _draw_player(clip)


def _draw_player(clip: Upload) -> None:
    if clip.path.stat().st_size <= _MOST_KEPT_BYTES:
        st.video(str(clip.path), muted=True)
    else:
        draw_nothing_yet("The video is here: <b>Try three frames</b> is quick.")


def _draw_style(styles: tuple[ListEntry, ...], images: tuple[ListEntry, ...]) -> Path:
    """A style, or an image that it is learned from; an upload wins."""
    learned = tuple(replace(image, about=_LEARNED_FIRST) for image in images)
    chosen = _draw_choice("Style", (*styles, *learned))
    with st.expander("Learn a style from your own image"):
        upload = draw_upload("Image", "clip_style", IMAGE_TYPES, "image")
        st.caption(_LEARNED_FIRST)
    return upload.path if upload else chosen.path


def _draw_choice(label: str, choices: tuple[ListEntry, ...]) -> ListEntry:
    number = st.selectbox(
        label, range(len(choices)), format_func=lambda index: choices[index].title
    )
    st.caption(plain(choices[number].about))
    return choices[number]


def _draw_pipeline(choices: tuple[ListEntry, ...]) -> ListEntry:
    number = st.radio(
        "How",
        range(len(choices)),
        format_func=lambda index: plain(choices[index].title),
        captions=[plain(choice.about) for choice in choices],
    )
    return choices[number or 0]


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


def _draw_clip(job: PageJob) -> None:
    if job.status.state != "done":
        return
    st.iframe((job.task.folder / COMPARISON).read_text(encoding="utf-8"))
    if (job.status.result or {}).get("frames") == COMPARED_FRAMES:
        st.caption(f"Compared by the first {COMPARED_FRAMES} frames.")


def _draw_afterwards() -> None:
    """Below a stylized clip: its download, and its evaluation."""
    job = current_desk().job("clip")
    if job is None or job.status.state != "done":
        return
    stylized, chosen = job.task.folder / STYLIZED, job.task.chosen
    assert isinstance(chosen, ClipChoices)

    def make(folder: Path) -> Task:
        return evaluation_task(folder, chosen, stylized)

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
        draw_button("Evaluate", "evaluation", make, "secondary")
    draw_job("evaluation", _draw_report)


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
    page = (job.task.folder / REPORT).read_text(encoding="utf-8")
    with st.expander("Report", expanded=True):
        st.iframe(page, height=600)
    st.download_button(
        "Download the report",
        page,
        REPORT,
        "text/html",
        key="report-download",
        on_click="ignore",
    )


def _summary(result: JsonLine) -> str:
    """``Removes 54 % of the flicker and keeps 91 % of the sharpness.``"""
    [clip] = result["clips"].values()
    scores = clip["scores"]
    removed, kept = scores.get("warping_error_reduction"), scores.get("sharpness")
    parts = [
        f"{word} {max(0, value):.0%} of the {what}".replace("%", " %")
        for word, value, what in (("removes", removed, "flicker"), ("keeps", kept, "sharpness"))
        if value is not None
    ]
    return f"{' and '.join(parts).capitalize()} (the first {EVALUATED_FRAMES} frames at most)."
