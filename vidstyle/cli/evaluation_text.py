"""Judgements for a person, and as JSON values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.terminal import visible
from vidstyle.evaluation.judgement import FIGURES, Judgement

_PIPE_WIDTH = 1000
"""Columns where nobody's window ends."""
_FORMATS = {
    "flicker_removed": ".3f",
    "flicker_removed_long": ".3f",
    "relative_steadiness": ".3f",
    "ssim": ".3f",
    "lpips": ".4f",
    "sharpness": ".3f",
    "style_kept": ".3f",
    "luma_slope": "+.4f",
    "dead_pixels": ".7f",
    "dead_blobs": ".3f",
}
"""Of the others five places are shown."""


def print_judgements(judgements: Mapping[str, Judgement]) -> None:
    """Table and notes, on standard error."""
    console = Console(
        stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PIPE_WIDTH
    )
    one = next(iter(judgements.values()))
    console.print(_head(one), markup=False, soft_wrap=True)
    console.print(_table(judgements), crop=False)
    for note in dict.fromkeys(note for row in judgements.values() for note in row.notes):
        console.print(f"note: {visible(note)}", markup=False, emoji=False, soft_wrap=True)


def judgement_json(judgement: Judgement) -> dict[str, Any]:
    """A judgement as JSON values."""
    return {
        "judge": judgement.judge,
        "frames": judgement.frames,
        "cuts": list(judgement.cuts),
        "coverage": judgement.coverage,
        "figures": dict(judgement.figures),
        "series": {name: list(row) for name, row in judgement.series.items()},
        "notes": list(judgement.notes),
    }


def _head(one: Judgement) -> str:
    cuts = f"cuts at {', '.join(map(str, one.cuts))}" if one.cuts else "no cuts"
    return (
        f"judged by {one.judge}: {one.frames} frames, {cuts},"
        f" motion followed for {one.coverage:.1%} of the pixels"
    )


def _table(judgements: Mapping[str, Judgement]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure", no_wrap=True)
    for name in judgements:
        table.add_column(Text(visible(name)), justify="right", overflow="fold")
    table.add_column("meaning", overflow="fold")
    for figure, meaning in FIGURES.items():
        values = [judgement.figures.get(figure) for judgement in judgements.values()]
        if any(value is not None for value in values):
            table.add_row(figure, *(_written(figure, value) for value in values), meaning)
    return table


def _written(figure: str, value: float | None) -> str:
    if value is None:
        return ""
    # What must be exactly 0 is not to look like what is nearly so.
    return "0" if value == 0 else format(value, _FORMATS.get(figure, ".5f"))
