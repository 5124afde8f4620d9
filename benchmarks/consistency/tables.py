"""Rows of scores, their means, and whether ours lies below every baseline's curve."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidstyle.evaluation.scores import Evaluation

from .candidates import PER_FRAME, point_name

COLUMNS: Mapping[str, tuple[str, str]] = {
    "warping_error_reduction": ("D", "7.3f"),
    "e_warp": ("E_warp", "9.5f"),
    "e_warp_long": ("long", "9.5f"),
    "e_warp_first": ("first", "9.5f"),
    "ssim": ("SSIM", "7.3f"),
    "sharpness": ("sharp", "7.3f"),
    "ghosting": ("ghosts", "8.4f"),
    "ghosting_ratio": ("/masked", "8.2f"),
    "static_deviation": ("static", "8.4f"),
    "luma_slope": ("drift", "8.4f"),
    "error_ratio": ("E(O)/E(I)", "10.2f"),
    "gradient_ratio": ("G(O)/G(I)", "10.2f"),
}
"""By the name of a score: its heading and format."""


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate on one clip in one style, or a mean of several."""

    style: str
    clip: str
    method: str
    parameter: float | None
    """The strength, of ours."""
    smoothing: float | None
    """None for a baseline."""
    scores: Mapping[str, float]

    @property
    def ours(self) -> bool:
        """Whether it is a preset, not a baseline."""
        return self.smoothing is not None

    @property
    def name(self) -> str:
        return point_name(self.method, self.parameter, self.smoothing)


def scores_of(evaluation: Evaluation, reference: Evaluation) -> dict[str, float]:
    """Give its scores and the ratios of them; the ``reference`` has a ghosting of 1."""
    scores = dict(evaluation.scores)
    if (error := scores.get("source_e_warp")) and "e_warp" in scores:
        scores["error_ratio"] = scores["e_warp"] / error
        if relative := scores.get("relative_warping_error"):
            scores["gradient_ratio"] = scores["error_ratio"] / relative
    if (ghosts := reference.scores.get("ghosting")) and "ghosting" in scores:
        scores["ghosting_ratio"] = scores["ghosting"] / ghosts
    return scores


def means(rows: Sequence[Row], *, style: str, clip: str) -> list[Row]:
    """Give one row a candidate: the mean of each score over the rows that have it."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.name, []).append(row)
    return [
        Row(style, clip, some[0].method, some[0].parameter, some[0].smoothing, _mean(some))
        for some in groups.values()
    ]


def table(title: str, rows: Iterable[Row]) -> str:
    """Give lines with a row each; a score that is absent is a dash."""
    lines = [title, f"{'':38}" + "".join(_cell(head, kind) for head, kind in COLUMNS.values())]
    for row in rows:
        cells = (_number(row.scores.get(name), kind) for name, (_, kind) in COLUMNS.items())
        lines.append(f"{row.name[:37]:38}" + "".join(cells))
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Below:
    """Whether one curve of ours passes below one point of a baseline."""

    style: str
    preset: str
    baseline: Row
    ours: Row | None
    """The point of least E_warp that is at least as similar and as sharp, if there is one."""

    @property
    def holds(self) -> bool:
        return self.ours is not None and _of(self.ours, "e_warp") < _of(self.baseline, "e_warp")

    def __str__(self) -> str:
        answer = "yes" if self.holds else "NO"
        point = "none is as similar and as sharp" if self.ours is None else _point(self.ours)
        return f"{self.style}: {self.preset} below {_point(self.baseline)}: {answer}, {point}"


def below(rows: Sequence[Row]) -> Iterator[Below]:
    """Of the rows of one clip, or of means: every preset against every point of a baseline.

    A point lies below another where its E_warp is less, and SSIM and sharpness are not.
    """
    for preset in dict.fromkeys(row.method for row in rows if row.ours):
        points = [row for row in rows if row.method == preset and row.ours]
        for baseline in rows:
            if baseline.ours or baseline.method == PER_FRAME:
                continue
            fit = [
                point
                for point in points
                if all(_of(point, name) >= _of(baseline, name) for name in ("ssim", "sharpness"))
            ]
            best = min(fit, key=lambda point: _of(point, "e_warp"), default=None)
            yield Below(baseline.style, preset, baseline, best)


def _point(row: Row) -> str:
    error, similar, sharp = (_of(row, name) for name in ("e_warp", "ssim", "sharpness"))
    return f"{row.name} (E {error:.5f}, SSIM {similar:.3f}, sharp {sharp:.3f})"


def _of(row: Row, name: str) -> float:
    return row.scores[name]


def _mean(rows: Sequence[Row]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row.scores)
    return {
        name: float(np.mean([row.scores[name] for row in rows if name in row.scores]))
        for name in names
    }


def _cell(text: str, kind: str) -> str:
    return f"{text:>{kind.split('.')[0]}}"


def _number(value: float | None, kind: str) -> str:
    return _cell("-", kind) if value is None else f"{value:{kind}}"
