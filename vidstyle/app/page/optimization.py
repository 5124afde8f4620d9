"""A photo after any style image, by optimization: its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import streamlit as st

from vidstyle.app.choices import NetworkWeights, find_loss_networks
from vidstyle.app.desk import MakeTask
from vidstyle.app.page.network import draw_missing_network
from vidstyle.app.page.sources import ChosenFile, draw_source
from vidstyle.app.studio import current
from vidstyle.app.tasks import ImageChoices, Task, image_task
from vidstyle.models.loss.backbone_table import BackboneName
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


def draw_optimization(photo: ChosenFile | None) -> MakeTask | None:
    """The style image and the settings; the task that follows, where there can be one."""
    style_image = draw_source("Style image", "style_image", current().choices.style_images, "image")
    backbone, network = _draw_network()
    if not network.is_here:
        draw_missing_network(network, "Optimization", "download-for-image")
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
        if not any(layers):
            st.error("Take something from the style image: all four are 0.")
    if photo is None or style_image is None or not any(layers) or not network.is_here:
        return None

    chosen = ImageChoices(
        content=photo.path,
        content_name=photo.name,
        style_image=style_image.path,
        style_name=style_image.name,
        steps=steps,
        size=size,
        backbone=backbone,
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


def _draw_network() -> tuple[BackboneName, NetworkWeights]:
    networks = find_loss_networks()
    # By name: the order changes when weights arrive, and the choice must not.
    name = st.selectbox(
        "Loss network",
        list(networks),
        format_func=lambda name: _described(networks[name]),
        key="network",
    )
    return name, networks[name]


def _described(network: NetworkWeights) -> str:
    if network.is_here:
        return network.name
    return f"{network.name} (a download of {network.mebibytes:.0f} MiB)"
