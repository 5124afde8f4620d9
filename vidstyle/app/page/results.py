"""Results on the page: each stays, with what it was made of, until somebody removes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import streamlit as st

from vidstyle.app.captions import caption, file_name
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.progress import current_desk
from vidstyle.app.plain_text import plain

Content: TypeAlias = bytes | Callable[[], bytes]


def draw_caption(job: PageJob, *more: str) -> None:
    """What the result was made of, and what else is known of it."""
    st.caption(plain(" · ".join((caption(job.task.chosen), *more))))


def draw_keeping(
    job: PageJob, content: Content, suffix: str, media: str
) -> st.delta_generator.DeltaGenerator:
    """Buttons below a result: download it, remove it. Returns the row, which has room for more."""
    name, row = job.task.folder.name, st.container(horizontal=True)
    with row:
        st.download_button(
            "Download",
            content,
            file_name(job.task.chosen, suffix),
            media,
            key=f"download-{name}",
            on_click="ignore",
            type="primary",
        )
        draw_remove(job)
    return row


def draw_remove(job: PageJob) -> None:
    """A button that removes a result for good."""
    key = f"remove-{job.task.folder.name}"
    st.button("Remove", key=key, on_click=current_desk().remove, args=(job,))
