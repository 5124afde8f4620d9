"""What the page's parts share: its head, its columns, and the desk of the tab."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vidstyle.app.desk import Desk
from vidstyle.app.studio import current

_STYLE = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def current_desk() -> Desk:
    """The desk of the tab that is drawn."""
    context = get_script_run_ctx()
    assert context is not None  # only Streamlit draws the page
    return current().desk(context.session_id)


def draw_head() -> None:
    st.html(f"<style>{_STYLE}</style>")
    st.html(
        '<header class="vidstyle"><h1>vidstyle</h1>'
        "<p>Stylize an image or a video after a style image.</p></header>"
    )


def columns() -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator]:
    """Where things are chosen, and where results are shown."""
    left, right = st.columns([1, 2], gap="large")
    return left, right


def draw_nothing_yet(text: str) -> None:
    """A text in place of results."""
    st.html(f'<div class="nothing-yet"><span>{text}</span></div>')
