"""The image job: a photo painted after a painting, changing while it is looked at."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vidstyle.app.choices import Network
from vidstyle.app.desk import MakeTask
from vidstyle.app.job_queue import Job
from vidstyle.app.page.look import columns, draw_nothing_yet
from vidstyle.app.page.progress import draw_button, draw_job
from vidstyle.app.page.sources import Chosen, draw_image_source, draw_small
from vidstyle.app.page.tab_session import desk
from vidstyle.app.studio import current
from vidstyle.app.tasks import IMAGE, ImageTask

STEPS = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700),
    *(1000, 1500, 2000, 3000, 5000, 7000, 10_000),
)
_LAYERS = ("Grain", "Strokes", "Shapes", "Large forms")
_WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_SMOOTHNESS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def draw_image_tab() -> None:
    choices = current().choices
    left, right = columns()
    with left:
        photo = draw_image_source("Photo", "Use your own photo", "photo", choices.images)
        style_image = draw_image_source(
            "Painting", "Use your own painting", "style_image", choices.style_images
        )
        make = _draw_settings(photo, style_image)
        draw_button("Paint", "image", make, "primary")
    with right:
        result, sources = st.columns([3, 1])
    with result:
        draw_job("image", _draw_image)
        if desk().job("image") is None:
            draw_nothing_yet(
                "Press <b>Paint</b> and watch the image change."
                if photo and style_image
                else "Choose a photo and a painting."
            )
    with sources:
        draw_small(photo, "Photo")
        draw_small(style_image, "Painting")


def _draw_settings(photo: Chosen | None, style_image: Chosen | None) -> MakeTask | None:
    """The controls below the sources; the task that they make, where it can be made."""
    steps = st.select_slider("Steps", STEPS, value=20, help="More steps paint further.")
    size = st.slider("Size", 100, 1000, 500, step=20, help="Longer side, in pixels.")
    with st.expander("Fine tuning"):
        strength = st.slider("Strength", 0.0, 1.0, 1.0, help="0 shows the photo, 1 the painting.")
        style_weight = st.select_slider("Style against content", _WEIGHTS, value=1.0)
        variation = st.select_slider("Smoothness", _SMOOTHNESS, value=0.01)
        st.caption("What to take from the painting")
        layers = tuple(
            column.slider(title, 0.0, 2.0, 1.0, step=0.1)
            for title, column in zip(_LAYERS, [*st.columns(2), *st.columns(2)], strict=True)
        )
        network = _draw_network()
        if not any(layers):
            st.error("Take something from the painting: all four are 0.")
    if photo is None or style_image is None or not any(layers):
        return None

    def make(folder: Path) -> ImageTask:
        return ImageTask(
            folder=folder,
            content=photo.path,
            style_image=style_image.path,
            steps=steps,
            size=size,
            backbone=network.name,
            layer_weights=layers,
            style_weight=style_weight,
            variation=variation,
            strength=strength,
        )

    return make


def _draw_network() -> Network:
    networks = current().choices.networks
    number = st.selectbox(
        "Network", range(len(networks)), format_func=lambda index: _described(networks[index])
    )
    return networks[number]


def _described(network: Network) -> str:
    if network.is_here:
        return network.name
    return f"{network.name} (downloads {network.mebibytes:.0f} MB first)"


def _draw_image(job: Job) -> None:
    path = job.task.folder / IMAGE
    if not path.is_file():
        return
    content = path.read_bytes()
    st.image(content)
    if job.status.ended:
        st.download_button(
            "Download",
            content,
            "painted.png",
            "image/png",
            key="image-download",
            on_click="ignore",
        )
