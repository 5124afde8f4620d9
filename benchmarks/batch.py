"""What clips beside each other gain: `vidstyle batch --jobs N` against `--jobs 1`.

    python benchmarks/batch.py [--jobs 2] [--clips 12] [--frames 90] [--rounds 3]
                               [--pipelines identity per-frame temporal] [--max-memory 4G]

Each pipeline stylizes a folder of clips of 320x180, made for it, with `--jobs 1` and `--jobs N` in
turns. A row has the wall time of each (the median of the rounds), their ratio, how many cores
`--jobs 1` keeps busy (processor time of all processes by wall time), the ratio that would fill all
cores of this machine with that work, and the most memory of all processes together: shared pages
count once (PSS), looked at every 50 ms in a round of its own, since looking takes time from those
that are looked at. The outputs of all must be equal, packet by packet.

Ends with 1 where a ratio is below 0.95, or below 1.3 though what `--jobs 1` leaves idle would
allow it, the memory is above `--max-memory`, or outputs differ.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from vidstyle.runner.plan.memory import parse_size

WIDTH, HEIGHT = 320, 180
LEAST_RATIO = 0.95
GAIN = 1.3
"""Least ratio where what `--jobs 1` leaves idle allows as much."""
_LOOK = 0.05
# Of prctl: processes whose parent has ended become ours, so that their time counts.
_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """One batch."""

    seconds: float
    cores: float
    """That were busy, on the average."""
    digest: str
    """Of the packets of all outputs."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pipelines", nargs="+", default=["identity", "per-frame", "temporal"])
    parser.add_argument("--max-memory", default="4G")
    given = parser.parse_args(arguments)
    budget = parse_size(given.max_memory, "--max-memory")
    many, cores = given.jobs, len(os.sched_getaffinity(0))
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    print(f"| pipeline | --jobs 1, s | --jobs {many}, s | ratio | busy cores | ", end="")
    print("all cores | peak, MiB |\n|---|---|---|---|---|---|---|")
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(folder / "clips", given.clips, given.frames)
        for pipeline in given.pipelines:
            found = measure_in_turns(pipeline, folder, given)
            seconds = [statistics.median(m.seconds for m in found[j]) for j in (1, many)]
            busy = statistics.median(m.cores for m in found[1])
            peak, digest = measure_memory(pipeline, folder, given)
            ratio, most = seconds[0] / seconds[1], min(cores, many) / busy
            print(
                f"| {pipeline} | {seconds[0]:.1f} | {seconds[1]:.1f} | {ratio:.2f} | {busy:.2f} |"
                f" {most:.2f} | {peak / 2**20:.0f} |",
                flush=True,
            )
            if ratio < (GAIN if most > GAIN else LEAST_RATIO):
                faults.append(f"{pipeline}: a ratio of {ratio:.2f} is too low")
            if peak > budget:
                faults.append(f"{pipeline}: {peak / 2**20:.0f} MiB are above --max-memory")
            if {each.digest for measured in found.values() for each in measured} != {digest}:
                faults.append(f"{pipeline}: the outputs differ")
    if faults:
        raise SystemExit("\n".join(faults))


def measure_in_turns(
    pipeline: str, folder: Path, given: argparse.Namespace
) -> dict[int, list[Measured]]:
    """Every round of both, by the number of jobs."""
    found: dict[int, list[Measured]] = {1: [], given.jobs: []}
    for _ in range(given.rounds):
        for jobs, measured in found.items():
            measured.append(measure(pipeline, folder, jobs, given.max_memory))
    return found


def measure(pipeline: str, folder: Path, jobs: int, memory: str) -> Measured:
    """Run one batch into a new folder. Raises SystemExit where it fails."""
    before, started = processor_time(), time.perf_counter()
    with begin(pipeline, folder, jobs, memory) as child:
        errors = child.communicate()[1]
    seconds = time.perf_counter() - started
    if child.returncode:
        raise SystemExit(f"{child.args!r} failed: {errors}")
    cores = (processor_time() - before) / seconds
    return Measured(seconds, cores, digest_of(folder / "out"))


def measure_memory(pipeline: str, folder: Path, given: argparse.Namespace) -> tuple[int, str]:
    """Bytes at the peak, and what `Measured` calls digest."""
    peak = 0
    with begin(pipeline, folder, given.jobs, given.max_memory) as child:
        while child.poll() is None:
            peak = max(peak, memory_of_tree(child.pid))
            time.sleep(_LOOK)
    return peak, digest_of(folder / "out")


def begin(pipeline: str, folder: Path, jobs: int, memory: str) -> subprocess.Popen[str]:
    """Start a batch into a new folder."""
    output = folder / "out"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "vidstyle", "batch", pipeline, str(folder / "clips")]
    command += ["-o", str(output), "--jobs", str(jobs), "--max-memory", memory, "--device", "cpu"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def processor_time() -> float:
    """Seconds of all processes that have been started from here and ended."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_of_tree(process: int) -> int:
    """Bytes of a process and all that it has started; pages that several have are divided."""
    facts = Path(f"/proc/{process}")
    try:
        text = (facts / "smaps_rollup").read_text()
        children = (facts / "task" / str(process) / "children").read_text().split()
    except OSError:
        # It has just ended.
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    own = int(found[1]) * 1024 if found else 0
    return own + sum(map(memory_of_tree, map(int, children)))


def digest_of(folder: Path) -> str:
    """Hash of the video packets of all outputs."""
    digest = hashlib.sha256()
    outputs = (path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv"))
    for path in sorted(outputs):
        digest.update(path.name.encode())
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                digest.update(bytes(packet))
    return digest.hexdigest()


def write_clips(folder: Path, count: int, frames: int) -> None:
    """Clips of textures that move, each its own."""
    folder.mkdir()
    for number in range(count):
        generator = np.random.default_rng(number)
        texture = generator.integers(0, 255, (HEIGHT // 8 + 24, WIDTH // 8 + 24, 3), np.uint8)
        texture = texture.repeat(8, 0).repeat(8, 1)
        with av.open(str(folder / f"{number:02}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, width=WIDTH, height=HEIGHT)
            stream.pix_fmt = "yuv420p"
            for index in range(frames):
                x, y = index % 160, (index // 2) % 160
                image = np.ascontiguousarray(texture[y : y + HEIGHT, x : x + WIDTH])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
