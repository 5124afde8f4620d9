"""The table of all scores: one row a metric, one column a clip, the best values marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from vidstyle.evaluation.scores import METRICS, Evaluation

Better = Literal["lower", "higher", "near 0", "up to 1"]

# By the names of ``METRICS``; those of the source and of the per-frame baseline rate no clip.
BETTER: Final[dict[str, Better]] = {
    "e_warp": "lower",
    "e_warp_long": "lower",
    "e_warp_first": "lower",
    "e_stab": "lower",
    "warping_error_reduction": "higher",
    "warping_error_reduction_long": "higher",
    "relative_warping_error": "lower",
    "ssim": "higher",
    "lpips": "lower",
    # Crisper than the per-frame baseline is no better than as crisp.
    "sharpness": "up to 1",
    "style_loss_ratio": "lower",
    "ghosting": "lower",
    "cut_bleed": "lower",
    "static_deviation": "lower",
    "luma_slope": "near 0",
    "dead_pixels": "lower",
    "dead_blobs": "lower",
}
_DIRECTIONS: Final[dict[Better, str]] = {
    "lower": "lower is better",
    "higher": "higher is better",
    "near 0": "nearer 0 is better",
    "up to 1": "up to 1, higher is better",
}
_COVERAGE: Final = (
    "fraction of the pixels that are evaluated; the others have no motion that can be followed"
)


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """One score of one clip."""

    text: str | None
    """None where it is not known."""
    best: bool = False


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One metric."""

    name: str
    meaning: str
    cells: tuple[ScoreCell, ...]


@dataclass(frozen=True, slots=True)
class ClipNote:
    """What a reader of the scores must know."""

    text: str
    clips: tuple[str, ...]
    """That it is about; empty for all."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """What the table shows."""

    clips: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    notes: tuple[ClipNote, ...]


def score_table(evaluations: Mapping[str, Evaluation]) -> ScoreTable:
    """Metrics that at least one clip has, and each note once."""
    rows = [
        _row(name, [evaluation.scores.get(name) for evaluation in evaluations.values()])
        for name in METRICS
        if any(name in evaluation.scores for evaluation in evaluations.values())
    ]
    coverage = (ScoreCell(format_score(evaluation.coverage)) for evaluation in evaluations.values())
    rows.append(ScoreRow("coverage", _COVERAGE, tuple(coverage)))
    return ScoreTable(tuple(evaluations), tuple(rows), tuple(_notes(evaluations)))


def format_score(value: float) -> str:
    """A score in four digits."""
    if not math.isfinite(value):
        return "not finite"
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.4g}"


def find_best(name: str, values: Sequence[float | None]) -> frozenset[int]:
    """Indices of the best values; none where fewer than two are known or all read the same.

    Values that are written alike count as equal, as nobody could see why one is marked.
    """
    known = {at: v for at, v in enumerate(values) if v is not None and math.isfinite(v)}
    if name not in BETTER or len({format_score(value) for value in known.values()}) < 2:
        return frozenset()
    badness = {at: _badness(BETTER[name], float(format_score(v))) for at, v in known.items()}
    least = min(badness.values())
    winners = frozenset(at for at, bad in badness.items() if bad == least)
    return winners if len(winners) < len(known) else frozenset()


def _badness(better: Better, value: float) -> float:
    match better:
        case "lower":
            return value
        case "higher":
            return -value
        case "near 0":
            return abs(value)
        case "up to 1":
            return -min(value, 1.0)


def _row(name: str, values: list[float | None]) -> ScoreRow:
    winners = find_best(name, values)
    cells = (
        ScoreCell(None if value is None else format_score(value), at in winners)
        for at, value in enumerate(values)
    )
    direction = [_DIRECTIONS[BETTER[name]]] if name in BETTER else []
    return ScoreRow(name, "; ".join([METRICS[name], *direction]), tuple(cells))


def _notes(evaluations: Mapping[str, Evaluation]) -> Iterator[ClipNote]:
    clips: dict[str, list[str]] = {}
    for clip, evaluation in evaluations.items():
        for note in evaluation.notes:
            clips.setdefault(note, []).append(clip)
    for text, about in clips.items():
        yield ClipNote(text, () if len(about) == len(evaluations) else tuple(about))
