"""Many clips at the command line: what ``batch`` does, and ``run`` with several inputs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from vidstyle.cli.batch_summary import print_summary, summary_json, write_summary
from vidstyle.cli.batch_view import batch_view
from vidstyle.cli.interruption import explain_interruption, stopping_softly
from vidstyle.cli.json_output import put_json
from vidstyle.cli.plan_text import mebibytes
from vidstyle.cli.run_title import run_title
from vidstyle.cli.style_learning import with_learned_styles, with_planned_styles
from vidstyle.cli.terminal import answer, is_quiet, print_table, say
from vidstyle.core.errors import BatchError, InputError, VidstyleError
from vidstyle.core.stop import on_leaving
from vidstyle.runner.batch import OccupiedError, check_apart, check_outputs, run_batch, survey
from vidstyle.runner.clips import OUTPUTS, Skipped
from vidstyle.runner.job import Job, Outlook
from vidstyle.runner.schedule import Begun, Outcome, Rule, intend

# More in one line hide what it says.
_NAMED = 10


def names_line(names: Sequence[str]) -> str:
    """The names, or the first ones and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def skipped_lines(skipped: Sequence[Skipped], folder: Path) -> list[str]:
    """A line for each reason why something in the folder is no clip."""
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(str(each.path.relative_to(folder)))
    lines = []
    for reason, names in reasons.items():
        # They may be as many as the clips.
        listed = f"{len(names)}, such as {names[0]}" if reason == OUTPUTS else names_line(names)
        lines.append(f"skipped, {reason}: {listed}")
    return lines


class ClipBatch:
    """Jobs of one pipeline, and how they are run and shown.

    Args:
        jobs: At least one.
        names: Of their inputs, as they are shown.
        size: Most clips at a time; None for auto.
        rule: For outputs that are there.
        retries: As ``run_batch`` has it.
        summary: The folder of all outputs, for ``summary.json`` and for the claim against batches
            with other options; None for neither.
        as_json: Whether events are printed as JSON.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        names: Sequence[str],
        *,
        size: int | None,
        rule: Rule,
        retries: int,
        summary: Path | None,
        as_json: bool,
    ) -> None:
        self._jobs = list(jobs)
        self._names = {job.input: name for job, name in zip(jobs, names, strict=True)}
        self._size, self._rule, self._retries = size, rule, retries
        self._summary, self._as_json = summary, as_json

    def run(self, cluster: Callable[[], AbstractContextManager[str]] | None = None) -> None:
        """Run them, on the cluster that is opened by ``cluster`` where there is work for it.

        Raises BatchError where some fail.
        """
        jobs, device = self._jobs, self._jobs[0].device
        title = run_title(jobs[0].pipeline)
        loaded = with_learned_styles(
            jobs[0].pipeline,
            device=device,
            as_json=self._as_json,
            check=lambda stand_in: check_apart(replace(jobs[0], pipeline=stand_in)),
        )
        jobs = [replace(job, pipeline=loaded) for job in jobs]
        outcomes: list[Outcome] = []
        attempts: dict[Path, int] = {}
        began, started = datetime.now(UTC), perf_counter()

        def store() -> Mapping[str, Any]:
            seconds = perf_counter() - started
            summary = summary_json(jobs, outcomes, attempts, began=began, seconds=seconds)
            if self._summary is not None and (outcomes or attempts):
                write_summary(self._summary, summary)
            return summary

        def conclude() -> None:
            summary = store()
            if self._as_json:
                put_json({"event": "summary", **summary})
            elif not is_quiet():
                print_summary(summary, {str(path): name for path, name in self._names.items()})

        def what_is_left() -> str:
            if outcomes or attempts:
                conclude()
            done = sum(each.state != "failed" for each in outcomes)
            verb = "is" if done == 1 else "are"
            return f"{done} of {len(jobs)} clips {verb} done: the same command does the others"

        with _listing_outputs(), explain_interruption(what_is_left):
            with (
                on_leaving(store),
                stopping_softly() as stop,
                batch_view(self._names, as_json=self._as_json, title=title) as show,
            ):
                for event in run_batch(
                    jobs,
                    size=self._size,
                    budget=jobs[0].budget,
                    folder=self._summary,
                    rule=self._rule,
                    retries=self._retries,
                    stop=stop,
                    cluster=cluster,
                ):
                    match event:
                        case Begun(job, attempt):
                            attempts[job.input] = attempt
                        case Outcome():
                            outcomes.append(event)
                    show(event)
            conclude()
        if failed := [each for each in outcomes if each.state == "failed"]:
            names = names_line([self._names[each.job.input] for each in failed])
            raise BatchError(f"{len(failed)} of {len(jobs)} clips failed: {names}")
        if left := [each for each in outcomes if each.state == "elsewhere"]:
            names = names_line([self._names[each.job.input] for each in left])
            say(f"in progress elsewhere: {names}; the same command later does what is missing then")

    def print_plan(self) -> None:
        """Print what ``run`` would do with each clip. Writes nothing.

        Raises OccupiedError where ``run`` would, and BatchError where it is known that clips fail.
        """
        loaded = with_planned_styles(self._jobs[0].pipeline)
        jobs = [replace(job, pipeline=loaded) for job in self._jobs]
        found = survey(jobs, size=self._size, budget=jobs[0].budget)
        if self._as_json:
            for job, seen in zip(jobs, found, strict=True):
                put_json(_outlook_json(job, seen, self._rule))
        else:
            rows = [
                (self._names[job.input], *_outlook_cells(seen, self._rule))
                for job, seen in zip(jobs, found, strict=True)
            ]
            print_table(("clip", "frames", "memory", "output"), rows, right={"frames", "memory"})
            answer("")
            answer(f"Clips beside each other use at most {mebibytes(jobs[0].budget)} of memory.")
        check_outputs(found, self._rule)
        bad = [
            self._names[job.input]
            for job, seen in zip(jobs, found, strict=True)
            if not isinstance(seen, Outlook)
        ]
        if bad:
            raise BatchError(f"{len(bad)} of {len(jobs)} clips would fail: {names_line(bad)}")


def _outlook_json(job: Job, seen: Outlook | VidstyleError, rule: Rule) -> dict[str, object]:
    named = {"event": "outlook", "input": str(job.input), "output": str(job.output)}
    if not isinstance(seen, Outlook):
        return {**named, "error": str(seen)}
    return {
        **named,
        "frames": seen.frames,
        "memory": seen.memory,
        "device": seen.device,
        "state": seen.standing.state,
        "found": list(seen.standing.found),
        "plan": intend(seen.standing, rule),
    }


def _outlook_cells(seen: Outlook | VidstyleError, rule: Rule) -> tuple[str, str, str]:
    """Frames, memory, and what becomes of the output."""
    if not isinstance(seen, Outlook):
        cannot = "cannot be read" if isinstance(seen, InputError) else "would fail"
        return "", "", f"{cannot}: {seen}"
    frames = "unknown" if seen.frames is None else str(seen.frames)
    fate = {
        "make": "to be made",
        "make again": f"to be made again: {seen.standing.sentence}",
        "leave": "done already",
        "keep": f"kept: {seen.standing.sentence}",
        "refuse": f"refused: {seen.standing.sentence}",
    }[intend(seen.standing, rule)]
    return frames, mebibytes(seen.memory), fate


@contextmanager
def _listing_outputs() -> Generator[None, None, None]:
    """Print a line for each output that is in the way, before the error."""
    try:
        yield
    except OccupiedError as error:
        for standing in error.standings:
            say(standing.sentence)
        raise
