"""A photo in a trained style: its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from vidstyle.app.choices import ListEntry
from vidstyle.app.desk import MakeTask
from vidstyle.app.page.sources import ChosenFile
from vidstyle.app.photo_task import photo_task
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.app.tasks import PhotoChoices, Task

StrokeSize = float | Literal["auto"]
_STROKES: tuple[StrokeSize, ...] = ("auto", 0.5, 1.0, 2.0, 4.0, 8.0)
_SIZES: tuple[int | None, ...] = (480, 720, 1080, 1440, 2160, None)
_FIRST_SIZE = 1080


def draw_trained_style(photo: ChosenFile | None) -> MakeTask | None:
    """The style and the settings; the task that follows, where there can be one."""
    style = draw_choice("Style", current().choices.styles, "image-style")
    with st.expander("Strength, strokes and colors"):
        strength = st.slider("Strength", 0.0, 1.0, 1.0, 0.05, key="image-strength")
        stroke_size = st.select_slider(
            "Stroke size",
            _STROKES,
            key="image-strokes",
            help="auto: as large, relative to the photo, as the style was trained for."
            " 1: as large in pixels.",
        )
        keep_colors = st.toggle("Keep the colors of the photo", key="image-colors")
        size = st.select_slider(
            "Shorter side at most",
            _SIZES,
            value=_FIRST_SIZE,
            format_func=lambda pixels: "as it is" if pixels is None else f"{pixels} pixels",
            key="image-size",
        )
    if photo is None:
        return None

    chosen = PhotoChoices(
        content=photo.path,
        content_name=photo.name,
        style=style.path,
        style_name=style.title,
        strength=strength,
        stroke_size=stroke_size,
        keep_colors=keep_colors,
        size=size,
    )

    def make(folder: Path) -> Task:
        return photo_task(folder, chosen)

    return make


def draw_choice(label: str, choices: tuple[ListEntry, ...], key: str) -> ListEntry:
    """A list, and a sentence on what is chosen."""
    number = st.selectbox(
        label, range(len(choices)), format_func=lambda index: choices[index].title, key=key
    )
    st.caption(plain(choices[number].about))
    return choices[number]
