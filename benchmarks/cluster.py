"""Clips on a Ray cluster of three nodes: equal to the serial run, whatever is lost on the way.

``python benchmarks/cluster.py [--units N] [--delay S]`` starts a cluster of three nodes on this
machine (``ray.cluster_utils``), and computes a clip with cuts there: undisturbed, with a process of
a unit killed by SIGKILL, with a node removed, and without a shared path; and a folder of clips. A
stage of the pipeline writes down each frame that it computes, so that what was computed twice is
counted. It ends with 1 where frames differ from those of the serial run, or where more was computed
again than the units that were lost.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np

from vidstyle.core.plan import Plan
from vidstyle.runner import schedule as clip_schedule
from vidstyle.runner.batch import run_batch
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution import ray_units
from vidstyle.runner.execution.events import Event, FrameDone
from vidstyle.runner.execution.ray_cluster import open_cluster
from vidstyle.runner.execution.shipment import Shipment, list_shipments
from vidstyle.runner.execution.work import Work
from vidstyle.runner.job import Job, run

UNIT = 12
"""Frames of a shot; each is a unit."""
PIPELINE = """\
version: 1
chunk: {least: 10, most: 20}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/farneback
  - use: filter/counted
    delay: DELAY
    log: LOG
  - use: blend/warped
  - use: encode/pyav
    codec: libx264
"""
PLUGIN = '''
import os, time
from vidstyle.core import NOW, BaseStage, Needs, StageOptions

class Counted(BaseStage):
    """Writes down each frame that it computes, and takes some time."""

    class Options(StageOptions):
        delay: float = 0.0
        log: str = ""

    needs = Needs(reads={"image": NOW}, writes=("image",))

    def step(self, window, state):
        time.sleep(self.options.delay)
        with open(self.options.log + "log", "a") as file:
            file.write(f"{window.now.index} {os.getpid()}\\n")
        return {"image": 1 - window.now.host("image")}, state

STAGE = Counted
'''


@dataclass(frozen=True)
class Outcome:
    """One run on the cluster."""

    name: str
    equal: bool
    frames: int
    again: int
    """Frames that were computed more than once."""
    allowed: int
    """As many as the units that were lost have."""
    processes: int
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it is as promised."""
        return self.equal and self.again <= self.allowed


def main() -> int:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--units", type=int, default=8, help="Shots of the clip.")
    parser.add_argument("--delay", type=float, default=0.05, help="Seconds a frame.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as name:
        folder = Path(name)
        _write_plugin(folder)
        write_clip(folder / "in.mkv", given.units)
        wanted = run(replace(_job(folder, folder / "in.mkv", 0.0, "serial"), engine="serial"))
        outcomes = list(_outcomes(folder, given.delay, wanted.digest, given.units))
    print(f"{'run':28}{'equal':>7}{'frames':>8}{'again':>7}{'processes':>11}{'seconds':>9}")
    for each in outcomes:
        print(
            f"{each.name:28}{'yes' if each.equal else 'NO':>7}{each.frames:8}{each.again:7}"
            f"{each.processes:11}{each.seconds:9.1f}"
        )
    return 0 if all(each.good for each in outcomes) else 1


def _outcomes(folder: Path, delay: float, digest: str, units: int) -> Iterator[Outcome]:
    with _cluster() as (cluster, nodes), open_cluster(cluster.address) as address:

        def outcome(name: str, disturb: Callable[[], object], allowed: int) -> Outcome:
            job = replace(_job(folder, folder / "in.mkv", delay, name), cluster=address)
            return _run(job, digest, disturb, allowed)

        yield outcome("undisturbed", _nothing, 0)
        yield outcome("process killed by SIGKILL", kill_a_unit, UNIT)
        yield outcome("node removed", lambda: cluster.remove_node(nodes.pop()), 2 * UNIT)
        with unshared_files():
            yield outcome("without a shared path", _nothing, 0)
        yield _run_folder(folder, delay, address, digest)


@contextmanager
def unshared_files() -> Iterator[None]:
    """Let every file have another time than the nodes see, so that they ask for copies."""

    def listed(plan: Plan, work: Work) -> tuple[Shipment, ...]:
        return tuple(
            replace(each, files=tuple(replace(file, time=file.time + 1) for file in each.files))
            for each in list_shipments(plan, work)
        )

    with mock.patch.object(ray_units, "list_shipments", listed):
        yield


def _run_folder(folder: Path, delay: float, address: str, digest: str) -> Outcome:
    """Four clips, each of which is the whole clip."""
    job = _job(folder, folder / "in.mkv", delay, "folder")
    names = [f"folder {number}" for number in range(4)]
    for name in names:
        shutil.copy(job.input, folder / f"{name}.mkv")
    jobs = [
        replace(job, input=folder / f"{name}.mkv", output=folder / f"{name}.out.mkv")
        for name in names
    ]
    started = time.perf_counter()
    opened = nullcontext(address)
    events = list(run_batch(jobs, size=None, budget=4 * 2**30, cluster=lambda: opened))
    results = [each.result for each in events if isinstance(each, clip_schedule.Outcome)]
    computed = _Computed(folder / "folder-log")
    frames = sum(0 if result is None else result.frames for result in results)
    return Outcome(
        "folder of 4 clips",
        all(result is not None and result.digest == digest for result in results),
        frames,
        computed.steps - frames,
        0,
        computed.processes,
        time.perf_counter() - started,
    )


class _Computed:
    """What the stage has written down."""

    def __init__(self, log: Path) -> None:
        lines = [line.split() for line in log.read_text().splitlines()]
        self.steps = len(lines)
        self.processes = len({process for _, process in lines})


def _nothing() -> None:
    return None


def _run(job: Job, digest: str, disturb: Callable[[], object], allowed: int) -> Outcome:
    begun, done = threading.Event(), False

    def listen(event: Event) -> None:
        if isinstance(event, FrameDone):
            begun.set()

    def wait_and_disturb() -> None:
        begun.wait(120)
        if not done:
            disturb()

    thread = threading.Thread(target=wait_and_disturb)
    thread.start()
    started = time.perf_counter()
    result = run(job, listen=listen)
    seconds, done = time.perf_counter() - started, True
    thread.join()
    computed = _Computed(Path(f"{job.output.with_suffix('')}-log"))
    return Outcome(
        job.output.stem,
        result.digest == digest,
        result.frames,
        computed.steps - result.frames,
        allowed,
        computed.processes,
        seconds,
    )


@contextmanager
def _cluster() -> Iterator[tuple[Any, list[Any]]]:
    """Three nodes of two cores each; the head of the cluster has none."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        yield cluster, [cluster.add_node(num_cpus=2) for _ in range(3)]
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's tests' own


def kill_a_unit() -> None:
    """Kill a process of our cluster that computes a unit, as a machine without memory would."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::compute_unit") and _is_ours(path.parent):
                os.kill(int(path.parent.name), signal.SIGKILL)
                return
        except OSError:
            continue


def _is_ours(process: Path) -> bool:
    """Whether this process has started it, or what has started it."""
    while int(process.name) > 1:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        if int(parent) == os.getpid():
            return True
        process = process.with_name(parent)
    return False


def _job(folder: Path, clip: Path, delay: float, name: str) -> Job:
    log = folder / f"{name}-"
    text = PIPELINE.replace("DELAY", str(delay)).replace("LOG", str(log))
    (folder / "p.yaml").write_text(text)
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry([folder / "plugins"]))
    return Job(pipeline, clip, folder / f"{name}.mkv", device="cpu")


def _write_plugin(folder: Path) -> None:
    path = folder / "plugins" / "filter" / "counted.py"
    path.parent.mkdir(parents=True)
    path.write_text(PLUGIN)


def write_clip(path: Path, shots: int) -> None:
    """A clip of moving noise with a cut every ``UNIT`` frames."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for _ in range(shots):
            texture = rng.integers(0, 255, (60, 120, 3), np.uint8)
            for index in range(UNIT):
                image = np.ascontiguousarray(texture[6:54, index : index + 64])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    sys.exit(main())
