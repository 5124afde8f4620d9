"""Which curves there are, and in which drawing each belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from vidstyle.evaluation.evaluation import FIGURES, Judgement, Series
from vidstyle.report.chart import Chart, Curve

_BESIDE: Final = {
    "e_warp": {
        "source_e_warp": ("source: the floor", "floor"),
        "per_frame_e_warp": ("per frame", "alone"),
    }
}
# Series that are the same for all clips, drawn beside another one: their names and styles.
STYLES: Final = 8
"""How many clips have a line of their own colour; then colours repeat with other dashes."""


def charts_of(judgements: Mapping[str, Judgement]) -> tuple[Chart, ...]:
    """One chart for each figure that runs over time, in the order of ``FIGURES``."""
    beside = {
        name: other for other, names in _BESIDE.items() if _has(judgements, other) for name in names
    }
    return tuple(
        Chart(name, meaning, (*_clips(judgements, name), *_references(judgements, name)))
        for name, meaning in FIGURES.items()
        if _has(judgements, name) and name not in beside
    )


def _has(judgements: Mapping[str, Judgement], name: str) -> bool:
    return any(name in judgement.series for judgement in judgements.values())


def _clips(judgements: Mapping[str, Judgement], name: str) -> Iterator[Curve]:
    for number, (clip, judgement) in enumerate(judgements.items()):
        if name in judgement.series:
            dashes = f" dash{number // STYLES % 3}" if number >= STYLES else ""
            yield Curve(clip, judgement.series[name], f"c{number % STYLES}{dashes}")


def _references(judgements: Mapping[str, Judgement], name: str) -> Iterator[Curve]:
    for other, (title, style) in _BESIDE.get(name, {}).items():
        series = _first(judgements, other)
        if series is not None:
            yield Curve(title, series, style)


def _first(judgements: Mapping[str, Judgement], name: str) -> Series | None:
    found = (one.series[name] for one in judgements.values() if name in one.series)
    return next(found, None)
