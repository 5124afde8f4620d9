"""What a report says, put together; how much room its films have follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vidstyle.evaluation.scores import Evaluation, Series
from vidstyle.report.chart import Chart
from vidstyle.report.charts import charts_of
from vidstyle.report.curves import drawn
from vidstyle.report.headline import headline
from vidstyle.report.markup import EMPTY, Markup, element
from vidstyle.report.metrics_table import figures_table
from vidstyle.report.page import Section, page
from vidstyle.report.player import player
from vidstyle.report.preview_video import QUALITIES, PreviewVideos


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything but the images."""

    title: str
    head: Markup
    table: Markup
    charts: tuple[Chart, ...]
    drawings: Markup
    frames: int
    first_frame: int

    @classmethod
    def of(
        cls, evaluations: Mapping[str, Evaluation], source: str, *, first_frame: int
    ) -> Contents:
        """``source`` is the name of the source's file."""
        charts = charts_of(evaluations)
        cuts = next(iter(evaluations.values())).cuts
        drawings = [drawn(chart, cuts=cuts, first_frame=first_frame) for chart in charts]
        return cls(
            title=f"Flicker of {source}",
            head=headline(evaluations, source, first_frame=first_frame),
            table=figures_table(evaluations),
            charts=charts,
            drawings=element("div", {"class": "charts"}, *drawings) if drawings else EMPTY,
            frames=max(evaluation.frames for evaluation in evaluations.values()),
            first_frame=first_frame,
        )

    def text(self, gallery: Markup, preview_videos: PreviewVideos | None) -> str:
        """The page, with the images of the worst frames and the films if there are any."""
        sections = (
            Section("Figures", self.table),
            Section("Over time", self.drawings),
            Section("The frames that flicker most", gallery),
            Section("The clips", self._player(preview_videos), "player"),
        )
        return page(self.title, self.head, sections, self._data(preview_videos))

    def size_without_preview_videos(self, gallery: Markup, names: tuple[str, ...]) -> int:
        """Bytes of the page around films that have none, and all of the frames."""
        nothing = dict.fromkeys(names, b"")
        longest = (99999.99999,) * self.frames
        preview_videos = PreviewVideos(
            nothing, (99999, 99999), QUALITIES[-1], longest, complete=False
        )
        return len(self.text(gallery, preview_videos).encode())

    def _player(self, preview_videos: PreviewVideos | None) -> Markup:
        if preview_videos is None:
            return element("p", {}, "No frame of the clips fits into the size of this page.")
        return player(preview_videos, frames=self.frames, first_frame=self.first_frame)

    def _data(self, preview_videos: PreviewVideos | None) -> object:
        """What the script shows beside a frame."""
        seconds = preview_videos.seconds if preview_videos else ()
        curves = [[_short(curve.series) for curve in chart.curves] for chart in self.charts]
        return {"first": self.first_frame, "seconds": seconds, "curves": curves}


def _short(series: Series) -> list[float | None]:
    return [
        float(f"{value:.4g}") if value is not None and math.isfinite(value) else None
        for value in series
    ]
