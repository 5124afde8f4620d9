"""What a cluster costs: of each unit, of the machine that drives it, and of 10,000 hours of video.

``python benchmarks/scale.py [CLIP] [--frames 48] [--units 200]`` measures on this machine

- for each pipeline the processor time of a frame, of the search for cuts and of opening a unit,
  and the bytes of a frame that come back;
- the processor time that the driving process spends on a unit: handing it out, taking what
  comes back, storing it (units on a local Ray cluster that compute nothing), by its size;

and then simulates clusters of up to thousands of cores with these costs: how much of their time
they compute, for one long clip whose cuts are sought on one core, and for a folder of clips. CLIP
is ``samples/demo.mp4`` unless another one is given.
"""

from __future__ import annotations

import argparse
import heapq
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np

from vidstyle.core.plan import Plan
from vidstyle.core.sink import FrameTime, Packet
from vidstyle.core.stop import StopRequest
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution import ray_units
from vidstyle.runner.execution.computation import Remaining
from vidstyle.runner.execution.ray_cluster import open_cluster, with_threads
from vidstyle.runner.execution.ray_tasks import Answer, Pieces, UnitEnd, UnitTask
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.units import can_be_cut, find_units
from vidstyle.runner.execution.work import Work, WorkSegment, run_work
from vidstyle.runner.job import Job, prepared
from vidstyle.runner.storage.chunk_rows import ChunkRows, chunk_rows
from vidstyle.runner.storage.store import Store
from vidstyle.runner.storage.stored import StoredFrame

ROOT = Path(__file__).parents[1]
PIPELINES = ("identity", "per-frame", "temporal")
# Frames of a unit: the least of a chunk, as the shipped pipelines have it.
UNIT = 125
HOURS, RATE = 10_000, 25
SIZES = (10_000, 10_000_000)


@dataclass(frozen=True)
class WorkCost:
    """Of one pipeline, in seconds of one core."""

    pipeline: str
    frame: float
    search: float | None
    """Of a frame, to find cuts; None where the pipeline has one unit a clip."""
    opening: float
    """Of a unit, in a process that has computed one before."""
    size: float
    """Bytes of a frame that come back."""


@dataclass(frozen=True)
class DriverCost:
    """Of the process that drives a clip, in seconds of one core."""

    unit: float
    frame: float
    byte: float

    def of(self, frames: float, size: float) -> float:
        """Of a unit of so many frames, which bring so many bytes back each."""
        return self.unit + frames * (self.frame + self.byte * size)


def main() -> None:
    """Measure, simulate, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clip", type=Path, nargs="?", default=ROOT / "samples" / "demo.mp4")
    parser.add_argument("--frames", type=int, default=48, help="Of the clip, for each pipeline.")
    parser.add_argument("--units", type=int, default=100, help="To measure the driver with.")
    given = parser.parse_args()
    driver = measure_driver(given.units)
    memory = own_memory() / 2**20
    print(
        f"driver: {1e3 * driver.unit:.2f} ms a unit, {1e6 * driver.frame:.0f} us a frame,", end=""
    )
    print(f" {1e9 * driver.byte:.2f} ms a MB", end="")
    print(f"; {memory:.0f} MiB of memory\n")
    costs = [measure_work(name, given.clip, given.frames) for name in PIPELINES]
    print_costs(costs, driver)
    for cost in costs:
        print_simulation(cost, driver)
    print_total(costs, driver)


def own_memory() -> int:
    """Bytes of this process without the pages of the object store, which all share."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return 1024 * sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssFile"))


def measure_work(name: str, clip: Path, frames: int) -> WorkCost:
    """Processor time on one thread; the first run, which loads libraries, does not count."""
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as folder:
        plan, work = _plan(name, clip, Path(folder), frames), Work(clip)
        short = replace(plan, frames=(0, 1))
        run_work(short, work)
        opening, _ = _processor_time(short, work)
        whole, segment = _processor_time(plan, work)
        sizes = [len(p.data) for chunk in segment.chunks for p in chunk.stored]
        search = None
        if can_be_cut(plan):
            started = time.process_time()
            list(find_units(plan, work))
            search = (time.process_time() - started) / frames
        return WorkCost(
            name, (whole - opening) / (frames - 1), search, opening, sum(sizes) / frames
        )


def _plan(name: str, clip: Path, folder: Path, frames: int) -> Plan:
    pipeline = load_pipeline(ROOT / "pipelines" / f"{name}.yaml", registry=Registry())
    job = Job(pipeline, clip, folder / "out.mkv", device="cpu", frames=(0, frames))
    with prepared(job) as (_, plan):
        return with_threads(plan, 1)


def _processor_time(plan: Plan, work: Work) -> tuple[float, WorkSegment]:
    started = time.process_time()
    segment = run_work(plan, work)
    for chunk in segment.chunks:
        chunk_rows(chunk.number, chunk.header, chunk.records, chunk.stored)
    return time.process_time() - started, segment


def measure_driver(units: int) -> DriverCost:
    """Processor time of this process for three kinds of units, which give the parts of the cost."""
    with open_cluster(None) as address, _empty_units():
        _drive(address, 20, UNIT, SIZES[0])
        one, small, large = (
            _drive(address, units, frames, size) / units
            for frames, size in ((1, SIZES[0]), (UNIT, SIZES[0]), (UNIT, SIZES[1]))
        )
    byte = (large - small) / (SIZES[1] - SIZES[0])
    frame = (small - one) / (UNIT - 1)
    return DriverCost(one - frame - byte * SIZES[0], frame, byte)


def _drive(address: str, units: int, frames: int, size: int) -> float:
    """Seconds of this process for so many units, and for reading what is stored of them once."""
    clip = ROOT / "samples" / "demo.mp4"
    with tempfile.TemporaryDirectory(prefix="vidstyle-") as name:
        plan = _plan("identity", clip, Path(name), units * frames)
        # The size travels as the number of the first frame, for want of another field.
        works = [Work(clip, chunk=n, first=size, stop=frames) for n in range(units)]
        with Store(Path(name) / "store") as store:
            recorder = Recorder(plan, store, 0, lambda _: None, StopRequest())
            started = time.process_time()
            remaining = Remaining(works, (), planned=True)
            with ray_units.RayUnits(address, plan, remaining) as running:
                running.record(recorder)
            for segment in store.segments():
                # One after the other, as a file is joined.
                for _ in segment.packets():
                    pass
            return time.process_time() - started


def empty_unit(task: UnitTask, pieces: Pieces) -> Iterator[ChunkRows | Answer]:
    """Computes nothing, and gives as many bytes as it is asked for."""
    size, frames = task.work.first or 0, task.work.stop or 1
    data = np.random.default_rng(task.work.chunk).bytes(size // frames)
    packets = tuple(Packet(data, n, n, n == 0) for n in range(frames))
    first = task.work.chunk * frames
    records = tuple(
        StoredFrame(first + n, FrameTime(first + n, 1), f"{n:040x}") for n in range(frames)
    )
    yield chunk_rows(task.work.chunk, b"", records, packets)
    yield Answer(end=UnitEnd(Fraction(0), (), {}))


@contextmanager
def _empty_units() -> Iterator[None]:
    with mock.patch.object(ray_units, "compute_unit", empty_unit):
        yield


def print_costs(costs: Sequence[WorkCost], driver: DriverCost) -> None:
    """What each pipeline costs, and the driver's part of a unit of a second."""
    print(f"{'pipeline':12}{'ms/frame':>10}{'search':>9}{'opening':>9}{'bytes/frame':>13}", end="")
    print(f"{'driver, units of 125 frames':>29}{'of 1 s':>8}")
    for each in costs:
        search = "" if each.search is None else f"{100 * each.search / each.frame:.1f} %"
        unit = driver.of(UNIT, each.size) / (UNIT * each.frame + each.opening)
        second = driver.of(1 / each.frame, each.size)
        print(
            f"{each.pipeline:12}{1e3 * each.frame:10.1f}{search:>9}{each.opening:8.2f}s"
            f"{each.size:13.0f}{100 * unit:27.2f} %{100 * second:6.2f} %"
        )
    print()


def print_simulation(cost: WorkCost, driver: DriverCost, units: int = 20_000) -> None:
    """The part of the cores' time in which they compute, by their number."""
    print(f"{cost.pipeline}, {units} units of {UNIT} frames: part of the cores' time that computes")
    kinds = ["folder, 1 driver", "folder, 8 drivers"]
    if cost.search is not None:
        kinds.append("one clip")
    print(f"{'cores':>8}" + "".join(f"{kind:>20}" for kind in kinds))
    for cores in (16, 64, 256, 1024, 4096):
        parts = [
            simulate(cost, driver, cores=cores, units=units, drivers=count) for count in (1, 8)
        ]
        if cost.search is not None:
            parts.append(
                simulate(cost, driver, cores=cores, units=units, search=cost.search * UNIT)
            )
        print(f"{cores:8}" + "".join(f"{100 * part:18.1f} %" for part in parts))
    print()


def simulate(
    cost: WorkCost,
    driver: DriverCost,
    *,
    cores: int,
    units: int,
    drivers: int = 1,
    search: float = 0.0,
) -> float:
    """Run units through a cluster of one core each, event by event.

    Units take unequal time (a log-normal distribution of deviation 0.3). A driver works on one
    unit at a time: it hands it out and takes it back, half of its cost each; two units wait for
    each core. ``search`` is the time between two units that are found.

    Returns:
        Time of all units, over that of all cores until the last one is stored.
    """
    random = np.random.default_rng(0)
    mean = cost.frame * UNIT + cost.opening
    lengths = mean * random.lognormal(-0.045, 0.3, units)
    half = driver.of(UNIT, cost.size) / 2
    free_drivers = [0.0] * drivers
    free_cores = [0.0] * cores
    returned: list[float] = []
    waiting_most = 2 * cores
    last = 0.0
    for number, length in enumerate(lengths):
        earliest = (number + 1) * search
        while len(returned) >= waiting_most:
            # Before it hands out more than may wait, a driver takes one back.
            done = heapq.heappop(returned)
            at = max(heapq.heappop(free_drivers), done) + half
            heapq.heappush(free_drivers, at)
            earliest, last = max(earliest, at), max(last, at)
        handed = max(heapq.heappop(free_drivers), earliest) + half
        heapq.heappush(free_drivers, handed)
        end = max(heapq.heappop(free_cores), handed) + float(length)
        heapq.heappush(free_cores, end)
        heapq.heappush(returned, end)
    while returned:
        at = max(heapq.heappop(free_drivers), heapq.heappop(returned)) + half
        heapq.heappush(free_drivers, at)
        last = max(last, at)
    return float(lengths.sum()) / (cores * last)


def print_total(costs: Sequence[WorkCost], driver: DriverCost) -> None:
    """What 10,000 hours need."""
    frames = HOURS * 3600 * RATE
    print(f"{HOURS} hours at {RATE} frames a second: {frames / 1e6:.0f} million frames")
    print(f"{'pipeline':12}{'core-hours':>12}{'search':>9}{'driver':>9}{'TB back':>9}{'units':>12}")
    for each in costs:
        units = frames / UNIT
        hours = (frames * each.frame + units * each.opening) / 3600
        search = 0.0 if each.search is None else frames * each.search / 3600
        driving = units * driver.of(UNIT, each.size) / 3600
        print(
            f"{each.pipeline:12}{hours:12,.0f}{search:9,.0f}{driving:9,.0f}"
            f"{frames * each.size / 1e12:9.1f}{units:12,.0f}"
        )


if __name__ == "__main__":
    main()
