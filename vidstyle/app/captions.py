"""What a result was made of: a line below it, and the name of its file."""

from __future__ import annotations

import re
from pathlib import Path

from vidstyle.app.tasks import Chosen, ClipChoices, ImageChoices, PhotoChoices
from vidstyle.models.optimization.options import StillOptions

_LONGEST_PART = 40


def caption(chosen: Chosen) -> str:
    """``Chelsea the cat · Mosaic · strength 0.5``: the input, the style and the settings."""
    match chosen:
        case PhotoChoices() | ImageChoices():
            parts = [chosen.content_name, chosen.style_name, *_settings(chosen)]
        case ClipChoices():
            parts = [chosen.clip_name, chosen.style_name, chosen.pipeline_name]
        case _:
            parts = [chosen]
    return " · ".join(parts)


def file_name(chosen: Chosen, suffix: str) -> str:
    """``chelsea-the-cat-mosaic-strength-0.5.png``: the same, as a name that every system takes."""
    match chosen:
        case PhotoChoices() | ImageChoices():
            parts = [_stem(chosen.content_name), _stem(chosen.style_name), *_settings(chosen)]
        case ClipChoices():
            parts = [_stem(chosen.clip_name), _stem(chosen.style_name), chosen.pipeline.stem]
        case _:
            parts = [chosen]
    return "-".join(filter(None, map(_slug, parts))) + suffix


def _settings(chosen: PhotoChoices | ImageChoices) -> list[str]:
    strength = [] if chosen.strength == 1 else [f"strength {chosen.strength:g}"]
    if isinstance(chosen, PhotoChoices):
        strokes = [] if chosen.stroke_size == "auto" else [f"strokes {chosen.stroke_size:g}"]
        return [*strength, *strokes, *(["keeps colors"] if chosen.keep_colors else [])]
    weights = [
        f"{option.removesuffix('_weight').replace('_', ' ')} {value:g}"
        for option, value in chosen.weights.items()
        if value != StillOptions.model_fields[option].default
    ]
    layers = [f"{value:g}" for value in chosen.layer_weights]
    uneven = [f"layers {' '.join(layers)}"] if len(set(layers)) > 1 else []
    return [chosen.backbone, f"{chosen.steps} steps", *strength, *weights, *uneven]


def _stem(name: str) -> str:
    """Without the suffix of a file, of which a title has none."""
    return Path(name).stem if re.search(r"\.\w{2,5}$", name) else name


def _slug(text: str) -> str:
    """Letters and digits of any script, and dots between digits."""
    words = re.findall(r"\d+\.\d+|[^\W_]+", text.lower())
    return "-".join(words)[:_LONGEST_PART].strip("-.")
