"""Which curves there are, and in which drawing each belongs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from vidstyle.evaluation.scores import METRICS, Evaluation, Series
from vidstyle.report.chart import Chart, Curve

_BESIDE: Final = {
    "e_warp": {
        "source_e_warp": ("source: the floor", "floor"),
        "per_frame_e_warp": ("per frame", "alone"),
    }
}
# Series that are the same for all clips, drawn beside another one: their names and styles.
STYLES: Final = 8
"""How many clips have a line of their own color; then colors repeat with other dashes."""


def charts_of(evaluations: Mapping[str, Evaluation]) -> tuple[Chart, ...]:
    """One chart for each figure that runs over time, in the order of ``METRICS``."""
    beside = {
        name: other
        for other, names in _BESIDE.items()
        if _has(evaluations, other)
        for name in names
    }
    return tuple(
        Chart(name, meaning, (*_clips(evaluations, name), *_references(evaluations, name)))
        for name, meaning in METRICS.items()
        if _has(evaluations, name) and name not in beside
    )


def _has(evaluations: Mapping[str, Evaluation], name: str) -> bool:
    return any(name in evaluation.series for evaluation in evaluations.values())


def _clips(evaluations: Mapping[str, Evaluation], name: str) -> Iterator[Curve]:
    for number, (clip, evaluation) in enumerate(evaluations.items()):
        if name in evaluation.series:
            dashes = f" dash{number // STYLES % 3}" if number >= STYLES else ""
            yield Curve(clip, evaluation.series[name], f"c{number % STYLES}{dashes}")


def _references(evaluations: Mapping[str, Evaluation], name: str) -> Iterator[Curve]:
    for other, (title, style) in _BESIDE.get(name, {}).items():
        series = _first(evaluations, other)
        if series is not None:
            yield Curve(title, series, style)


def _first(evaluations: Mapping[str, Evaluation], name: str) -> Series | None:
    found = (one.series[name] for one in evaluations.values() if name in one.series)
    return next(found, None)
