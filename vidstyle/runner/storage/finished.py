"""Finished outputs whose frames another file can have: only that file is to be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.core.errors import InputError
from vidstyle.core.sink import FrameTime, ReopeningSink, Segment, Sink
from vidstyle.runner.plan.identity import content_digest
from vidstyle.runner.plan.stamp import Stamp
from vidstyle.runner.storage.records import Records


@dataclass(frozen=True, slots=True)
class FinishedFrames:
    """All that a sink joins to a file, but for the original."""

    segments: Sequence[Segment]
    times: list[FrameTime]
    """Of all frames, as the file shows them."""
    interval: tuple[Fraction, Fraction | None] | None
    """Seconds of the original that its other streams are cut to; None for all of it."""
    digest: str
    """Hash of all frames' hashes, in order."""
    found_in: Path | None = None
    """The output that they were made for; None where this run has made them."""


def find_finished(records: Records, stamp: Stamp, sink: Sink) -> FinishedFrames | None:
    """The frames of a stamp in an output of the folder that is another file; None without one."""
    if not isinstance(sink, ReopeningSink):
        return None
    for path, entry in records.entries():
        if entry.stamp.frames_key != stamp.frames_key or entry.stamp.file_key == stamp.file_key:
            continue
        try:
            # What is copied is held against its hash, whatever its time.
            whole = path.is_file() and content_digest(path) == entry.output.digest
        except InputError:
            continue
        segment = sink.reopen(path, entry.frames) if whole else None
        # As many as the file has: a number in a manifest takes no memory.
        times = expand_times(entry.times, segment.frames) if segment is not None else []
        if segment is not None and times:
            interval = None
            if entry.interval is not None:
                start, stop = map(Fraction, entry.interval)
                interval = (start, stop)
            return FinishedFrames([segment], times, interval, entry.digest, path)
    return None


def shorten_times(times: Iterable[FrameTime]) -> list[list[int]]:
    """Times as runs of first pts, duration, step and count: one run where the rate is constant."""
    runs: list[list[int]] = []
    for time in times:
        if runs:
            pts, duration, step, count = runs[-1]
            gap = time.pts - (pts + step * (count - 1))
            if duration == time.duration and (count == 1 or gap == step):
                runs[-1] = [pts, duration, gap, count + 1]
                continue
        runs.append([time.pts, time.duration, 0, 1])
    return runs


def expand_times(runs: Any, frames: int) -> list[FrameTime]:
    """The inverse of ``shorten_times``; empty for anything else, or another number of frames."""
    try:
        if sum(count for *_, count in runs) != frames or min(c for *_, c in runs) < 1:
            return []
        return list(_expanded(runs))
    except (TypeError, ValueError):
        return []


def _expanded(runs: Sequence[Sequence[int]]) -> Iterator[FrameTime]:
    for pts, duration, step, count in runs:
        yield from (FrameTime(pts + step * number, duration) for number in range(count))
