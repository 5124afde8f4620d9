"""A network that is not on this machine: what it takes to get it, asked for before it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vidstyle.app.choices import NetworkWeights
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.progress import current_desk, draw_job, draw_start, draw_stop
from vidstyle.app.plain_text import plain
from vidstyle.app.tasks import Task, download_task


def draw_missing_network(network: NetworkWeights, purpose: str, key: str) -> None:
    """What would be downloaded, and a button that does so; or the download that runs."""
    job = current_desk().job("download")
    if job and not job.status.ended:
        draw_job(job, _draw_no_files)
        draw_stop(job, key)
        return
    st.markdown(
        f"{purpose} needs the network **{network.name}**, which is not on this machine:"
        f" **{network.mebibytes:.0f} MiB** from {network.server}, once."
    )
    if job:
        _draw_outcome(job)

    def make(folder: Path) -> Task:
        return download_task(folder, network.name)

    label = f"Download {network.name} ({network.mebibytes:.0f} MiB)"
    draw_start(label, "download", make, "secondary", key=key)


def _draw_outcome(job: PageJob) -> None:
    """Why the last download has not brought the network."""
    if job.status.state == "failed":
        st.error(f"{job.task.chosen} was not downloaded. Trained styles work without it.")
        st.caption(plain(job.status.error))
    if job.status.state == "stopped":
        st.info("Stopped. The next download resumes there.")


def _draw_no_files(job: PageJob) -> None:
    """A download has nothing to show."""
