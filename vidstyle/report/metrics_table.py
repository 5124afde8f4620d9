"""The table of all figures: one row a figure, one column a clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vidstyle.evaluation.scores import METRICS, Evaluation
from vidstyle.report.markup import Content, Markup, element, joined
from vidstyle.report.metric_text import BETTER, best, shown

_WORDS = {"lower": "lower is better", "higher": "higher is better"}
_OTHER_WORDS = {"near 0": "nearer 0 is better", "up to 1": "up to 1, higher is better"}


def figures_table(evaluations: Mapping[str, Evaluation]) -> Markup:
    """Figures that at least one clip has, the best of each marked, and the notes below."""
    head = _row("th", {"scope": "col"}, ["Figure", *(_name(clip) for clip in evaluations)])
    rows = [
        _figure(name, [evaluation.scores.get(name) for evaluation in evaluations.values()])
        for name in METRICS
        if any(name in evaluation.scores for evaluation in evaluations.values())
    ]
    coverage = [shown(evaluation.coverage) for evaluation in evaluations.values()]
    meaning = "share of the pixels that were judged; the rest has no motion that can be followed"
    rows.append(_line("coverage", meaning, [element("td", {}, text) for text in coverage]))
    table = element("table", {}, element("thead", {}, head), element("tbody", {}, *rows))
    region = {"class": "scroll", "role": "region", "aria-label": "Figures", "tabindex": 0}
    return joined(element("div", region, table), _notes(evaluations))


def _figure(name: str, values: list[float | None]) -> Markup:
    winners = best(name, values)
    cells = [_cell(value, won=at in winners) for at, value in enumerate(values)]
    direction = BETTER.get(name)
    words = "" if direction is None else {**_WORDS, **_OTHER_WORDS}[direction]
    return _line(name, "; ".join(filter(None, (METRICS[name], words))), cells)


def _line(name: str, meaning: str, cells: Iterable[Markup]) -> Markup:
    about = element("span", {"class": "meaning"}, meaning)
    title = element("th", {"scope": "row"}, element("code", {}, name), " ", about)
    return element("tr", {}, title, *cells)


def _cell(value: float | None, *, won: bool) -> Markup:
    if value is None:
        missing = element("span", {"class": "unseen"}, "not known")
        return element("td", {}, element("span", {"aria-hidden": "true"}, "–"), missing)  # noqa: RUF001  # a dash
    if not won:
        return element("td", {}, shown(value))
    return element("td", {"class": "best"}, shown(value), " ", element("small", {}, "best"))


def _row(kind: str, attributes: Mapping[str, str], cells: Iterable[Content]) -> Markup:
    return element("tr", {}, *(element(kind, attributes, cell) for cell in cells))


def _name(clip: str) -> Markup:
    return element("bdi", {}, clip)


def _notes(evaluations: Mapping[str, Evaluation]) -> Markup:
    """Each note once, with the names of the clips where it does not hold for all."""
    clips: dict[str, list[str]] = {}
    for clip, evaluation in evaluations.items():
        for note in evaluation.notes:
            clips.setdefault(note, []).append(clip)
    items = [
        element("li", {}, note) if len(of) == len(evaluations) else _note(note, of)
        for note, of in clips.items()
    ]
    return element("ul", {"class": "notes"}, *items) if items else joined()


def _note(note: str, clips: Sequence[str]) -> Markup:
    names = [part for clip in clips for part in (", ", _name(clip))][1:]
    return element("li", {}, *names, f": {note}")
