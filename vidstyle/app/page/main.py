"""The script that Streamlit runs for each change on the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vidstyle.app.page.clip_tab import draw_clip_tab
from vidstyle.app.page.image_tab import draw_image_tab

_STYLE = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def draw() -> None:
    """Draw the whole page."""
    st.set_page_config(page_title="vidstyle", layout="wide")
    _draw_head()
    image, clip = st.tabs(["Image", "Video"])
    with image:
        draw_image_tab()
    with clip:
        draw_clip_tab()


def _draw_head() -> None:
    st.html(f"<style>{_STYLE}</style>")
    st.html(
        '<header class="vidstyle"><h1>vidstyle</h1>'
        "<p>Stylizes photos and videos on this machine. Nothing leaves it.</p></header>"
    )


draw()
