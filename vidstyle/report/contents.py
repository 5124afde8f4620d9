"""What a report shows, put together: everything but the images and the videos is known first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from vidstyle.evaluation.scores import Evaluation, Series, summarize_scores
from vidstyle.report.charts import PLOT, Chart, charts_of, draw_chart
from vidstyle.report.page import render, render_page
from vidstyle.report.preview_video import QUALITIES, PreviewVideos
from vidstyle.report.score_table import ScoreTable, score_table


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything but the images."""

    title: str
    head: Mapping[str, Any]
    """What was evaluated, and by what: ``templates/report.html`` makes a sentence of it."""
    table: ScoreTable
    charts: tuple[Chart, ...]
    drawings: tuple[Markup, ...]
    """Of the charts."""
    cuts: tuple[int, ...]
    """Counted from the first frame evaluated."""
    frames: int
    first_frame: int
    """The number of the first frame evaluated."""

    @classmethod
    def of(
        cls, evaluations: Mapping[str, Evaluation], source: str, *, first_frame: int
    ) -> Contents:
        """The contents for clips by name; ``source`` is the name of the source's file."""
        charts = charts_of(evaluations)
        cuts = next(iter(evaluations.values())).cuts
        return cls(
            title=f"Flicker of {source}",
            head=_head(evaluations, source, first_frame),
            table=score_table(evaluations),
            charts=charts,
            drawings=tuple(draw_chart(c, cuts=cuts, first_frame=first_frame) for c in charts),
            cuts=cuts,
            frames=max(evaluation.frames for evaluation in evaluations.values()),
            first_frame=first_frame,
        )

    def page(self, gallery: Markup, videos: PreviewVideos | None) -> str:
        """The page, with the images of the worst frames and the videos if there are any."""
        content = render(
            "report.html",
            head=self.head,
            table=self.table,
            charts=list(zip(self.charts, self.drawings, strict=True)),
            plot=PLOT,
            gallery=gallery,
            videos=videos,
            reduced=videos is not None and videos.quality != QUALITIES[0],
            frames=self.frames,
        )
        return render_page(self.title, content, self._data(videos))

    def size_without_videos(self, gallery: Markup, names: tuple[str, ...]) -> int:
        """Bytes of the page around videos that are empty and have all of the frames."""
        empty = dict.fromkeys(names, b"")
        longest = (99999.99999,) * self.frames
        videos = PreviewVideos(empty, (99999, 99999), QUALITIES[-1], longest, complete=False)
        return len(self.page(gallery, videos).encode())

    def _data(self, videos: PreviewVideos | None) -> object:
        """What the script shows beside a frame."""
        return {
            "first": self.first_frame,
            "cuts": self.cuts,
            "seconds": videos.seconds if videos else (),
            "curves": [[_short(curve.series) for curve in chart.curves] for chart in self.charts],
        }


def _head(
    evaluations: Mapping[str, Evaluation], source: str, first_frame: int
) -> Mapping[str, Any]:
    frames = max(evaluation.frames for evaluation in evaluations.values())
    return {
        "clips": "1 clip" if len(evaluations) == 1 else f"{len(evaluations)} clips",
        "source": source,
        "first": first_frame,
        "last": first_frame + frames - 1,
        "evaluators": sorted({evaluation.evaluator for evaluation in evaluations.values()}),
        "cuts": _cuts(evaluations, first_frame),
        "gains": _gains(evaluations),
    }


def _gains(evaluations: Mapping[str, Evaluation]) -> Mapping[str, str]:
    """What each clip gains over the per-frame baseline, where there is one."""
    found = {name: summarize_scores(one.scores) for name, one in evaluations.items()}
    return {name: sentence for name, sentence in found.items() if sentence}


def _cuts(evaluations: Mapping[str, Evaluation], first_frame: int) -> str:
    cuts = next(iter(evaluations.values())).cuts
    if not cuts:
        return "There are no cuts."
    numbers = ", ".join(str(first_frame + cut) for cut in cuts)
    return f"A shot begins at frame {numbers}." if len(cuts) == 1 else f"Shots begin at {numbers}."


def _short(series: Series) -> list[float | None]:
    return [
        float(f"{value:.4g}") if value is not None and math.isfinite(value) else None
        for value in series
    ]
