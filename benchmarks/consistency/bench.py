"""The benchmark from its settings to what it prints and writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vidstyle.core.errors import OutputError
from vidstyle.evaluation.evaluators import EvaluatorName
from vidstyle.evaluation.motion import PairFlow

from .candidates import (
    BLENDS_WITH,
    REFERENCE,
    KeptFlow,
    Scene,
    candidates,
    evaluate_candidates,
    shipped,
)
from .cost import Cost, cost
from .curves import Steps, steps_of
from .extremes import Bleed, StillNoise, bleeds, measure_still
from .footage import Footage, Style, noisy_still, real_clip, stylized, with_cut
from .presets import Preset
from .store import Store
from .tables import Below, Row, below, means, scores_of, table

_MEAN = "mean"
# Frames on each side of the cut that is made.
_CUT_AFTER = 6


@dataclass(frozen=True, slots=True)
class Settings:
    """What is run on what."""

    clips: Sequence[Path]
    styles: Sequence[Style]
    presets: Sequence[Preset]
    pairs: Sequence[tuple[float | None, float]]
    """Strength and smoothing; a strength of None is the preset's own."""
    frames: int
    width: int
    evaluator: EvaluatorName
    weights: Path | None
    still_frames: int
    still_width: int
    store: Store


@dataclass(slots=True)
class Outcome:
    """All results."""

    rows: list[Row] = field(default_factory=list)
    means: list[Row] = field(default_factory=list)
    steps: list[Steps] = field(default_factory=list)
    below: list[Below] = field(default_factory=list)
    still: list[StillNoise] = field(default_factory=list)
    bleeds: list[Bleed] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.below) and all(one.holds for one in self.bleeds)


def run(settings: Settings) -> Outcome:
    """Print the tables and the lines, and give what is in them."""
    outcome = Outcome()
    clips = [
        real_clip(path, frames=settings.frames, width=settings.width, store=settings.store)
        for path in settings.clips
    ]
    print(_label(settings), flush=True)
    flow = KeptFlow(settings.evaluator, settings.weights, settings.store)
    for style in settings.styles:
        for clip in clips:
            rows = evaluate_scene(settings, style, clip, flow)
            outcome.rows += rows
            print("\n" + table(f"{style.name} on {clip.name}", rows), flush=True)
            outcome.steps += steps_of(rows)
    _add_means(settings, outcome)
    for mean in dict.fromkeys(row.style for row in outcome.means):
        some = [row for row in outcome.means if row.style == mean]
        print("\n" + table(f"{mean}: mean of {len(clips)} clips", some))
        outcome.below += below(some)
    _section("Steps of strength and of smoothing", outcome.steps)
    _section("Below every baseline's curve", outcome.below)
    outcome.still += _still(settings, clips[0])
    still = f"{settings.still_frames} frames, noise of 2/255"
    _section(f"A still under noise ({still})", outcome.still)
    outcome.bleeds += _bleeds(settings, clips, outcome.rows)
    _section("Nothing of the shot before a cut", outcome.bleeds)
    first = Preset(settings.presets[0].path)
    outcome.costs = [cost(first, clips[0])]
    _section("Cost on one core, 640x360", outcome.costs)
    return outcome


def evaluate_scene(settings: Settings, style: Style, clip: Footage, flow: PairFlow) -> list[Row]:
    """Evaluate one clip in one style, with every candidate."""
    scene = scene_of(settings, style, clip)
    all_candidates = candidates(settings.presets, settings.pairs)
    found = evaluate_candidates(scene, all_candidates, flow, evaluator=settings.evaluator)
    return [
        Row(
            style.name,
            clip.name,
            one.method,
            one.parameter,
            one.smoothing,
            scores_of(found[one.name], found[REFERENCE]),
        )
        for one in all_candidates
    ]


def scene_of(settings: Settings, style: Style, clip: Footage) -> Scene:
    """Stylize the clip and find its motion, or find both in the store."""
    motions = tuple(preset.motion(clip, settings.store) for preset in settings.presets)
    return Scene(clip, stylized(clip, style, settings.store), motions)


def write_json(path: Path, settings: Settings, outcome: Outcome) -> None:
    """Everything that was printed, unrounded. Raises OutputError."""
    content: dict[str, Any] = {
        "evaluator": settings.evaluator,
        "frames": settings.frames,
        "width": settings.width,
        "still_frames": settings.still_frames,
        "rows": [asdict(row) for row in outcome.rows],
        "means": [asdict(row) for row in outcome.means],
        "steps": [asdict(one) for one in outcome.steps],
        "below": [{**asdict(one), "holds": one.holds} for one in outcome.below],
        "still": [asdict(one) for one in outcome.still],
        "bleeds": [{**asdict(one), "holds": one.holds} for one in outcome.bleeds],
        "costs": [{**asdict(one), "ratio": one.ratio} for one in outcome.costs],
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def _label(settings: Settings) -> str:
    lines = [
        f"evaluator {settings.evaluator}, first {settings.frames} frames, stylized frame by frame"
    ]
    lines += [
        f"{preset.name} blends with {preset.flow}, the evaluator's own flow: its E_warp flatters it"
        for preset in settings.presets
        if settings.evaluator.startswith(BLENDS_WITH.get(preset.flow, "\0"))
    ]
    return "\n".join(lines)


def _add_means(settings: Settings, outcome: Outcome) -> None:
    """Over the clips of each style, and over the styles that were not trained on video."""
    for style in settings.styles:
        rows = [row for row in outcome.rows if row.style == style.name]
        outcome.means += means(rows, style=style.name, clip=_MEAN)
    untrained = [style.name for style in settings.styles if not style.ours]
    if len(untrained) > 1:
        rows = [row for row in outcome.means if row.style in untrained]
        outcome.means += means(rows, style="+".join(untrained), clip=_MEAN)


def _still(settings: Settings, clip: Footage) -> Iterator[StillNoise]:
    still = noisy_still(
        clip, frames=settings.still_frames, width=settings.still_width, store=settings.store
    )
    for style in settings.styles:
        yield from measure_still(
            style.name, scene_of(settings, style, still), shipped(settings.presets)
        )


def _bleeds(settings: Settings, clips: Sequence[Footage], rows: Sequence[Row]) -> Iterator[Bleed]:
    """On the clips that have cuts, at every strength, and on one that is made to have one."""
    made = with_cut(clips[0], frames=_CUT_AFTER, store=settings.store)
    ours = [one for one in shipped(settings.presets) if one.ours]
    for style in settings.styles:
        yield from bleeds(style.name, scene_of(settings, style, made), ours)
    cuts = {clip.name: settings.presets[0].motion(clip, settings.store).cuts for clip in clips}
    for row in rows:
        if row.ours and cuts[row.clip] and "cut_bleed" in row.scores:
            worst = row.scores["cut_bleed"]
            yield Bleed(row.style, row.clip, row.name, cuts[row.clip], worst)


def _section(title: str, lines: Sequence[object]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(f"  {line}", flush=True)
