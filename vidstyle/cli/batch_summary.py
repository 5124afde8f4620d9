"""What a batch has come to: a table of 80 columns for people, and ``summary.json``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from vidstyle.cli.terminal import say, say_note, time_text, visible
from vidstyle.core.errors import OutputError
from vidstyle.runner.job import Job
from vidstyle.runner.schedule import Outcome, State
from vidstyle.runner.storage.locks import wait_for_lock
from vidstyle.runner.storage.records import FOLDER

NAME = "summary.json"
# How a summary of ours begins: another file of that name is left alone.
_KIND = "vidstyle batch"
_WIDTH = 80
# More rows hide those that matter.
_MOST_ROWS = 40

ClipState: TypeAlias = State | Literal["interrupted", "waiting"]
"""``interrupted``: begun, and stopped with what is finished stored; ``waiting``: not begun."""

# How much was done with a clip.
_RANK: Mapping[ClipState, int] = {
    "waiting": 0,
    "interrupted": 1,
    "elsewhere": 2,
    "failed": 3,
    "kept": 4,
    "done already": 5,
    "done": 6,
}
# Seconds that another batch may take to write its summary.
_PATIENCE = 10.0


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """One clip, as ``--json`` and the summary have it."""
    result, standing = outcome.result, outcome.standing
    frames = result.frames if result is not None else None
    if standing is not None and standing.entry is not None:
        frames = standing.entry.frames
    return {
        "input": str(outcome.job.input),
        "output": str(outcome.job.output),
        "state": outcome.state,
        "reason": _reason(outcome),
        "stage": outcome.stage,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "frames": frames,
    }


def summary_json(
    jobs: Sequence[Job],
    outcomes: Sequence[Outcome],
    attempts: Mapping[Path, int],
    *,
    began: datetime,
    seconds: float,
) -> dict[str, Any]:
    """The whole batch.

    Args:
        jobs: All, in order.
        outcomes: Of those that have one.
        attempts: How often others were begun, by their inputs.
        began: When the batch began, in UTC.
        seconds: That it took.

    Returns:
        JSON values.
    """
    ended = {outcome.job.input: outcome_json(outcome) for outcome in outcomes}
    clips = [ended.get(job.input) or _open_clip(job, attempts.get(job.input, 0)) for job in jobs]
    return {
        "kind": _KIND,
        "pipeline": str(jobs[0].pipeline.path),
        "began": began.astimezone(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 3),
        "states": dict(Counter(clip["state"] for clip in clips)),
        "clips": clips,
    }


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write ``summary.json`` in the folder, whole or not at all; a file of others stays.

    What another batch has written there meanwhile becomes part of it.
    """
    path = folder / NAME
    partial = path.with_name(f".{NAME}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with wait_for_lock(folder / FOLDER / f"{NAME}.lock", "it is locked", seconds=_PATIENCE):
            if path.exists() and (before := _read(path)) is None:
                say_note(f"{path} is not of vidstyle, so that the summary is not written")
                return
            if path.exists() and before is not None:
                summary = merge_summaries(before, summary)
            partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
            partial.replace(path)
    except OSError as error:
        # The outputs are what matters, and they are there.
        say_note(f"cannot write {path}: {error.strerror}")
    except OutputError as error:
        say_note(f"cannot write {path}: {error}")


def merge_summaries(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """One summary of two batches, unless the one before had ended when the other began.

    Of a clip that both have, the one counts that has done more with it; the later one if both have
    done as much.
    """
    began, ended, begins = _times(before), _times(before, end=True), _times(now)
    if began is None or ended is None or begins is None or ended < begins:
        return dict(now)
    clips = {clip["output"]: clip for clip in before["clips"]}
    for clip in now["clips"]:
        known = clips.get(clip["output"])
        if known is None or _RANK[clip["state"]] >= _RANK.get(known["state"], 0):
            clips[clip["output"]] = clip
    first = min(began, begins)
    last = max(ended, begins + timedelta(seconds=now["seconds"]))
    every = [clips[name] for name in sorted(clips)]
    return {
        **now,
        "began": first.isoformat(timespec="milliseconds"),
        "seconds": round((last - first).total_seconds(), 3),
        "states": dict(Counter(clip["state"] for clip in every)),
        "clips": every,
    }


def _times(summary: Mapping[str, Any], *, end: bool = False) -> datetime | None:
    """When a batch began or ended; None where that cannot be read."""
    try:
        began = datetime.fromisoformat(summary["began"])
        return began + timedelta(seconds=float(summary["seconds"])) if end else began
    except (KeyError, TypeError, ValueError):
        return None


def print_summary(summary: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Print the table on standard error, and a line with the sums.

    ``names`` are what is shown for inputs. Where all was done before, there is no table.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    clips = summary["clips"]
    shown = clips if len(clips) <= _MOST_ROWS else [c for c in clips if c["state"] != "done"]
    if any(clip["state"] != "done already" for clip in clips) and shown:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("clip", overflow="ellipsis", no_wrap=True, max_width=26)
        table.add_column("state", no_wrap=True)
        for title in ("frames", "time"):
            table.add_column(title, no_wrap=True, justify="right")
        # Folded: the cause often stands at the end.
        table.add_column("reason", overflow="fold", ratio=1)
        for clip in shown[:_MOST_ROWS]:
            cells = _cells(clip, names[clip["input"]])
            table.add_row(*(Text(visible(cell)) for cell in cells))
        Console(file=sys.stderr, width=_WIDTH, highlight=False).print(table)
        if (more := len(shown) - _MOST_ROWS) > 0:
            say(f"and {more} more: see {NAME}")
    say(_sums(summary))


def _cells(clip: Mapping[str, Any], name: str) -> tuple[str, ...]:
    reason = clip["reason"] or ""
    where, _, rest = reason.partition(": ")
    if where.endswith(Path(clip["input"]).name):
        # The table has little room, and the name in another column.
        reason = rest
    reason = reason.removeprefix(f"{clip['output']} ")
    if clip["attempts"] > 1:
        reason = f"{clip['attempts']} attempts; {reason}".removesuffix("; ")
    return (
        name,
        clip["state"],
        "" if clip["frames"] is None else str(clip["frames"]),
        time_text(clip["seconds"]) if clip["attempts"] else "",
        f"{clip['stage']}: {reason}" if clip["stage"] else reason,
    )


def _sums(summary: Mapping[str, Any]) -> str:
    """``3 clips: 2 done, 1 failed; 500 frames in 0:35 (14.3 fps)``."""
    clips, states = summary["clips"], summary["states"]
    listed = ", ".join(f"{count} {state}" for state, count in states.items())
    frames = sum(clip["frames"] or 0 for clip in clips if clip["state"] == "done")
    line = f"{len(clips)} clip{'' if len(clips) == 1 else 's'}: {listed}"
    if not frames:
        return line
    rate = frames / max(summary["seconds"], 1e-6)
    return f"{line}; {frames} frames in {time_text(summary['seconds'])} ({rate:.1f} fps)"


def _reason(outcome: Outcome) -> str | None:
    if outcome.error is not None:
        return str(outcome.error)
    if outcome.state == "kept" and outcome.standing is not None:
        return outcome.standing.sentence
    return None


def _open_clip(job: Job, attempts: int) -> dict[str, Any]:
    """A clip without an outcome."""
    state: ClipState = "interrupted" if attempts else "waiting"
    return {
        "input": str(job.input),
        "output": str(job.output),
        "state": state,
        "reason": None,
        "stage": None,
        "attempts": attempts,
        "seconds": 0.0,
        "frames": None,
    }


def _read(path: Path) -> dict[str, Any] | None:
    """The summary; None where the file is not ours."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found) if found["kind"] == _KIND and isinstance(found["clips"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
