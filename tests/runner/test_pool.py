"""Processes that share the cores and the memory of a machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.runner.odd_jobs import make_job
from vidstyle.core.errors import DeviceError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.events import Planned
from vidstyle.runner.job import run
from vidstyle.runner.pool import LocalPool, Report
from vidstyle.runner.worker import Ended

MEMORY = 200 << 20


def reports_until_ended(pool: LocalPool, count: int) -> list[Report]:
    found: list[Report] = []
    while sum(isinstance(each.message, Ended) for each in found) < count:
        found += pool.reports()
    return found


def threads_of(reports: list[Report]) -> dict[int, int]:
    """Threads of the stages, by job."""
    return {
        each.ticket: each.message.plan.source.context.threads
        for each in reports
        if isinstance(each.message, Planned)
    }


def test_jobs_beside_each_other_divide_the_cores(tmp_path: Path) -> None:
    wanted = make_job(tmp_path, "out")
    with LocalPool(4, budget=8 * MEMORY, cores=8) as pool:
        for number in range(4):
            assert pool.takes(MEMORY)
            job = replace(wanted, output=tmp_path / f"{number}.mkv")
            pool.begin(number, job, MEMORY, left=4 - number)
        assert not pool.takes(1)
        found = reports_until_ended(pool, 4)
        # The last one of a batch gets the cores of those that have ended.
        pool.begin(9, replace(wanted, output=tmp_path / "9.mkv"), MEMORY, left=1)
        found += reports_until_ended(pool, 1)
    assert threads_of(found) == {0: 2, 1: 2, 2: 4, 3: 8, 9: 8}
    assert all((tmp_path / f"{number}.mkv").exists() for number in (0, 1, 2, 3, 9))


def test_a_job_that_takes_all_memory_gets_all_cores_and_runs_by_itself(tmp_path: Path) -> None:
    wanted = make_job(tmp_path, "out", delay=0.05)
    with LocalPool(3, budget=4 * MEMORY, cores=6) as pool:
        pool.begin(0, replace(wanted, output=tmp_path / "0.mkv"), MEMORY, left=3)
        assert pool.takes(3 * MEMORY)
        assert not pool.takes(3 * MEMORY + 1)
        reports_until_ended(pool, 1)
        # The only one is taken, whatever it needs.
        assert pool.takes(100 * MEMORY)
        pool.begin(1, replace(wanted, output=tmp_path / "1.mkv"), 4 * MEMORY, left=2)
        assert not pool.takes(1)
        assert threads_of(reports_until_ended(pool, 1)) == {1: 6}


def test_processes_without_a_job_give_their_memory_to_one_that_needs_it(tmp_path: Path) -> None:
    wanted = make_job(tmp_path, "out")
    with LocalPool(2, budget=8 * MEMORY) as pool:
        for number in range(2):
            pool.look(number, wanted)
        reports_until_ended(pool, 2)
        assert sum(worker.alive for worker in pool._workers) == 2
        pool.begin(0, wanted, 8 * MEMORY, left=1)
        assert sum(worker.alive for worker in pool._workers) == 1
        reports_until_ended(pool, 1)
    assert not any(worker.alive for worker in pool._workers)


def test_leaving_ends_what_still_runs(tmp_path: Path) -> None:
    wanted = make_job(tmp_path, "out", delay=5)
    with LocalPool(1, budget=MEMORY) as pool:
        pool.begin(0, wanted, MEMORY, left=1)
        process = pool._workers[0]._process
        assert process is not None
    assert process.exitcode is not None
    assert not wanted.output.exists()


def test_a_network_that_another_clip_has_loaded_gives_the_same_frames(tmp_path: Path) -> None:
    wanted = make_job(tmp_path, "out")
    text = (tmp_path / "p.yaml").read_text()
    start, stop = text.index("  - use: filter/odd"), text.index("  - use: encode")
    (tmp_path / "p.yaml").write_text(
        f"{text[:start]}  - use: stylize/feedforward\n    style: udnie\n{text[stop:]}"
    )
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    by_itself = run(replace(wanted, pipeline=pipeline, output=tmp_path / "by-itself.mkv", cores=1))
    digests = []
    with LocalPool(1, budget=8 * MEMORY, cores=1) as pool:
        for number in range(2):
            job = replace(wanted, pipeline=pipeline, output=tmp_path / f"{number}.mkv")
            pool.begin(number, job, MEMORY, left=1)
            (ended,) = (
                each.message
                for each in reports_until_ended(pool, 1)
                if isinstance(each.message, Ended)
            )
            assert ended.result is not None
            digests.append(ended.result.digest)
    assert digests == [by_itself.digest] * 2


def test_a_check_finds_what_is_wrong_whatever_the_clip_is(tmp_path: Path) -> None:
    with LocalPool(1, budget=MEMORY) as pool:
        good = make_job(tmp_path, "good")
        assert pool.check(good).error is None
        assert isinstance(pool.check(replace(good, device="cuda:77")).error, DeviceError)
