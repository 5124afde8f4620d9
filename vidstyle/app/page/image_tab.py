"""The image job: a photo in a trained style at once, or after any style image step by step."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vidstyle.app.desk import MakeTask
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.optimization import draw_optimization
from vidstyle.app.page.progress import (
    columns,
    current_desk,
    draw_button,
    draw_job,
    draw_nothing_yet,
)
from vidstyle.app.page.results import draw_caption, draw_keeping
from vidstyle.app.page.sources import ChosenFile, draw_image_file, draw_source
from vidstyle.app.page.trained_style import draw_trained_style
from vidstyle.app.studio import current
from vidstyle.app.tasks import PREVIEWS
from vidstyle.imaging.image_size import image_size

_METHODS = {
    "A trained style": "About a second, without a network connection.",
    "Any style image": "By optimization: from seconds to minutes.",
}
_EARLIER_ACROSS = 3


def draw_image_tab() -> None:
    left, right = columns()
    with left:
        photo = draw_source("Photo", "photo", current().choices.images, "image")
        make = _draw_method(photo)
        draw_button("Stylize", "image", make, "primary")
    with right:
        jobs = current_desk().jobs("image")
        if jobs:
            _draw_results(jobs, photo)
        else:
            _draw_before(photo)


def _draw_method(photo: ChosenFile | None) -> MakeTask | None:
    """How it is stylized; the task that follows, where there can be one."""
    titles = list(_METHODS)
    trained = titles[0] == st.radio("How", titles, captions=list(_METHODS.values()), key="method")
    return draw_trained_style(photo) if trained else draw_optimization(photo)


def _draw_before(photo: ChosenFile | None) -> None:
    if photo is None:
        draw_nothing_yet("Choose a photo.")
        return
    draw_image_file(photo, f"{photo.name}: press Stylize.", width="content")


def _draw_results(jobs: tuple[PageJob, ...], photo: ChosenFile | None) -> None:
    """The last job beside the photo that the next one takes, and below it the earlier results."""
    last, *earlier = jobs
    result, source = st.columns([3, 1])
    with result:
        draw_job(last, _draw_image)
    with source:
        if photo is not None:
            draw_image_file(photo, photo.name)
    if earlier:
        st.markdown("**Earlier results**")
        columns = st.columns(_EARLIER_ACROSS)
        for number, job in enumerate(earlier):
            with columns[number % _EARLIER_ACROSS]:
                _draw_image(job)


def _draw_image(job: PageJob) -> None:
    content = _latest_image(job)
    if content is None:
        return
    st.image(content)
    size = image_size(content)
    draw_caption(job, *([f"{size[0]}x{size[1]}"] if size else []))
    if job.status.ended:
        draw_keeping(job, content, ".png", "image/png")


def _latest_image(job: PageJob) -> bytes | None:
    """The result, or the image so far; None before the first step. Earlier previews are removed."""
    path: Path | None = job.task.result()
    for preview in sorted((job.task.folder / PREVIEWS).glob("step-*.png"))[:-1]:
        preview.unlink(missing_ok=True)
    return None if path is None else path.read_bytes()
