"""A job on the page: its button and its state, beside what both tabs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vidstyle.app.desk import Desk, MakeTask
from vidstyle.app.job_queue import BusyError, PageJob
from vidstyle.app.plain_text import plain
from vidstyle.app.status import Status
from vidstyle.app.studio import current
from vidstyle.app.tasks import Slot

# A photo takes about a second: a job that has ended must not look as if it ran on.
_DRAWN_EVERY_SECONDS = 0.3
_MEGABYTE = 2**20
ButtonKind = Literal["primary", "secondary"]
DrawFiles = Callable[[PageJob], None]
"""Draws what a job has written so far."""


def current_desk() -> Desk:
    """The desk of the tab that is drawn."""
    context = get_script_run_ctx()
    assert context is not None  # only Streamlit draws the page
    return current().desk(context.session_id)


def columns() -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator]:
    """Where things are chosen, and where results are shown."""
    left, right = st.columns([1, 2], gap="large")
    return left, right


def draw_nothing_yet(text: str) -> None:
    """A text in place of results."""
    st.html(f'<div class="nothing-yet"><span>{text}</span></div>')


def draw_button(label: str, slot: Slot, make: MakeTask | None, kind: ButtonKind) -> None:
    """Starts a job, or stops the one that runs; without a task nothing can start."""
    job = current_desk().job(slot)
    if job and not job.status.ended:
        draw_stop(job)
    else:
        draw_start(label, slot, make, kind, key=f"{slot}-begin")


def draw_start(
    label: str,
    slot: Slot,
    make: MakeTask | None,
    kind: ButtonKind,
    *,
    key: str,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Starts a job, whatever else the slot has."""
    clicked = st.button(label, key=key, type=kind, disabled=make is None, width=width)
    if clicked and make is not None:
        try:
            current_desk().begin(slot, make)
        except BusyError as error:
            st.warning(plain(str(error)))
        else:
            st.rerun()


def draw_stop(job: PageJob, place: str = "") -> None:
    """Stops a job, which the page may show in several places."""
    key = f"stop-{place}-{job.task.folder.name}"
    st.button("Stop", key=key, on_click=current_desk().stop, args=(job,), width="stretch")


def draw_job(job: PageJob, draw_files: DrawFiles) -> None:
    """A job, drawn again and again until it has ended."""
    if not job.status.ended:
        _draw_running(job, draw_files)
        return
    draw_files(job)
    if job.status.state == "failed":
        st.error(plain(current_desk().with_names(job.status.error)))
    if job.status.state == "stopped":
        st.info("Stopped.")
    for note in job.status.notes:
        st.caption(plain(current_desk().with_names(note)))


@st.fragment(run_every=_DRAWN_EVERY_SECONDS)
def _draw_running(job: PageJob, draw_files: DrawFiles) -> None:
    if job.status.ended:
        # The rest of the page has another look now.
        st.rerun()
    before = current_desk().position(job)
    if before:
        jobs = "1 job is" if before == 1 else f"{before} jobs are"
        st.info(f"Waiting: {jobs} before yours.")
        return
    status = job.status
    st.progress(status.fraction or 0.0, text=status_line(status))
    draw_files(job)


def status_line(status: Status) -> str:
    """``Stylizing: 12 of 120, 8.1 a second, 0:13 left``."""
    parts = _megabytes(status) if status.counts_bytes else _counts(status)
    if status.seconds_left is not None:
        left = round(status.seconds_left)
        parts.append(f"{left // 60}:{left % 60:02} left")
    title = "Learning the style" if status.learning else status.title or "Starting"
    return f"{title}: {', '.join(parts)}" if parts else f"{title} …"


def _counts(status: Status) -> list[str]:
    parts = []
    if status.done:
        parts.append(f"{status.done} of {status.total}" if status.total else f"{status.done}")
    if status.rate:
        slow = status.rate < 1
        parts.append(f"{1 / status.rate:.1f} s each" if slow else f"{status.rate:.1f} a second")
    return parts


def _megabytes(status: Status) -> list[str]:
    whole = f" of {status.total / _MEGABYTE:.0f}" if status.total else ""
    parts = [f"{status.done / _MEGABYTE:.0f}{whole} MiB"]
    if status.rate:
        parts.append(f"{status.rate / _MEGABYTE:.1f} MiB a second")
    return parts
