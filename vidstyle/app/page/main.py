"""The script that Streamlit runs for each change on the page."""

from __future__ import annotations

import streamlit as st

from vidstyle.app.page.clip_tab import draw_clip_tab
from vidstyle.app.page.image_tab import draw_image_tab
from vidstyle.app.page.layout import draw_head


def draw() -> None:
    """Draw the whole page."""
    st.set_page_config(page_title="vidstyle", layout="wide")
    draw_head()
    image, clip = st.tabs(["Image", "Video"])
    with image:
        draw_image_tab()
    with clip:
        draw_clip_tab()


draw()
