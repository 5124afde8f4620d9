"""The image job: a photo is stylized after a style image, step by step on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import streamlit as st

from vidstyle.app.choices import LossNetwork
from vidstyle.app.desk import MakeTask
from vidstyle.app.job_queue import PageJob
from vidstyle.app.page.progress import (
    columns,
    current_desk,
    draw_button,
    draw_job,
    draw_nothing_yet,
)
from vidstyle.app.page.sources import ChosenImage, draw_image_source, draw_small
from vidstyle.app.studio import current
from vidstyle.app.tasks import IMAGE, PREVIEWS, ImageChoices, Task, image_task
from vidstyle.models.loss.loss_options import LossWeights
from vidstyle.models.optimization.options import StillOptions

Number = TypeVar("Number", int, float)

_OPTIONS = StillOptions.model_fields

# A first look takes seconds with these, and minutes with the steps of the command line.
_FIRST_STEPS = 20
# Larger images take more memory and time than somebody watches.
_LARGEST_SIZE = 1000
_STEPS = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700),
    *(1000, 1500, 2000, 3000, 5000, 7000, 10_000),
)
_LAYERS = ("Grain", "Strokes", "Shapes", "Large forms")
_WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_SMOOTHNESS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_STRUCTURE = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_WEIGHT_SLIDERS = {
    "style_weight": ("Style against content", _WEIGHTS),
    "structure_weight": ("Faces and edges", _STRUCTURE),
    "variation_weight": ("Smoothness", _SMOOTHNESS),
}
# The style's weight is relative to the content's; a photo has no previous frame.
_NO_SLIDER = ("content_weight", "range_penalty_weight", "temporal_weight")


def draw_image_tab() -> None:
    choices = current().choices
    left, right = columns()
    with left:
        photo = draw_image_source("Photo", "Use your own photo", "photo", choices.images)
        style_image = draw_image_source(
            "Style image", "Use your own style image", "style_image", choices.style_images
        )
        make = _draw_settings(photo, style_image)
        draw_button("Stylize", "image", make, "primary")
    with right:
        result, sources = st.columns([3, 1])
    with result:
        draw_job("image", _draw_image)
        if current_desk().job("image") is None:
            draw_nothing_yet(
                "Press <b>Stylize</b> and watch the image change."
                if photo and style_image
                else "Choose a photo and a style image."
            )
    with sources:
        draw_small(photo, "Photo")
        draw_small(style_image, "Style image")


def _draw_settings(photo: ChosenImage | None, style_image: ChosenImage | None) -> MakeTask | None:
    """The controls below the sources; the task that follows, where there can be one."""
    steps = _draw_stops("Steps", "steps", _STEPS, _FIRST_STEPS)
    smallest, largest = _bounds("size")
    field = _OPTIONS["size"]
    size = st.slider(
        "Size",
        int(smallest),
        min(int(largest), _LARGEST_SIZE),
        field.default,
        step=20,
        help=field.description,
    )
    with st.expander("Fine tuning"):
        field = _OPTIONS["strength"]
        strength = st.slider(
            "Strength", *_bounds("strength"), field.default, help=field.description
        )
        weights = _draw_weights()
        st.caption("What to take from the style image")
        layers = tuple(
            column.slider(title, 0.0, 2.0, 1.0, step=0.1)
            for title, column in zip(_LAYERS, [*st.columns(2), *st.columns(2)], strict=True)
        )
        network = _draw_network()
        if not any(layers):
            st.error("Take something from the style image: all four are 0.")
    if photo is None or style_image is None or not any(layers):
        return None

    chosen = ImageChoices(
        content=photo.path,
        style_image=style_image.path,
        steps=steps,
        size=size,
        backbone=network.name,
        layer_weights=layers,
        weights=weights,
        strength=strength,
    )

    def make(folder: Path) -> Task:
        return image_task(folder, chosen)

    return make


def _draw_weights() -> dict[str, float]:
    """A slider for the weight of each loss term, by option. One that is not known here is named
    after its option."""
    weights = {}
    for option in LossWeights.model_fields:
        if option not in _NO_SLIDER:
            title = option.removesuffix("_weight").replace("_", " ").capitalize()
            label, stops = _WEIGHT_SLIDERS.get(option, (title, (0.0, *_WEIGHTS)))
            weights[option] = _draw_stops(label, option, stops)
    return weights


def _draw_stops(
    label: str, option: str, stops: tuple[Number, ...], value: Number | None = None
) -> Number:
    """A slider over values of an option, its default among them."""
    bounds: tuple[float, float] = _bounds(option)
    default = _OPTIONS[option].default
    values = sorted({default, *(stop for stop in stops if bounds[0] <= stop <= bounds[1])})
    chosen: Number = st.select_slider(
        label,
        values,
        value=default if value is None else value,
        help=_OPTIONS[option].description,
    )
    return chosen


def _bounds(option: str) -> tuple[float, float]:
    """The smallest and largest value of an option."""
    found = {
        name: float(getattr(bound, name))
        for bound in _OPTIONS[option].metadata
        for name in ("ge", "le")
        if hasattr(bound, name)
    }
    return found["ge"], found["le"]


def _draw_network() -> LossNetwork:
    networks = current().choices.networks
    number = st.selectbox(
        "Network", range(len(networks)), format_func=lambda index: _described(networks[index])
    )
    return networks[number]


def _described(network: LossNetwork) -> str:
    if network.is_here:
        return network.name
    return f"{network.name} (downloads {network.mebibytes:.0f} MB first)"


def _draw_image(job: PageJob) -> None:
    content = _latest_image(job.task.folder)
    if content is None:
        return
    st.image(content)
    if job.status.ended:
        st.download_button(
            "Download",
            content,
            IMAGE,
            "image/png",
            key="image-download",
            on_click="ignore",
        )


def _latest_image(folder: Path) -> bytes | None:
    """The result, or the image so far; None before the first step. Earlier previews are removed."""
    *earlier, latest = [None, *sorted((folder / PREVIEWS).glob("step-*.png"))]
    for preview in earlier:
        if preview is not None:
            preview.unlink(missing_ok=True)
    path = folder / IMAGE if (folder / IMAGE).is_file() else latest
    return None if path is None else path.read_bytes()
