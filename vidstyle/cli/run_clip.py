"""One clip at the command line: what ``run`` does with a single input."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from vidstyle.cli.interruption import InterruptionListener, explain_interruption, stopping_softly
from vidstyle.cli.plan_text import print_plan
from vidstyle.cli.progress import listener
from vidstyle.cli.run_title import run_title
from vidstyle.cli.style_learning import with_learned_styles, with_planned_styles
from vidstyle.cli.terminal import say
from vidstyle.runner import job as jobs
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.storage.destination import Destination, check_folder
from vidstyle.runner.storage.made import look_up


def run_clip(
    job: jobs.Job,
    *,
    keep: bool,
    cluster: Callable[[], AbstractContextManager[str]] | None,
    dry_run: bool,
    as_json: bool,
    makes_folder: bool = False,
) -> None:
    """Run a job, with styles that are learned first, and show how far it is.

    Args:
        job: What to do.
        keep: Whether an output that other options made is left.
        cluster: Opens a cluster, where there is work for it.
        dry_run: Whether only the plan is printed.
        as_json: Whether events are printed as JSON.
        makes_folder: Whether the folder of the output is made where it is not there.

    Raises:
        VidstyleError: What stops the run.
    """
    title = run_title(job.pipeline)
    folder = job.output.parent
    if makes_folder and not folder.is_dir():
        check_folder(folder)
        if dry_run:
            _print_plan(replace(job, pipeline=with_planned_styles(job.pipeline)), False, as_json)
            return
        folder.mkdir(parents=True)

    def check(stand_in: Pipeline) -> None:
        # Nothing was made with a style that is not learned yet.
        Destination(job.output, job.overwrite or job.redo).check(job.input)
        with jobs.prepared(replace(job, pipeline=stand_in)):
            pass

    if dry_run:
        loaded = with_planned_styles(job.pipeline)
    else:
        loaded = with_learned_styles(job.pipeline, device=job.device, as_json=as_json, check=check)
    ready = replace(job, pipeline=loaded)
    if keep and _is_kept(ready):
        return
    if dry_run:
        _print_plan(ready, True, as_json)
        return
    with listener(as_json=as_json, title=title) as show:
        stored = InterruptionListener(show)
        with (
            explain_interruption(stored.sentence),
            stopping_softly() as stop,
            ExitStack() as stack,
        ):
            # What is done needs no cluster.
            if cluster is not None and jobs.has_work(ready):
                ready = replace(ready, cluster=stack.enter_context(cluster()))
            jobs.run(ready, listen=stored, stop=stop)


def _is_kept(job: jobs.Job) -> bool:
    """Whether the output was made by other options, and is left; prints a line where it is."""
    with jobs.prepared(job) as (assembly, plan):
        standing = look_up(job.output, job.input, assembly, plan)
    if standing.state in ("absent", "done"):
        return False
    say(f"kept; {standing.sentence}")
    return True


def _print_plan(job: jobs.Job, has_folder: bool, as_json: bool) -> None:
    """Print what would be done. Raises OutputError where the output may not be replaced."""
    with jobs.prepared(job, to_write=has_folder) as (assembly, plan):
        jobs.find_standing(job, assembly, plan)
        print_plan(plan, as_json=as_json)
