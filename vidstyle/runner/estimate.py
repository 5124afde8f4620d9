"""What a run would take, estimated from its first frames."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.plan import Plan
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.execution.computation import compute_in_turn
from vidstyle.runner.execution.events import Event, FrameDone, Listener
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.interval import Interval
from vidstyle.runner.job import Job, output_suffix, prepared
from vidstyle.runner.storage.destination import Destination

_PROBED = 12
"""Frames that are tried: a second or so of work, and enough that the first ones matter little."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A plan with what it would cost."""

    plan: Plan
    probed: int
    seconds: float | None
    """Of the whole run; None where the clip does not say how many frames it has."""
    bytes: int | None
    """Of the file, the other streams left out."""


def probe(pipeline: Pipeline, source: Path, *, device: str, frames: Interval) -> Estimate:
    """Run the first frames into a folder that is then removed, and extrapolate."""
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as folder:
        output = Path(folder) / f"probe{output_suffix(pipeline, source)}"
        with prepared(Job(pipeline, source, output, device, frames)) as (_, plan):
            first, stop = plan.frames
        tried = (first, first + _PROBED if stop is None else min(stop, first + _PROBED))
        ticks: list[float] = []
        with prepared(Job(pipeline, source, output, device, tried)) as (assembly, short):
            result = execute(
                assembly,
                short,
                Destination(output),
                original=source,
                compute=compute_in_turn("threaded"),
                listen=_clock(ticks),
            )
        size = sum(p.stat().st_size for p in [output, *output.rglob("*")] if p.is_file())
    wanted = plan.frame_total
    if wanted is None:
        return Estimate(plan, result.frames, None, None)
    # The first frame waits for weights to load; the pace is that of the others.
    pace = (ticks[-1] - ticks[0]) / max(len(ticks) - 1, 1)
    return Estimate(
        plan,
        result.frames,
        result.seconds + pace * max(wanted - result.frames, 0),
        size * wanted // max(result.frames, 1),
    )


def _clock(ticks: list[float]) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, FrameDone):
            ticks.append(time.perf_counter())

    return listen
