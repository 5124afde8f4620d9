"""What a run makes, in a few words: its pipeline and the style."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidstyle.runner.config.pipeline import Pipeline, StageEntry


def run_title(pipeline: Pipeline) -> str:
    """Name a pipeline and the styles that it is set to.

    Args:
        pipeline: As the user wrote it: with images where styles are learned from them.

    Returns:
        ``temporal, style great-wave``; the name alone where no stage has a style.
    """
    styles = [_style_words(entry) for entry in pipeline.stages if entry.kind == "stylize"]
    named = [words for words in styles if words]
    return ", ".join([pipeline.path.stem, *(f"style {words}" for words in named)])


def _style_words(entry: StageEntry) -> str:
    """``great-wave``, ``great-wave 0.7 and mosaic 0.3``, ``great-wave, then mosaic``."""
    frames = entry.keyframes.get("style")
    if frames is None:
        return _mix_words(getattr(entry.options, "style", None))
    return ", then ".join(dict.fromkeys(_mix_words(value) for _, value in frames.points))


def _mix_words(style: Any) -> str:
    if not style:
        return ""
    if isinstance(style, Mapping):
        used = {name: weight for name, weight in style.items() if weight}
        if len(used) == 1:
            return _mix_words(next(iter(used)))
        return " and ".join(f"{_mix_words(name)} {weight:g}" for name, weight in used.items())
    if isinstance(style, list | tuple):
        return " and ".join(map(_mix_words, style))
    return Path(str(style)).name.removesuffix(".safetensors")
