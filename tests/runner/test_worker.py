"""A job that kills its process fails alone; others are those of a run in this process."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core.errors import CrashError, InputError, StageError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.events import Event, FrameDone, Kept, Planned
from vidstyle.runner.job import Job, run
from vidstyle.runner.worker import Worker

PLUGIN = """\
import os, time
from vidstyle.core import HostArray, image_filter

@image_filter
def odd(image: HostArray, *, deed: str = "none", delay: float = 0.0) -> HostArray:
    time.sleep(delay)
    if deed == "abort":
        os.abort()
    if deed == "raise":
        raise ValueError("an odd image")
    return 1 - image

STAGE = odd
"""
PIPELINE = """\
version: 1
chunk: {least: 50, most: 50}
stages:
  - use: decode/pyav
  - use: filter/odd
    deed: DEED
    delay: DELAY
  - use: encode/pyav
    codec: ffv1
"""


def job(folder: Path, name: str, *, deed: str = "none", delay: float = 0) -> Job:
    plugin = folder / "plugins" / "filter" / "odd.py"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(PLUGIN)
    (folder / "p.yaml").write_text(PIPELINE.replace("DEED", deed).replace("DELAY", str(delay)))
    with av.open(str(folder / "in.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=32, height=16)
        for index in range(12):
            image = np.full((16, 32, 3), 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry([folder / "plugins"]))
    return Job(pipeline, folder / "in.mkv", folder / f"{name}.mkv")


def test_a_job_in_a_process_gives_the_frames_and_events_of_a_run(tmp_path: Path) -> None:
    events: list[Event] = []
    here = run(job(tmp_path, "here"))
    with Worker() as worker:
        there = worker.run(job(tmp_path, "there"), listen=events.append)
        process = worker._process
        assert process is not None
        again = worker.run(job(tmp_path, "again"), listen=events.append)
        # One process for all of them, which then ends by itself.
        assert worker._process is process
    assert process.returncode == 0
    assert here.digest == there.digest == again.digest
    assert sum(isinstance(event, FrameDone) for event in events) == 24
    assert sum(isinstance(event, Planned) for event in events) == 2


def test_what_kills_the_process_is_the_failure_of_one_job(tmp_path: Path) -> None:
    with Worker() as worker:
        for _ in range(2):
            with pytest.raises(CrashError, match="ended by SIGABRT: a library crashed"):
                worker.run(job(tmp_path, "bad", deed="abort"), listen=ignore)
            assert worker.run(job(tmp_path, "good"), listen=ignore).frames == 12
            (tmp_path / "good.mkv").unlink()
    assert not (tmp_path / "bad.mkv").exists()


def test_errors_arrive_as_they_are(tmp_path: Path) -> None:
    with Worker() as worker:
        with pytest.raises(StageError, match="an odd image") as raised:
            worker.run(job(tmp_path, "bad", deed="raise"), listen=ignore)
        assert (raised.value.stage, raised.value.frame) == ("filter", 0)
        wanted = job(tmp_path, "out")
        wanted.input.write_text("no video")
        with pytest.raises(InputError, match=r"in\.mkv"):
            worker.run(wanted, listen=ignore)


def test_a_stop_stores_what_is_finished(tmp_path: Path) -> None:
    wanted, stop = job(tmp_path, "out", delay=0.1), StopRequest()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, FrameDone) and event.done == 3:
            stop.reason = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt), Worker() as worker:
        worker.run(wanted, listen=listen, stop=stop)
    (kept,) = (event.frames for event in events if isinstance(event, Kept))
    assert kept == sum(isinstance(event, FrameDone) for event in events) >= 3
    assert run(wanted).frames == 12


def test_a_process_that_nobody_waits_for_ends_in_the_midst_of_a_job(tmp_path: Path) -> None:
    wanted, begun = job(tmp_path, "out", delay=0.5), threading.Event()
    worker, raised = Worker(), list[type[BaseException]]()

    def wait_for_it() -> None:
        try:
            worker.run(wanted, listen=lambda _: begun.set())
        except CrashError as error:
            raised.append(type(error))

    thread = threading.Thread(target=wait_for_it)
    thread.start()
    assert begun.wait(30)
    process, connection = worker._process, worker._connection
    assert process is not None
    assert connection is not None
    # As the system does where the parent is killed.
    connection.close()
    thread.join(10)
    assert process.wait(10) == 0
    assert raised == [CrashError]
    assert not wanted.output.exists()


def ignore(event: Event) -> None:
    return None
