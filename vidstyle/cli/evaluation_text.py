"""Evaluations for a person, and as JSON values."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.terminal import table_width, visible
from vidstyle.evaluation.scores import METRICS, Evaluation

_METRIC_WIDTH = max(map(len, METRICS))
_CLIP_WIDTH = 16
"""Columns of a clip's scores and the gap before them, with room for a name."""
_LEAST_CLIP_WIDTH = 9
"""Without the gap: no score is broken."""
_MEANING_WIDTH = 26
"""Columns below which a meaning and its gap take more lines than one reads."""
_FORMATS = {
    "warping_error_reduction": ".3f",
    "warping_error_reduction_long": ".3f",
    "relative_warping_error": ".3f",
    "ssim": ".3f",
    "lpips": ".4f",
    "sharpness": ".3f",
    "style_loss_ratio": ".3f",
    "luma_slope": "+.4f",
    "dead_pixels": ".7f",
    "dead_blobs": ".3f",
}
"""Of the others five places are shown."""


def print_evaluations(evaluations: Mapping[str, Evaluation]) -> None:
    """Table and notes, on standard error."""
    console = Console(stderr=True, highlight=False, width=table_width(sys.stderr))
    one = next(iter(evaluations.values()))
    console.print(_head(one), markup=False, soft_wrap=True)
    for table in _tables(evaluations, console.width):
        console.print(table, crop=False)
    for note in dict.fromkeys(note for row in evaluations.values() for note in row.notes):
        console.print(f"note: {visible(note)}", markup=False, emoji=False, soft_wrap=True)


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as JSON values."""
    return {
        "evaluator": evaluation.evaluator,
        "frames": evaluation.frames,
        "cuts": list(evaluation.cuts),
        "coverage": evaluation.coverage,
        "scores": dict(evaluation.scores),
        "series": {name: list(row) for name, row in evaluation.series.items()},
        "notes": list(evaluation.notes),
    }


def _head(one: Evaluation) -> str:
    cuts = f"cuts at {', '.join(map(str, one.cuts))}" if one.cuts else "no cuts"
    return (
        f"evaluated by {one.evaluator}: {one.frames} frames, {cuts},"
        f" motion followed in {one.coverage:.1%} of pixels"
    )


def _tables(evaluations: Mapping[str, Evaluation], width: int) -> Iterator[Table]:
    """One table; or, of more clips than fit, some for a few clips each and one of meanings."""
    metrics = [
        metric for metric in METRICS if any(metric in row.scores for row in evaluations.values())
    ]
    clips, room = list(evaluations.items()), width - _METRIC_WIDTH
    if len(clips) * _CLIP_WIDTH + _MEANING_WIDTH <= room:
        yield _table(metrics, evaluations, meanings=True)
        return
    many = max(1, room // _CLIP_WIDTH)
    for first in range(0, len(clips), many):
        yield _table(metrics, dict(clips[first : first + many]))
    yield _table(metrics, {}, meanings=True)


def _table(
    metrics: Sequence[str], evaluations: Mapping[str, Evaluation], *, meanings: bool = False
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("metric", no_wrap=True)
    for name in evaluations:
        title = Text(visible(name))
        table.add_column(title, justify="right", overflow="fold", min_width=_LEAST_CLIP_WIDTH)
    if meanings:
        table.add_column("meaning", overflow="fold")
    for metric in metrics:
        values = [_written(metric, row.scores.get(metric)) for row in evaluations.values()]
        table.add_row(metric, *values, *([METRICS[metric]] if meanings else []))
    return table


def _written(metric: str, value: float | None) -> str:
    if value is None:
        return ""
    # What must be exactly 0 is not to look like what is nearly so.
    return "0" if value == 0 else format(value, _FORMATS.get(metric, ".5f"))
